//! Every transition and refusal of an employee.

use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{answer, company, day, person, pln},
    kernel::{CostCentre, Destination},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Employee>(given, when), then);
}

fn id() -> EmployeeId {
    EmployeeId(Uuid::from_u128(1))
}

fn engaged(company: Option<CompanyId>, role: Role) -> Event {
    Event::Engaged { id: id(), company, profile: person(1).profile, role }
}

fn engage(company: Option<CompanyId>, role: Role) -> Command {
    Command::Engage { id: id(), company, profile: person(1).profile, role }
}

fn purchaser() -> Event {
    engaged(Some(company()), Role::Purchaser)
}

fn salesman() -> Event {
    engaged(None, Role::Sales)
}

#[test]
fn is_engaged_in_a_role_of_its_side_and_leaves() {
    check(&[], engage(Some(company()), Role::Purchaser), Ok(vec![purchaser()]));
    check(&[], engage(None, Role::Sales), Ok(vec![salesman()]));
    check(&[], engage(None, Role::Approver), Err(Error::RoleDoesNotFit));
    check(&[], engage(Some(company()), Role::Admin), Err(Error::RoleDoesNotFit));
    check(&[purchaser()], engage(None, Role::Sales), Err(Error::AlreadyEngaged));
    let assign = |role| Command::AssignRole { role };
    let assigned = Event::RoleAssigned { role: Role::Approver };
    check(&[], assign(Role::Approver), Err(Error::Unengaged));
    check(&[purchaser()], assign(Role::Approver), Ok(vec![assigned]));
    check(&[purchaser()], assign(Role::Purchaser), Ok(vec![]));
    check(&[purchaser()], assign(Role::Sales), Err(Error::RoleDoesNotFit));
    check(&[purchaser()], Command::Leave, Ok(vec![Event::Left {}]));
    check(&[purchaser(), Event::Left {}], Command::Leave, Ok(vec![]));
    check(&[purchaser(), Event::Left {}], assign(Role::Approver), Err(Error::Left));
    check(&[purchaser(), Event::Left {}], engage(None, Role::Sales), Err(Error::AlreadyEngaged));
    let profile = Profile { email: "jan@nowy.pl".parse().unwrap(), ..person(1).profile };
    let note = Command::NoteProfile { profile: profile.clone() };
    let noted = Event::ProfileNoted { profile };
    check(&[purchaser()], note.clone(), Ok(vec![noted.clone()]));
    check(&[purchaser(), noted], note, Ok(vec![]));
}

#[test]
fn has_limits_of_its_side() {
    let grant = |amount: &str| Command::GrantLimit { per: Period::Day, limit: pln(amount) };
    let granted = Event::LimitGranted { per: Period::Day, limit: pln("100.00") };
    let lift = Command::LiftLimit { per: Period::Day, currency: Currency::Pln };
    let lifted = Event::LimitLifted { per: Period::Day, currency: Currency::Pln };
    check(&[purchaser()], grant("100.00"), Ok(vec![granted.clone()]));
    check(&[purchaser(), granted.clone()], grant("100.00"), Ok(vec![]));
    check(&[purchaser()], grant("-0.01"), Err(Error::NegativeLimit));
    check(&[salesman()], grant("100.00"), Err(Error::LimitDoesNotFit));
    check(&[purchaser()], lift.clone(), Ok(vec![]));
    check(&[purchaser(), granted.clone()], lift, Ok(vec![lifted.clone()]));
    let limit = |given: &[Event], currency| {
        let employee = given.iter().cloned().fold(Employee::default(), Employee::evolve);
        employee.person().unwrap().limit(Period::Day, currency)
    };
    assert_eq!(limit(&[purchaser()], Currency::Pln), None);
    assert_eq!(limit(&[purchaser(), granted.clone()], Currency::Pln), Some(pln("100.00")));
    let none = Some(Money::zero(Currency::Eur));
    assert_eq!(limit(&[purchaser(), granted.clone()], Currency::Eur), none);
    assert_eq!(limit(&[purchaser(), granted, lifted], Currency::Eur), None);

    let of = |percent: &str| DiscountLimit::UpTo { percent: percent.parse().unwrap() };
    let (ten, command) = (of("10"), Command::LimitDiscount { limit: of("10") });
    check(&[salesman()], command.clone(), Ok(vec![Event::DiscountLimited { limit: ten }]));
    check(&[salesman(), Event::DiscountLimited { limit: ten }], command.clone(), Ok(vec![]));
    check(&[purchaser()], command, Err(Error::LimitDoesNotFit));
    for (limit, discount, is_allowed) in [
        (ten, "10", true),
        (ten, "10.01", false),
        (DiscountLimit::Free, "100", true),
        (DiscountLimit::Nothing, "0.01", false),
    ] {
        assert_eq!(limit.allows(discount.parse().unwrap()), is_allowed, "{limit:?} {discount}");
    }
}

