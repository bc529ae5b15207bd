//! Every transition and refusal of a company.

use uuid::Uuid;

use super::*;
use crate::fixtures::{TERM, answer, buyer, company, day, pln};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Company>(given, when), then);
}

fn profile() -> Profile {
    Profile {
        name: "Hotel Baltica S.A.".parse().unwrap(),
        tax_id: TaxId::Nip { number: "5260250274".parse().unwrap() },
        reference: None,
    }
}

fn registered() -> Event {
    Event::Registered { id: company(), profile: profile(), payment_term: TERM }
}

#[test]
fn is_registered_once() {
    let register = Command::Register { id: company(), profile: profile(), payment_term: TERM };
    check(&[], register.clone(), Ok(vec![registered()]));
    check(&[registered()], register, Err(Error::AlreadyRegistered));
}

#[test]
fn of_poland_needs_a_nip() {
    let of = |country: &str| {
        let country = country.to_owned().try_into().unwrap();
        let tax_id = TaxId::Foreign { country, number: "5260250275".parse().unwrap() };
        let profile = Profile { tax_id, ..profile() };
        Command::Register { id: company(), profile, payment_term: TERM }
    };
    check(&[], of("PL"), Err(Error::NeedsNip));
    assert!(answer::<Company>(&[], of("DE")).is_ok());
}

#[test]
fn agrees_on_terms_once_registered() {
    let agree = |payment_term| Command::AgreePaymentTerm { payment_term };
    let agreed = Event::PaymentTermAgreed { payment_term: PaymentTerm::Immediate };
    check(&[], agree(TERM), Err(Error::Unregistered));
    check(&[registered()], agree(TERM), Ok(vec![]));
    check(&[registered()], agree(PaymentTerm::Immediate), Ok(vec![agreed.clone()]));
    check(&[registered(), agreed], agree(PaymentTerm::Immediate), Ok(vec![]));
}

#[track_caller]
fn happens(given: &[Event], when: Command, event: Event) {
    check(given, when.clone(), Ok(vec![event.clone()]));
    // Asked again, it is so already.
    let mut after = given.to_vec();
    after.push(event);
    check(&after, when, Ok(vec![]));
}

fn note(text: &str) -> Note {
    text.parse().unwrap()
}

fn suspended() -> Event {
    Event::Suspended { reason: note("three invoices overdue") }
}

fn address() -> Address {
    serde_json::from_value(serde_json::json!({
        "street": "Długa 1", "postal_code": "80-001", "city": "Gdańsk", "country": "PL",
    }))
    .unwrap()
}

fn other(id: u128) -> CompanyId {
    CompanyId(Uuid::from_u128(id))
}

#[test]
fn nothing_happens_to_who_was_never_registered() {
    for command in [
        Command::Reinstate,
        Command::InheritPaymentTerm,
        Command::JoinGroup { group: None },
        Command::Suspend { reason: note("x") },
    ] {
        check(&[], command, Err(Error::Unregistered));
    }
}

#[test]
fn is_verified_suspended_and_reinstated() {
    let verify = Command::Verify { by: buyer(), on: day("2026-03-01") };
    let verified = Event::Verified { by: buyer(), on: day("2026-03-01") };
    let given = [registered()];
    happens(&given, verify.clone(), verified.clone());
    let suspend = Command::Suspend { reason: note("three invoices overdue") };
    happens(&[registered(), verified.clone()], suspend.clone(), suspended());
    happens(&given, suspend, suspended());
    happens(&[registered(), suspended()], Command::Reinstate, Event::Reinstated {});
    check(&given, Command::Reinstate, Ok(vec![]));
    let refusal = Error::Suspended { name: profile().name, reason: note("three invoices overdue") };
    check(&[registered(), suspended()], verify.clone(), Err(refusal));
    // What was vouched for stays vouched for.
    let back = [registered(), verified, suspended(), Event::Reinstated {}];
    check(&back, verify.clone(), Ok(vec![]));
    let never = [registered(), suspended(), Event::Reinstated {}];
    assert!(!answer::<Company>(&never, verify).unwrap().is_empty());
}

