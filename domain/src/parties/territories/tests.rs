//! Every transition and refusal of territories, and that turns are fair.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    fixtures::{answer, company, day, person},
    parties::{Role, employee::Absence},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Territories>(given, when), then);
}

fn who(number: u128) -> EmployeeId {
    EmployeeId(Uuid::from_u128(number))
}

/// Somebody of sales.
fn seller(number: u128) -> Person {
    Person { company: None, role: Role::Sales, ..person(number) }
}

/// The same, while somebody else stands in for them.
fn absent(number: u128, substitute: u128) -> Person {
    let absence =
        Absence { substitute: who(substitute), from: day("2026-03-02"), until: day("2026-03-06") };
    Person { absence: Some(absence), ..seller(number) }
}

fn territory(name: &str, representatives: &[u128]) -> Territory {
    Territory {
        name: name.parse().unwrap(),
        groups: BTreeSet::new(),
        countries: BTreeSet::new(),
        postal_codes: BTreeSet::new(),
        companies: BTreeSet::new(),
        representatives: representatives.iter().copied().map(who).collect(),
    }
}

fn north() -> Territory {
    let postal_codes = ["80".parse().unwrap(), "81-3".parse().unwrap()].into();
    Territory { postal_codes, ..territory("Północ", &[1, 2]) }
}

fn map(territories: Vec<Territory>) -> Map {
    Map { territories, everywhere: vec![who(9)] }
}

/// A hotel in Gdańsk.
fn hotel() -> Inquirer {
    Inquirer {
        line: vec![company()],
        group: Some("hotels".parse().unwrap()),
        country: Some("PL".parse().unwrap()),
        postal_code: Some("80-001".parse().unwrap()),
    }
}

fn request(number: u128) -> QuotationRequestId {
    QuotationRequestId(Uuid::from_u128(number))
}

fn assign(number: u128, people: &[Person]) -> Command {
    let (request, inquirer) = (request(number), hotel());
    Command::Assign { request, inquirer, people: people.to_vec(), on: day("2026-03-04") }
}

fn assigned(number: u128, representative: u128, territory: Option<&str>) -> Event {
    Event::Assigned {
        request: request(number),
        representative: who(representative),
        territory: territory.map(|name| name.parse().unwrap()),
    }
}

#[test]
fn are_replaced() {
    let (north, none) = (map(vec![north()]), Map::default());
    let drawn = |map: &Map| Event::Drawn { map: map.clone() };
    let draw = |map: &Map| Command::Draw { map: map.clone() };
    check(&[], draw(&north), Ok(vec![drawn(&north)]));
    check(&[drawn(&north)], draw(&north), Ok(vec![]));
    check(&[drawn(&north)], draw(&none), Ok(vec![drawn(&none)]));
    check(&[], draw(&none), Ok(vec![]));
}

#[test]
fn are_bounded_and_tell_one_from_another() {
    let refuse = |map: Map, then| check(&[], Command::Draw { map }, Err(then));
    let one = || territory("A", &[1]);
    let second = |territory, flaw| {
        let first = self::territory("First", &[1]);
        refuse(map(vec![first, territory]), Error::Territory { place: 1, flaw });
    };
    second(territory("First", &[1]), Flaw::SameName);
    second(territory("A", &[]), Flaw::RepresentativeCount);
    second(territory("A", &[1, 2, 1]), Flaw::NamedTwice);
    let crowd: Vec<u128> = (0..=Territory::MOST_REPRESENTATIVES as u128).collect();
    second(territory("A", &crowd), Flaw::RepresentativeCount);
    let companies =
        (0..=Territory::MOST_NAMED as u128).map(|one| CompanyId(Uuid::from_u128(one))).collect();
    second(Territory { companies, ..one() }, Flaw::TooWide);
    let everywhere = |everywhere, flaw| {
        refuse(Map { territories: vec![], everywhere }, Error::Everywhere { flaw });
    };
    everywhere(vec![who(1); 2], Flaw::NamedTwice);
    everywhere(crowd.into_iter().map(who).collect(), Flaw::RepresentativeCount);
    let numbered = |number: usize| territory(&number.to_string(), &[1]);
    refuse(map((0..=Territories::MOST).map(numbered).collect()), Error::TooMany);
}

