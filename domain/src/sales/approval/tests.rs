//! Which rules apply, and who may speak: cases, and what holds whatever people and rules there are.

use proptest::{prelude::*, sample::select};
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{company, day, person, pln},
    kernel::Currency,
    parties::employee::{Absence, DiscountLimit},
};

fn company_at(number: u128) -> CompanyId {
    CompanyId(Uuid::from_u128(0xC0 + number))
}

fn id(number: u128) -> EmployeeId {
    EmployeeId(Uuid::from_u128(number))
}

fn matter(net: Money) -> Matter {
    Matter {
        net,
        categories: [CategoryId(Uuid::from_u128(7)), CategoryId(Uuid::from_u128(8))].into(),
        address: Some(AddressId(Uuid::from_u128(9))),
        cost_centre: Some("Kuchnia".parse().unwrap()),
        discount: Some("12.5".parse().unwrap()),
    }
}

#[test]
fn a_rule_applies_where_all_that_it_says_fits() {
    let any = Condition::default;
    let above = |sums: &[Money]| Condition { above: sums.to_vec(), ..any() };
    let euros = |text: &str| Money::parse(text, Currency::Eur).unwrap();
    let category =
        |number| Condition { categories: [CategoryId(Uuid::from_u128(number))].into(), ..any() };
    let address =
        |number| Condition { addresses: [AddressId(Uuid::from_u128(number))].into(), ..any() };
    let centre = |name: &str| Condition { cost_centres: [name.parse().unwrap()].into(), ..any() };
    let discount = |most: &str| Condition { discount_above: Some(most.parse().unwrap()), ..any() };
    let both = Condition { above: vec![pln("99.00")], ..category(1) };
    for (when, fits) in [
        (any(), true),
        (above(&[pln("99.99")]), true),
        (above(&[pln("100.00")]), false),
        // A sum in another currency does not slip through.
        (above(&[euros("1000.00")]), true),
        (above(&[euros("1.00"), pln("100.00")]), false),
        (category(8), true),
        (category(1), false),
        (address(9), true),
        (address(1), false),
        (centre("Kuchnia"), true),
        (centre("KUCHNIA"), true),
        (centre("Bar"), false),
        (discount("12.49"), true),
        (discount("12.5"), false),
        (both, false),
    ] {
        assert_eq!(when.fits(&matter(pln("100.00"))), fits, "{when:?}");
    }
    let bare = Matter { address: None, cost_centre: None, discount: None, ..matter(pln("1.00")) };
    for when in [address(9), centre("Kuchnia"), discount("1")] {
        assert!(!when.fits(&bare), "{when:?}");
    }
}

fn asks(by: Who) -> Step {
    Step { by, escalation: None }
}

#[test]
fn a_request_asks_each_step_once_and_a_superior_when_only_a_limit_is_passed() {
    let role = |role| Who::Role { role };
    let approver = asks(role(Role::Approver));
    let admin = asks(role(Role::CompanyAdmin));
    let rule = |name: &str, above: &str, steps: &[&Step]| Rule {
        name: name.parse().unwrap(),
        when: Condition { above: vec![pln(above)], ..Condition::default() },
        steps: steps.iter().copied().cloned().collect(),
    };
    let rules = [
        rule("A", "10.00", &[&approver]),
        rule("B", "50.00", &[&approver, &admin]),
        rule("C", "500.00", &[&admin, &approver]),
    ];
    let limit = || Reason::Limit { per: Period::Day, limit: pln("5.00") };
    let ask = |net: &str, limits: Vec<Reason>| {
        let who = (Some(id(1)), Timestamp::UNIX_EPOCH);
        Request::about(&matter(pln(net)), &rules, limits, Role::Approver, who)
    };
    assert_eq!(ask("10.00", vec![]), None);
    let request = ask("10.00", vec![limit()]).unwrap();
    assert_eq!((request.reasons, request.steps), (vec![limit()], vec![approver.clone()]));
    let named = |name: &str| Reason::Rule { name: name.parse().unwrap() };
    let request = ask("100.00", vec![limit()]).unwrap();
    assert_eq!(request.reasons, [limit(), named("A"), named("B")]);
    assert_eq!(request.steps, [approver, admin]);
}

