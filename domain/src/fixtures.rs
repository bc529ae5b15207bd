//! Fixed values that tests share.

use cqrs_es::{Aggregate, test::TestFramework};
use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    kernel::{
        ActorId, CompanyId, EmployeeId, Line, Lines, Money, PaymentTerm, ProductId, VatRate,
        money::Currency,
    },
    parties::{
        Employee, Role,
        employee::{self, Person, Profile},
    },
    sales::offer::{OfferedLine, Proposal},
};

/// What an aggregate with this history answers to a command, also when its state comes from a
/// snapshot.
pub(crate) fn answer<A>(given: &[A::Event], when: A::Command) -> Result<Vec<A::Event>, A::Error>
where
    A: Aggregate<Services = ()> + PartialEq + std::fmt::Debug,
{
    let mut state = A::default();
    for event in given {
        state.apply(event.clone());
        let snapshot = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<A>(&snapshot).unwrap(), state, "{snapshot}");
    }
    TestFramework::<A>::with(()).given(given.to_vec()).when(when).inspect_result()
}

pub(crate) fn company() -> CompanyId {
    CompanyId(Uuid::from_u128(0xC0))
}

pub(crate) fn buyer() -> ActorId {
    ActorId(Uuid::from_u128(0xB1))
}

/// A purchaser of the company, without limits.
pub(crate) fn person(number: u128) -> Person {
    let profile =
        Profile { name: "Jan Kowalski".parse().unwrap(), email: "jan@example.pl".parse().unwrap() };
    let (id, company) = (EmployeeId(Uuid::from_u128(number)), Some(company()));
    let engaged = employee::Event::Engaged { id, company, profile, role: Role::Purchaser };
    let mut employee = Employee::default();
    employee.apply(engaged);
    employee.person().unwrap().clone()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn pln(amount: &str) -> Money {
    Money::new(amount.parse().unwrap(), Currency::Pln).unwrap()
}

pub(crate) fn line(quantity: &str, unit_price: &str, vat_rate: VatRate) -> Line {
    Line {
        product: ProductId(Uuid::from_u128(0x9)),
        sku: "HK-1".parse().unwrap(),
        name: "Kawa".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit_price: unit_price.parse().unwrap(),
        vat_rate,
        priced_by: None,
        deliver_on: None,
    }
}

/// Two lines: ten at 2.00 with 23 %, and five at 1.00 with 5 %.
pub(crate) fn lines() -> Lines {
    let lines = vec![line("10", "2.00", VatRate::Basic), line("5", "1.00", VatRate::SuperReduced)];
    Lines::try_from(lines).unwrap()
}

pub(crate) const TERM: PaymentTerm = PaymentTerm::net(14);

/// Of these lines, to the company, good through March.
pub(crate) fn proposal(lines: Vec<OfferedLine>) -> Proposal {
    Proposal {
        company: company(),
        currency: Currency::Pln,
        lines: Lines::try_from(lines).unwrap(),
        payment_term: TERM,
        valid_until: day("2026-03-31"),
        delivery_terms: None,
        discount: None,
        divisible: false,
        message: None,
    }
}