#[test]
fn fit_where_all_that_they_name_fits_and_the_company_itself_first() {
    let head = CompanyId(Uuid::from_u128(0xAD));
    let groups = |code: &str| BTreeSet::from([code.parse().unwrap()]);
    let countries = |code: &str| BTreeSet::from([code.parse().unwrap()]);
    let all = || territory("All", &[5]);
    let of = |company| Territory { companies: [company].into(), ..territory("Key", &[6]) };
    let at = |begin: &str| Territory { postal_codes: [begin.parse().unwrap()].into(), ..all() };
    let branch = || Inquirer { line: vec![company(), head], ..hotel() };
    let nowhere = || Inquirer { group: None, country: None, postal_code: None, ..hotel() };
    for (territories, inquirer, then) in [
        (vec![north(), all()], hotel(), 1),
        (vec![all(), north()], hotel(), 5),
        (vec![north(), all()], nowhere(), 5),
        (vec![north()], nowhere(), 9),
        (vec![], hotel(), 9),
        (vec![at("80-0")], hotel(), 5),
        (vec![at("80-00")], hotel(), 5),
        (vec![at("0-0")], hotel(), 9),
        (vec![at("81")], hotel(), 9),
        (vec![Territory { groups: groups("hotels"), ..all() }], hotel(), 5),
        (vec![Territory { groups: groups("shops"), ..all() }], hotel(), 9),
        // All that is named must fit.
        (vec![Territory { groups: groups("shops"), ..north() }], hotel(), 9),
        (vec![Territory { groups: groups("hotels"), ..north() }], hotel(), 1),
        (vec![Territory { countries: countries("PL"), ..north() }], hotel(), 1),
        (vec![Territory { countries: countries("DE"), ..north() }], hotel(), 9),
        // Whoever names the company, or else the nearest company above it, comes first.
        (vec![north(), of(company())], hotel(), 6),
        (vec![north(), of(head)], hotel(), 1),
        (vec![north(), of(head)], branch(), 6),
        (vec![Territory { companies: [head].into(), ..north() }, of(company())], branch(), 6),
        (vec![Territory { countries: countries("DE"), ..of(company()) }], hotel(), 9),
    ] {
        let drawn = Event::Drawn { map: map(territories.clone()) };
        let state = Territories::default().evolve(drawn);
        let people: Vec<Person> = [1, 2, 5, 6, 9].map(seller).into();
        let chosen = state.representative(&inquirer, &people, day("2026-03-04"));
        assert_eq!(chosen, Some(who(then)), "{territories:?} {inquirer:?}");
        assert!(state.candidates(&inquirer).any(|one| one == who(then)));
    }
}

#[test]
fn give_in_turn_to_those_who_are_there() {
    let drawn = Event::Drawn { map: map(vec![north()]) };
    let north = Some("Północ");
    let (first, second) = (assigned(7, 1, north), assigned(8, 2, north));
    let all = [1, 2, 9].map(seller);
    let check = |given: &[&Event], when, then: Option<Event>| {
        let given: Vec<Event> = given.iter().copied().cloned().collect();
        check(&given, when, Ok(then.into_iter().collect()));
    };
    check(&[&drawn], assign(7, &all), Some(first.clone()));
    check(&[&drawn, &first], assign(8, &all), Some(second.clone()));
    check(&[&drawn, &first, &second], assign(9, &all), Some(assigned(9, 1, north)));
    // The same request, asked again.
    check(&[&drawn, &first], assign(7, &all), None);
    // Who has left, or does not sell any more, is left out.
    check(&[&drawn], assign(7, &[seller(2), seller(9)]), Some(assigned(7, 2, north)));
    let clerk = Person { role: Role::Warehouse, ..seller(1) };
    check(&[&drawn], assign(7, &[clerk, seller(2)]), Some(assigned(7, 2, north)));
    let elsewhere = Person { company: Some(company()), ..seller(1) };
    check(&[&drawn], assign(7, &[elsewhere, seller(2)]), Some(assigned(7, 2, north)));
    // Their substitute takes it, if there, and unless that is one of the others.
    check(&[&drawn], assign(7, &[absent(1, 3), seller(3)]), Some(assigned(7, 3, north)));
    check(&[&drawn], assign(7, &[absent(1, 2), seller(2)]), Some(assigned(7, 2, north)));
    let both = [absent(1, 3), absent(3, 4), seller(4), seller(2)];
    check(&[&drawn], assign(7, &both), Some(assigned(7, 2, north)));
    check(&[&drawn], assign(7, &[absent(1, 3), seller(2)]), Some(assigned(7, 2, north)));
    // With nobody there, those for everywhere.
    check(&[&drawn], assign(7, &[absent(1, 3), seller(9)]), Some(assigned(7, 9, None)));
    check(&[&drawn], assign(7, &[]), None);
    check(&[], assign(7, &all), None);
    // Rotation continues when territories are replaced, and restarts in other ones.
    let wider = Event::Drawn { map: map(vec![territory("Północ", &[1, 2, 3])]) };
    let more = [1, 2, 3].map(seller);
    check(&[&drawn, &first, &wider], assign(8, &more), Some(second.clone()));
    check(&[&drawn, &first, &second, &wider], assign(9, &more), Some(assigned(9, 3, north)));
    let other = Event::Drawn { map: map(vec![territory("Inna", &[1, 2])]) };
    check(&[&drawn, &first, &other], assign(8, &all), Some(assigned(8, 1, Some("Inna"))));
    // On the days before and after, they are there themselves.
    for (on, then) in [("2026-03-01", 1), ("2026-03-02", 3), ("2026-03-06", 3), ("2026-03-07", 1)] {
        let state = Territories::default().evolve(drawn.clone());
        let people = [absent(1, 3), seller(3)];
        assert_eq!(state.representative(&hotel(), &people, day(on)), Some(who(then)), "{on}");
    }
}