#[test]
fn orders_only_for_what_was_named() {
    let kitchen: CostCentre = "Kuchnia".parse().unwrap();
    let scope = Scope { cost_centres: [kitchen.clone()].into(), ..Scope::default() };
    let restrict = |scope| Command::Restrict { scope };
    let restricted = Event::Restricted { scope: scope.clone() };
    check(&[purchaser()], restrict(scope.clone()), Ok(vec![restricted.clone()]));
    check(&[purchaser(), restricted], restrict(scope.clone()), Ok(vec![]));
    let many = (0..=Scope::MOST).map(|number| number.to_string().parse().unwrap()).collect();
    let wide = Scope { cost_centres: many, ..Scope::default() };
    check(&[purchaser()], restrict(wide), Err(Error::ScopeTooWide));
    let to = |cost_centre| Destination { cost_centre, address: None };
    let outside = Err(Error::OutsideScope { what: "cost centres" });
    assert_eq!(scope.admits(&to(Some(kitchen))), Ok(()));
    assert_eq!(scope.admits(&to(None)), outside);
    assert_eq!(scope.admits(&to(Some("Bar".parse().unwrap()))), outside);
    assert_eq!(Scope::default().admits(&to(None)), Ok(()));
}

#[test]
fn is_replaced_by_somebody_else_for_some_days() {
    let other = EmployeeId(Uuid::from_u128(2));
    let absence =
        |substitute, until| Absence { substitute, from: day("2026-03-02"), until: day(until) };
    let name = |absence| Command::NameSubstitute { absence };
    let named = Event::SubstituteNamed { absence: absence(other, "2026-03-03") };
    check(&[purchaser()], name(absence(other, "2026-03-03")), Ok(vec![named.clone()]));
    check(&[purchaser(), named.clone()], name(absence(other, "2026-03-03")), Ok(vec![]));
    check(&[purchaser()], name(absence(id(), "2026-03-03")), Err(Error::OwnSubstitute));
    check(&[purchaser()], name(absence(other, "2026-03-01")), Err(Error::EndsBeforeItBegins));
    check(&[purchaser()], name(absence(other, "9999-01-01")), Err(Error::Day(DayError)));
    let dismissed = Event::SubstituteDismissed {};
    check(&[purchaser()], Command::DismissSubstitute, Ok(vec![]));
    check(&[purchaser(), named], Command::DismissSubstitute, Ok(vec![dismissed]));
    let mut away = person(1);
    away.absence = Some(absence(other, "2026-03-03"));
    for (on, is_replaced) in
        [("2026-03-01", false), ("2026-03-02", true), ("2026-03-03", true), ("2026-03-04", false)]
    {
        assert_eq!(away.is_replaced_by(other, day(on)), is_replaced, "{on}");
    }
    assert!(!away.is_replaced_by(EmployeeId(Uuid::from_u128(3)), day("2026-03-02")));
}