/// People of three companies, the second and third above the first, and of the seller.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let one = (
        prop::option::weighted(0.9, 0_u128..4),
        select(Role::ALL.to_vec()),
        prop::option::of(1_i64..200),
        prop::option::of(0_u128..8),
        any::<bool>(),
    );
    prop::collection::vec(one, 8).prop_map(|all| {
        let people = (0_u128..).zip(all).map(|(number, one)| {
            let (company_number, role, limit, substitute, is_away) = one;
            let mut person = person(number);
            person.company = company_number.map(company_at);
            person.role = role;
            if let Some(amount) = limit {
                let limit = Money::new(amount.into(), Currency::Pln).unwrap();
                person.limits.entry(Period::Order).or_default().insert(Currency::Pln, limit);
            }
            let until = day(if is_away { "2026-03-31" } else { "2026-03-01" });
            let other = substitute.filter(|&other| other != number);
            person.absence = other.map(|other| Absence {
                substitute: id(other),
                from: day("2026-03-01"),
                until,
            });
            person
        });
        people.collect()
    })
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        select(vec![Role::Approver, Role::CompanyAdmin]).prop_map(|role| Who::Role { role }),
        (0_u128..8).prop_map(|number| Who::Employee { employee: id(number) }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (who(), prop::option::of((1_u32..100, who()))).prop_map(|(by, escalation)| {
        let escalation = escalation.map(|(after_minutes, to)| Escalation { after_minutes, to });
        Step { by, escalation }
    });
    prop::collection::vec(step, 1..4)
}

fn request(by: Option<u128>, net: i64, steps: Vec<Step>) -> Request {
    let net = Money::new(net.into(), Currency::Pln).unwrap();
    let (by, at) = (by.map(id), Timestamp::UNIX_EPOCH);
    Request { by, at, net, discount: None, reasons: vec![], steps }
}

fn companies() -> Vec<CompanyId> {
    vec![company_at(0), company_at(1), company_at(2)]
}

fn speaker(by: &Person, people: &[Person]) -> Speaker {
    Speaker { by: by.clone(), absent: people.to_vec(), gone: vec![], today: day("2026-03-15") }
}

fn verdict(step: u32, by: &Person, people: &[Person]) -> Verdict {
    let speaker = Box::new(speaker(by, people));
    Verdict {
        step,
        asked_at: None,
        speaker,
        companies: companies(),
        at: Timestamp::UNIX_EPOCH,
        note: None,
    }
}