/// How somebody of six stands to the requests: there, gone, or away with another in their stead.
fn crew() -> impl Strategy<Value = Vec<Person>> {
    let one = |number: u128| {
        prop_oneof![
            4 => Just(Some(seller(number))),
            1 => Just(None),
            2 => (0..8_u128).prop_map(move |other| Some(absent(number, other))),
        ]
    };
    (0..8_u128).map(one).collect::<Vec<_>>().prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    /// Of n requests in one territory, each of the k who are there gets n/k, rounded down or up,
    /// whatever happens in another territory with the same people meanwhile.
    #[test]
    fn nobody_gets_more_than_their_share(
        people in crew(),
        representatives in proptest::sample::subsequence((0..8).collect::<Vec<u128>>(), 1..=6),
        elsewhere in proptest::collection::vec(any::<bool>(), 0..60),
    ) {
        let on = day("2026-03-04");
        let abroad = Territory {
            countries: [CountryCode::try_from("DE".to_owned()).unwrap()].into(),
            ..territory("Abroad", &representatives)
        };
        let drawn = Map {
            territories: vec![abroad, territory("Home", &representatives)],
            everywhere: vec![],
        };
        let mut state = Territories::default().evolve(Event::Drawn { map: drawn });
        let foreign = Inquirer { country: Some("DE".parse().unwrap()), ..hotel() };
        let mut shares: BTreeMap<EmployeeId, usize> = BTreeMap::new();
        for (number, is_elsewhere) in elsewhere.iter().enumerate() {
            let inquirer = if *is_elsewhere { foreign.clone() } else { hotel() };
            let request = request(number as u128);
            let people = people.clone();
            let command = Command::Assign { request, inquirer, people, on };
            for event in state.decide(command).unwrap() {
                state = state.evolve(event);
            }
            if let Some(representative) = state.assigned(request).filter(|_| !is_elsewhere) {
                *shares.entry(representative).or_default() += 1;
            }
        }
        // Who is there, said another way: all at work, and those who stand in for others.
        let is_there = |id: EmployeeId| {
            people.iter().any(|one| one.id == id && one.substitute(on).is_none())
        };
        let mut there = BTreeSet::new();
        for id in representatives.iter().copied().map(who) {
            let Some(one) = people.iter().find(|one| one.id == id) else { continue };
            let taker = one.substitute(on).unwrap_or(id);
            if is_there(taker) {
                there.insert(taker);
            }
        }
        let requests = elsewhere.iter().filter(|is_elsewhere| !**is_elsewhere).count();
        if there.is_empty() {
            prop_assert!(shares.is_empty());
        } else {
            prop_assert_eq!(shares.values().sum::<usize>(), requests);
            let (least, most) = (requests / there.len(), requests.div_ceil(there.len()));
            for id in &there {
                let share = shares.get(id).copied().unwrap_or_default();
                prop_assert!((least..=most).contains(&share), "{} got {} of {}", id, share, requests);
            }
        }
    }
}