#[test]
fn buys_nothing_while_it_is_suspended() {
    let after = |events: &[Event]| events.iter().cloned().fold(Company::default(), Company::evolve);
    assert!(after(&[registered()]).buyer().is_ok());
    let refused = after(&[registered(), suspended()]);
    assert!(matches!(refused.buyer(), Err(Error::Suspended { .. })));
    assert!(refused.customer().is_ok());
    assert!(after(&[registered(), suspended(), Event::Reinstated {}]).buyer().is_ok());
    assert_eq!(after(&[]).buyer(), Err(Error::Unregistered));
}

#[test]
fn has_its_own_term_or_that_of_the_parent_company() {
    let other_term = PaymentTerm::net(30);
    happens(
        &[registered()],
        Command::AgreePaymentTerm { payment_term: other_term },
        Event::PaymentTermAgreed { payment_term: other_term },
    );
    check(&[registered()], Command::InheritPaymentTerm, Err(Error::NoParent));
    let child = [registered(), Event::ParentJoined { parent: other(1) }];
    happens(&child, Command::InheritPaymentTerm, Event::PaymentTermInherited {});
    let heir =
        [registered(), Event::ParentJoined { parent: other(1) }, Event::PaymentTermInherited {}];
    check(&heir, Command::JoinParent { above: vec![], below: 0 }, Err(Error::NoParent));
    happens(
        &heir,
        Command::AgreePaymentTerm { payment_term: TERM },
        Event::PaymentTermAgreed { payment_term: TERM },
    );
}

#[test]
fn belongs_to_one_company_and_never_to_itself() {
    let join_with = |above: &[u128], below: usize| Command::JoinParent {
        above: above.iter().copied().map(other).collect(),
        below,
    };
    let join = |above: &[u128]| join_with(above, 0);
    happens(&[registered()], join(&[1, 2]), Event::ParentJoined { parent: other(1) });
    let child = [registered(), Event::ParentJoined { parent: other(1) }];
    happens(&child, join(&[2]), Event::ParentJoined { parent: other(2) });
    happens(&child, join(&[]), Event::ParentLeft {});
    check(&[registered()], join(&[1, company().0.as_u128()]), Err(Error::ParentIsBelow));
    check(&[registered()], join(&[company().0.as_u128()]), Err(Error::ParentIsBelow));
    check(&[registered()], join(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), Err(Error::TooDeep));
    assert!(answer::<Company>(&[registered()], join(&[1, 2, 3, 4, 5, 6, 7, 8])).is_ok());
    assert!(answer::<Company>(&[registered()], join_with(&[1, 2], 6)).is_ok());
    check(&[registered()], join_with(&[1, 2], 7), Err(Error::TooDeep));
    check(&child, join_with(&[], 30), Ok(vec![Event::ParentLeft {}]));
}

#[test]
fn has_places_accounts_and_limits() {
    let given = [registered()];
    let vat_number: VatNumber = "PL5260250274".parse().unwrap();
    happens(
        &given,
        Command::NoteVatNumber { vat_number: vat_number.clone() },
        Event::VatNumberNoted { vat_number },
    );
    happens(
        &given,
        Command::Rename { name: "Baltica".parse().unwrap() },
        Event::Renamed { name: "Baltica".parse().unwrap() },
    );
    happens(
        &given,
        Command::MoveBilling { address: address() },
        Event::BillingMoved { address: address() },
    );

    let id = AddressId(Uuid::from_u128(0xAD));
    let place = DeliveryAddress { label: "Magazyn".parse().unwrap(), address: address() };
    let added = Event::DeliveryAddressAdded { id, place: place.clone() };
    happens(&given, Command::AddDeliveryAddress { id, place }, added.clone());
    check(&given, Command::DropDeliveryAddress { id }, Err(Error::NoSuchAddress));
    let dropped = Event::DeliveryAddressDropped { id };
    check(&[registered(), added], Command::DropDeliveryAddress { id }, Ok(vec![dropped]));

    let account: Iban = "61109010140000071219812874".parse().unwrap();
    let known = Event::BankAccountAdded { account: account.clone() };
    happens(&given, Command::AddBankAccount { account: account.clone() }, known.clone());
    happens(
        &[registered(), known],
        Command::DropBankAccount { account: account.clone() },
        Event::BankAccountDropped { account },
    );

    let granted = Event::CreditGranted { limit: pln("1000.00") };
    happens(&given, Command::GrantCredit { limit: pln("1000.00") }, granted.clone());
    check(&given, Command::GrantCredit { limit: pln("-0.01") }, Err(Error::NegativeLimit));
    happens(
        &[registered(), granted],
        Command::LiftCreditLimit { currency: Currency::Pln },
        Event::CreditLimitLifted { currency: Currency::Pln },
    );

    let group: GroupCode = "hotele".parse().unwrap();
    let joined = Event::GroupJoined { group: group.clone() };
    happens(&given, Command::JoinGroup { group: Some(group) }, joined.clone());
    happens(&[registered(), joined], Command::JoinGroup { group: None }, Event::GroupLeft {});
}