/// Whether somebody could answer without anybody's help.
fn by_themselves(pending: &Pending, person: &Person) -> bool {
    pending.power_of(&speaker(person, &[]), &companies()) == Ok(None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever is asked and whoever answers: nobody has a say in a request of their own, steps
    /// come one after the other, and each decision is by somebody who was asked, or by the one
    /// whom somebody who was asked has named; nobody but people of the company and of those above it.
    #[test]
    fn every_decision_is_somebodys_who_was_asked(
        people in people(),
        steps in steps(),
        by in prop::option::of(0_u128..8),
        net in 1_i64..200,
        answers in prop::collection::vec((0_usize..8, any::<bool>()), 0..30),
    ) {
        let count = steps.len();
        let mut pending = Pending::new(request(by, net, steps));
        for (index, is_late) in answers {
            if is_late && pending.escalate(Timestamp::MAX).is_ok() {
                pending = pending.escalated();
            }
            let (person, step) = (&people[index], pending.step());
            let Ok(Some(decision)) = pending.answer(verdict(step, person, &people)) else { continue };
            prop_assert_ne!(Some(decision.by), pending.request.by);
            prop_assert_eq!((decision.by, decision.step), (person.id, step));
            let speaks = match decision.standing_in_for {
                None => person,
                Some(absent) => {
                    let absent = people.iter().find(|other| other.id == absent).unwrap();
                    prop_assert!(absent.is_replaced_by(person.id, day("2026-03-15")));
                    prop_assert_ne!(Some(absent.id), pending.request.by);
                    absent
                }
            };
            prop_assert!(by_themselves(&pending, speaks), "no more power than who is away");
            prop_assert!([0, 1, 2].map(company_at).map(Some).contains(&speaks.company));
            let is_last = pending.is_last();
            pending = pending.after(decision);
            if is_last {
                prop_assert_eq!(pending.decisions.len(), count);
                break;
            }
        }
    }

    /// Naming a substitute, and escalating, never takes a say from anybody who has one.
    #[test]
    fn nobody_loses_a_say(
        people in people(),
        steps in steps(),
        by in prop::option::of(0_u128..8),
        net in 1_i64..200,
        absence in (0_usize..8, 0_u128..8),
    ) {
        let pending = Pending::new(request(by, net, steps));
        let mut others = people.clone();
        others[absence.0].absence =
            Some(Absence { substitute: id(absence.1), from: day("2026-03-01"), until: day("2026-03-31") });
        for person in people.iter().filter(|person| by_themselves(&pending, person)) {
            prop_assert!(pending.power_of(&speaker(person, &others), &companies()).is_ok());
            prop_assert!(pending.clone().escalated().power_of(&speaker(person, &people), &companies()).is_ok());
        }
    }

    /// A step escalates when its time is over, and not before.
    #[test]
    fn escalates_only_when_it_takes_too_long(minutes in 1_u32..10_000, seconds in 0_i64..1_200_000) {
        let to = Who::Role { role: Role::CompanyAdmin };
        let escalation = Some(Escalation { after_minutes: minutes, to });
        let step = Step { by: Who::Role { role: Role::Approver }, escalation };
        let pending = Pending::new(request(None, 1, vec![step]));
        let is_late = seconds >= i64::from(minutes) * 60;
        let now = Timestamp::from_second(seconds).unwrap();
        prop_assert_eq!(pending.escalate(now).is_ok(), is_late);
        prop_assert_eq!(pending.clone().escalated().escalate(now), Err(Error::NotOverdue));
    }

    /// Another rule asks for more, never for less.
    #[test]
    fn another_rule_never_asks_for_less(
        sums in prop::collection::vec((1_i64..100, steps()), 0..6),
        net in 1_i64..100,
        at in any::<prop::sample::Index>(),
    ) {
        let rules: Vec<Rule> = sums.into_iter().map(|(sum, steps)| Rule {
            name: "Reguła".parse().unwrap(),
            when: Condition {
                above: vec![Money::new(sum.into(), Currency::Pln).unwrap()],
                ..Condition::default()
            },
            steps,
        }).collect();
        prop_assume!(!rules.is_empty());
        let mut fewer = rules.clone();
        fewer.remove(at.index(rules.len()));
        let matter = matter(Money::new(net.into(), Currency::Pln).unwrap());
        let asked = |rules: &[Rule]| {
            let who = (None, Timestamp::UNIX_EPOCH);
            let request = Request::about(&matter, rules, vec![], Role::Approver, who);
            request.map_or(vec![], |request| request.steps)
        };
        let more = asked(&rules);
        prop_assert!(asked(&fewer).iter().all(|step| more.contains(step)));
    }
}

#[test]
fn who_answers_for_the_seller_has_a_limit_on_discounts() {
    let mut manager = person(1);
    (manager.company, manager.role) = (None, Role::SalesManager);
    let step = asks(Who::Role { role: Role::SalesManager });
    let request = Request { discount: Some("15".parse().unwrap()), ..request(None, 1, vec![step]) };
    let pending = Pending::new(request);
    let ask = |manager: &Person, companies: &[CompanyId]| {
        pending.power_of(&speaker(manager, &[]), companies)
    };
    assert_eq!(ask(&manager, &[]), Ok(None));
    assert_eq!(ask(&manager, &[company()]), Err(Error::NotAsked { step: 1 }));
    manager.discount = DiscountLimit::UpTo { percent: "14.99".parse().unwrap() };
    assert_eq!(ask(&manager, &[]), Err(Error::BeyondTheirLimit));
}

#[test]
fn who_has_read_something_else_has_not_answered() {
    let asked_at = Timestamp::UNIX_EPOCH;
    let pending = Pending::new(request(None, 1, vec![asks(Who::Role { role: Role::Approver })]));
    let mut approver = person(1);
    approver.role = Role::Approver;
    let answer = |read| {
        let verdict = Verdict { asked_at: read, ..verdict(1, &approver, &[]) };
        pending.answer(verdict).map(|decision| decision.is_some())
    };
    let before = asked_at - jiff::SignedDuration::from_mins(1);
    assert_eq!(answer(Some(before)), Err(Error::OtherRequest { at: asked_at }));
    assert_eq!(answer(Some(asked_at)), Ok(true));
    assert_eq!(answer(None), Ok(true));
}

#[test]
fn for_somebody_who_has_left_the_admins_answer() {
    let named = asks(Who::Employee { employee: id(7) });
    let pending = Pending::new(request(Some(3), 1, vec![named]));
    let ask = |number, company, role, gone: &[EmployeeId], companies: &[CompanyId]| {
        let by = Person { company, role, ..person(number) };
        let speaker = Speaker { gone: gone.to_vec(), ..speaker(&by, &[]) };
        pending.power_of(&speaker, companies)
    };
    let (companies, not_asked) = (companies(), Err(Error::NotAsked { step: 1 }));
    let (here, gone) = (Some(company_at(0)), [id(7)]);
    assert_eq!(ask(1, here, Role::CompanyAdmin, &[], &companies), not_asked);
    assert_eq!(ask(1, here, Role::CompanyAdmin, &[id(8)], &companies), not_asked);
    assert_eq!(ask(1, here, Role::CompanyAdmin, &gone, &companies), Ok(None));
    assert_eq!(ask(1, Some(company_at(2)), Role::CompanyAdmin, &gone, &companies), Ok(None));
    assert_eq!(ask(1, Some(company_at(9)), Role::CompanyAdmin, &gone, &companies), not_asked);
    assert_eq!(ask(1, here, Role::Approver, &gone, &companies), not_asked);
    assert_eq!(ask(3, here, Role::CompanyAdmin, &gone, &companies), Err(Error::OwnRequest));
    assert_eq!(ask(1, None, Role::Admin, &gone, &[]), Ok(None));
    assert_eq!(ask(1, None, Role::SalesManager, &gone, &[]), not_asked);
}
