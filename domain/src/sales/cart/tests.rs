//! Every transition and refusal of a cart.

use uuid::Uuid;

use super::*;
use crate::{
    catalogue::product::Packing,
    fixtures::{answer, buyer, company},
    kernel::ProductId,
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Cart>(given, when), then);
}

fn head() -> Head {
    Head {
        company: company(),
        owner: buyer(),
        name: "Kuchnia".parse().unwrap(),
        currency: Currency::Pln,
        shared: false,
    }
}

fn opened() -> Event {
    Event::Opened { head: head() }
}

fn wanted(product: u128, quantity: &str) -> Wanted {
    Wanted {
        product: ProductId(Uuid::from_u128(product)),
        sku: "HK-1".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        packaging: None,
        note: None,
        packing: Packing::default(),
        prices: vec![],
    }
}

fn line(line: u32, product: u128, quantity: &str) -> PurchaseLine {
    PurchaseLine {
        line,
        product: ProductId(Uuid::from_u128(product)),
        sku: "HK-1".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        packaging: None,
        note: None,
        unit_price: None,
    }
}

fn add(wanted: Vec<Wanted>) -> Command {
    Command::Add { wanted, mode: Mode::Add }
}

/// Two lines.
fn filled() -> Vec<Event> {
    vec![opened(), Event::LinesAdded { lines: vec![line(1, 1, "2"), line(2, 2, "1")] }]
}

fn order() -> OrderId {
    OrderId(Uuid::from_u128(0x0D))
}

fn other() -> CartId {
    CartId(Uuid::from_u128(0xCA))
}

#[test]
fn is_opened_once() {
    check(&[], Command::Open { head: head() }, Ok(vec![opened()]));
    check(&[opened()], Command::Open { head: head() }, Ok(vec![]));
    let shared = Head { shared: true, ..head() };
    check(&[opened()], Command::Open { head: shared }, Err(Error::AlreadyOpened));
    check(&[], add(vec![wanted(1, "1")]), Err(Error::Unopened));
}

#[test]
fn is_renamed_and_shared() {
    let name = || "Biuro".parse().unwrap();
    let renamed = Event::Renamed { name: name() };
    check(&[opened()], Command::Rename { name: name() }, Ok(vec![renamed.clone()]));
    check(&[opened(), renamed], Command::Rename { name: name() }, Ok(vec![]));
    let shared = [opened(), Event::Shared {}];
    check(&[opened()], Command::Share, Ok(vec![Event::Shared {}]));
    check(&shared, Command::Share, Ok(vec![]));
    check(&shared, Command::Unshare { by: buyer() }, Ok(vec![Event::Unshared {}]));
    let by = ActorId(Uuid::from_u128(0xB2));
    check(&shared, Command::Unshare { by }, Err(Error::NotTheOwner));
    check(&[opened()], Command::Unshare { by: buyer() }, Ok(vec![]));
}

#[test]
fn is_filled_with_one_event_for_many_lines() {
    let lines = vec![line(1, 1, "2"), line(2, 2, "1")];
    let rows = vec![wanted(1, "2"), wanted(2, "1")];
    check(&[opened()], add(rows), Ok(vec![Event::LinesAdded { lines }]));
    let rows = vec![wanted(3, "1"), wanted(1, "1")];
    let then = vec![
        Event::LinesAdded { lines: vec![line(3, 3, "1")] },
        Event::LinesChanged { lines: vec![line(1, 1, "3")] },
    ];
    check(&filled(), add(rows), Ok(then));
    check(&filled(), add(vec![]), Ok(vec![]));
    let replace = Command::Add { wanted: vec![wanted(1, "2")], mode: Mode::Replace };
    check(&filled(), replace, Ok(vec![]));
}

#[test]
fn its_lines_are_changed_and_removed() {
    let change = |number, product, quantity: &str| Command::Change {
        lines: vec![(number, wanted(product, quantity))],
    };
    let changed = vec![Event::LinesChanged { lines: vec![line(2, 2, "7")] }];
    check(&filled(), change(2, 2, "7"), Ok(changed));
    check(&filled(), change(2, 2, "1"), Ok(vec![]));
    let missing = purchase_lines::Error::NoSuchLine { line: 3 };
    check(&filled(), change(3, 2, "1"), Err(missing.into()));
    let remove = |lines: &[u32]| Command::Remove { lines: lines.to_vec() };
    check(&filled(), remove(&[2, 9]), Ok(vec![Event::LinesRemoved { lines: vec![2] }]));
    check(&filled(), remove(&[9]), Ok(vec![]));
    check(&filled(), Command::Clear, Ok(vec![Event::Cleared {}]));
    check(&[opened()], Command::Clear, Ok(vec![]));
}

#[test]
fn is_ordered_whole_or_in_part() {
    let order_of = |lines: Option<&[u32]>| Command::Order {
        order: order(),
        lines: lines.map(<[u32]>::to_vec),
    };
    let ordered = Event::Ordered { order: order() };
    check(&filled(), order_of(None), Ok(vec![ordered.clone()]));
    check(&filled(), order_of(Some(&[2, 1])), Ok(vec![ordered.clone()]));
    let part = Event::PartOrdered { order: order(), lines: vec![2] };
    check(&filled(), order_of(Some(&[2])), Ok(vec![part.clone()]));
    check(&filled(), order_of(Some(&[])), Err(Error::Empty));
    check(&[opened()], order_of(None), Err(Error::Empty));
    let missing = purchase_lines::Error::NoSuchLine { line: 2 };
    let after_part: Vec<Event> = filled().into_iter().chain([part]).collect();
    check(&after_part, order_of(Some(&[2])), Err(missing.into()));
    let closed: Vec<Event> = filled().into_iter().chain([ordered]).collect();
    check(&closed, order_of(None), Ok(vec![]));
    check(&closed, add(vec![wanted(1, "1")]), Err(Error::Closed));
    check(&closed, Command::Discard, Err(Error::Closed));
}

#[test]
fn is_closed_for_good() {
    let request = QuotationRequestId(Uuid::from_u128(0x9));
    for (command, event) in [
        (Command::Discard, Event::Discarded {}),
        (Command::Merge { into: other() }, Event::Merged { into: other() }),
        (Command::Request { request }, Event::QuotationRequested { request }),
    ] {
        check(&filled(), command.clone(), Ok(vec![event.clone()]));
        let closed: Vec<Event> = filled().into_iter().chain([event]).collect();
        check(&closed, command.clone(), Ok(vec![]));
        let order = Command::Order { order: order(), lines: None };
        check(&closed, order, Err(Error::Closed));
        check(&[], command, Err(Error::Unopened));
    }
}

#[test]
fn a_private_cart_is_shown_to_its_owner_alone() {
    let after = |events: &[Event]| events.iter().cloned().fold(Cart::default(), Cart::evolve);
    let other = ActorId(Uuid::from_u128(0xB2));
    let check = |events: &[Event], owner: bool, others: bool| {
        let cart = after(events);
        assert_eq!((cart.is_shown_to(buyer()), cart.is_shown_to(other)), (owner, others));
    };
    check(&[], false, false);
    check(&[opened()], true, false);
    check(&[opened(), Event::Shared {}], true, true);
    check(&[opened(), Event::Discarded {}], true, false);
    check(&[opened(), Event::Shared {}, Event::Discarded {}], true, true);
}