#[test]
fn has_no_more_than_anybody_needs() {
    let place = DeliveryAddress { label: "Magazyn".parse().unwrap(), address: address() };
    let add = |number: usize| (AddressId(Uuid::from_u128(number as u128)), place.clone());
    let mut given = vec![registered()];
    given.extend((0..Company::MOST_ADDRESSES).map(|number| {
        let (id, place) = add(number);
        Event::DeliveryAddressAdded { id, place }
    }));
    let (id, place) = add(Company::MOST_ADDRESSES);
    let refused = Error::TooMany { what: "delivery addresses", most: Company::MOST_ADDRESSES };
    check(&given, Command::AddDeliveryAddress { id, place }, Err(refused));
}

#[test]
fn accounts_are_checked_on_the_white_list() {
    let account: Iban = "61109010140000071219812874".parse().unwrap();
    let known = Event::BankAccountAdded { account: account.clone() };
    let check_of = |on: &str, listed| Command::CheckBankAccount {
        account: account.clone(),
        list_of: day(on),
        listed,
    };
    let checked = |on: &str, listed| Event::BankAccountChecked {
        account: account.clone(),
        list_of: day(on),
        listed,
    };
    let found = Some(Listed::Active);
    check(&[registered()], check_of("2026-11-24", found), Err(Error::NoSuchAccount));
    let first = checked("2026-11-24", found);
    let given = [registered(), known.clone(), first.clone()];
    check(&given[..2], check_of("2026-11-24", found), Ok(vec![first]));
    check(&given, check_of("2026-11-24", found), Ok(vec![]));
    check(&given, check_of("2026-11-25", found), Ok(vec![checked("2026-11-25", found)]));
    check(&given, check_of("2026-11-24", None), Ok(vec![checked("2026-11-24", None)]));

    let abroad = Profile {
        tax_id: TaxId::Foreign {
            country: "DE".parse().unwrap(),
            number: "123456789".parse().unwrap(),
        },
        ..profile()
    };
    let abroad = Event::Registered { id: company(), profile: abroad, payment_term: TERM };
    check(&[abroad, known], check_of("2026-11-24", found), Err(Error::NotListable));
}

#[test]
fn buys_on_credit_on_its_own_terms() {
    let given = [registered()];
    let days = GraceDays::try_from(14).unwrap();
    assert!(GraceDays::try_from(366).is_err());
    let agreed = Event::CreditGraceAgreed { days };
    happens(&given, Command::AgreeCreditGrace { days }, agreed.clone());
    check(&given, Command::LiftCreditGrace, Ok(vec![]));
    let lifted = Event::CreditGraceLifted {};
    happens(&[registered(), agreed], Command::LiftCreditGrace, lifted);
    let required = Event::PrepaymentRequired {};
    happens(&given, Command::RequirePrepayment, required.clone());
    check(&given, Command::WaivePrepayment, Ok(vec![]));
    let waived = Event::PrepaymentWaived {};
    happens(&[registered(), required], Command::WaivePrepayment, waived);
    let minimum = pln("100.00");
    let agreed = Event::MinimumOrderAgreed { minimum };
    happens(&given, Command::AgreeMinimumOrder { minimum }, agreed.clone());
    let negative = Command::AgreeMinimumOrder { minimum: pln("-0.01") };
    check(&given, negative, Err(Error::NegativeMinimum));
    let lift = Command::LiftMinimumOrder { currency: Currency::Pln };
    check(&given, lift.clone(), Ok(vec![]));
    let lifted = Event::MinimumOrderLifted { currency: Currency::Pln };
    happens(&[registered(), agreed], lift, lifted);
}
