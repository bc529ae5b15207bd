//! Every transition and refusal of an order list.

use uuid::Uuid;

use super::*;
use crate::{
    catalogue::product::Packing,
    fixtures::{answer, buyer, company},
    kernel::ProductId,
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<OrderList>(given, when), then);
}

fn head() -> Head {
    let name = "Co tydzień".parse().unwrap();
    Head { company: company(), owner: buyer(), name, shared: true }
}

fn made() -> Event {
    Event::Made { head: head() }
}

fn wanted(quantity: &str) -> Wanted {
    Wanted {
        product: ProductId(Uuid::from_u128(1)),
        sku: "HK-1".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        packaging: None,
        note: None,
        packing: Packing::default(),
        prices: vec![],
    }
}

fn line(quantity: &str) -> PurchaseLine {
    PurchaseLine {
        line: 1,
        product: ProductId(Uuid::from_u128(1)),
        sku: "HK-1".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        packaging: None,
        note: None,
        unit_price: None,
    }
}

#[test]
fn is_made_once_and_discarded_for_good() {
    check(&[], Command::Make { head: head() }, Ok(vec![made()]));
    check(&[made()], Command::Make { head: head() }, Ok(vec![]));
    let private = Head { shared: false, ..head() };
    check(&[made()], Command::Make { head: private }, Err(Error::AlreadyMade));
    check(&[], Command::Discard, Err(Error::Unmade));
    check(&[made()], Command::Discard, Ok(vec![Event::Discarded {}]));
    let discarded = [made(), Event::Discarded {}];
    check(&discarded, Command::Discard, Ok(vec![]));
    check(&discarded, Command::Share, Err(Error::Discarded));
    check(&discarded, Command::Make { head: head() }, Err(Error::AlreadyMade));
}

#[test]
fn is_renamed_and_made_private() {
    let name = || "Co miesiąc".parse().unwrap();
    let renamed = Event::Renamed { name: name() };
    check(&[made()], Command::Rename { name: name() }, Ok(vec![renamed.clone()]));
    check(&[made(), renamed], Command::Rename { name: name() }, Ok(vec![]));
    let by = ActorId(Uuid::from_u128(0xB2));
    check(&[made()], Command::Share, Ok(vec![]));
    check(&[made()], Command::Unshare { by }, Err(Error::NotTheOwner));
    check(&[made()], Command::Unshare { by: buyer() }, Ok(vec![Event::Unshared {}]));
    let private = [made(), Event::Unshared {}];
    check(&private, Command::Unshare { by: buyer() }, Ok(vec![]));
    check(&private, Command::Share, Ok(vec![Event::Shared {}]));
}

#[test]
fn its_lines_are_added_changed_and_removed() {
    let add = |mode| Command::Add { wanted: vec![wanted("2")], mode };
    let added = Event::LinesAdded { lines: vec![line("2")] };
    let changed = Event::LinesChanged { lines: vec![line("4")] };
    let kept = [made(), added.clone()];
    check(&[made()], add(Mode::Add), Ok(vec![added]));
    check(&kept, add(Mode::Add), Ok(vec![changed.clone()]));
    check(&kept, add(Mode::Replace), Ok(vec![]));
    check(&kept, Command::Change { lines: vec![(1, wanted("4"))] }, Ok(vec![changed]));
    let remove = |lines: &[u32]| Command::Remove { lines: lines.to_vec() };
    check(&kept, remove(&[1, 2]), Ok(vec![Event::LinesRemoved { lines: vec![1] }]));
    check(&kept, remove(&[2]), Ok(vec![]));
}
