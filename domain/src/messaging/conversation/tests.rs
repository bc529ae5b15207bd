//! Every transition and refusal of a conversation, and of random sequences of commands.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fixtures::{answer, buyer, company};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<Conversation>(given, when), then);
}

fn subject() -> Subject {
    Subject::Order { id: OrderId(Uuid::from_u128(0x0D)) }
}

fn seller() -> ActorId {
    ActorId(Uuid::from_u128(0x5E))
}

fn actor(side: Side) -> ActorId {
    match side {
        Side::Seller => seller(),
        Side::Buyer => buyer(),
    }
}

fn writing(side: Side) -> Writing {
    Writing {
        subject: subject(),
        company: company(),
        by: actor(side),
        side,
        text: "Kiedy przyjedzie?".parse().unwrap(),
        attachments: Attachments::default(),
    }
}

fn sent(number: u32, side: Side) -> Event {
    sent_as(number, writing(side))
}

fn sent_as(number: u32, writing: Writing) -> Event {
    let Writing { subject, company, by, side, text, attachments } = writing;
    Event::MessageSent { subject, company, number, by, side, text, attachments }
}

fn noted(number: u32, side: Side) -> Event {
    let Writing { subject, company, by, side, text, attachments } = writing(side);
    Event::NoteWritten { subject, company, number, by, side, text, attachments }
}

fn read_by(by: ActorId, side: Side, up_to: u32) -> Command {
    Command::Read { subject: subject(), by, side, up_to }
}

fn reading(side: Side, up_to: u32) -> Command {
    read_by(actor(side), side, up_to)
}

fn read(side: Side, up_to: u32) -> Event {
    Event::Read { subject: subject(), by: actor(side), side, up_to }
}

/// Cheap to reach by evolving alone: what `decide` would have written.
fn after(events: impl IntoIterator<Item = Event>) -> Conversation {
    events.into_iter().fold(Conversation::default(), Conversation::evolve)
}

const SELLER: Side = Side::Seller;
const BUYER: Side = Side::Buyer;

#[test]
fn numbers_what_both_sides_say() {
    check(&[], Command::Send(writing(BUYER)), Ok(vec![sent(1, BUYER)]));
    check(&[sent(1, BUYER)], Command::Send(writing(BUYER)), Ok(vec![sent(2, BUYER)]));
    let both = [sent(1, BUYER), sent(2, SELLER), read(BUYER, 2)];
    check(&both, Command::Send(writing(SELLER)), Ok(vec![sent(3, SELLER)]));
    let attached = Writing {
        attachments: Attachments::try_from(vec![crate::kernel::Attachment {
            name: "Zdjęcie".parse().unwrap(),
            url: "https://pliki.example.pl/1.jpg".parse().unwrap(),
            media_type: None,
            size: Some(10),
            sha256: None,
        }])
        .unwrap(),
        ..writing(BUYER)
    };
    check(&[], Command::Send(attached.clone()), Ok(vec![sent_as(1, attached)]));
}

#[test]
fn keeps_the_notes_of_each_side_apart() {
    check(&[], Command::Note(writing(SELLER)), Ok(vec![noted(1, SELLER)]));
    check(&[noted(1, SELLER)], Command::Note(writing(SELLER)), Ok(vec![noted(2, SELLER)]));
    check(&[noted(1, SELLER)], Command::Send(writing(SELLER)), Err(Error::Apart));
    check(&[noted(1, SELLER)], reading(BUYER, 1), Err(Error::Apart));
    check(&[sent(1, SELLER)], Command::Note(writing(SELLER)), Err(Error::Apart));
    let subject = Uuid::from_u128(7);
    let streams = [
        ConversationId::of(subject),
        ConversationId::inside(subject, SELLER),
        ConversationId::inside(subject, BUYER),
        ConversationId::of(Uuid::from_u128(8)),
    ];
    for (index, stream) in streams.iter().enumerate() {
        assert!(!streams[..index].contains(stream));
    }
}

#[test]
fn a_subject_is_called_as_json_spells_it() {
    let id = Uuid::from_u128(7);
    for subject in [
        Subject::Offer { id: id.into() },
        Subject::Negotiation { id: id.into() },
        Subject::Order { id: id.into() },
        Subject::Invoice { id: id.into() },
        Subject::GoodsReturn { id: id.into() },
    ] {
        let json = serde_json::json!({ "kind": subject.kind(), "id": subject.id() });
        assert_eq!(serde_json::to_value(subject).unwrap(), json);
    }
}

#[test]
fn is_the_history_of_the_company_but_for_what_the_seller_notes() {
    assert_eq!(after([]).company(), None);
    assert_eq!(after([sent(1, SELLER)]).company(), Some(company()));
    assert_eq!(after([sent(1, BUYER), read(SELLER, 1)]).company(), Some(company()));
    assert_eq!(after([noted(1, BUYER)]).company(), Some(company()));
    assert_eq!(after([noted(1, SELLER)]).company(), None);
}

#[test]
fn is_read_forward_by_the_other_side() {
    let two = [sent(1, SELLER), sent(2, SELLER)];
    check(&two, reading(BUYER, 1), Ok(vec![read(BUYER, 1)]));
    check(&two, reading(BUYER, 2), Ok(vec![read(BUYER, 2)]));
    let one_read = [sent(1, SELLER), sent(2, SELLER), read(BUYER, 1)];
    check(&one_read, reading(BUYER, 1), Ok(vec![]));
    check(&one_read, reading(BUYER, 2), Ok(vec![read(BUYER, 2)]));
    let both_read = [sent(1, SELLER), sent(2, SELLER), read(BUYER, 2)];
    check(&both_read, reading(BUYER, 1), Ok(vec![]));
    // Everybody reads for themselves.
    let colleague = ActorId(Uuid::from_u128(0xB2));
    let theirs = Event::Read { subject: subject(), by: colleague, side: BUYER, up_to: 1 };
    check(&both_read, read_by(colleague, BUYER, 1), Ok(vec![theirs]));
}

#[test]
fn one_does_not_read_what_one_side_itself_has_written() {
    check(&[sent(1, SELLER)], reading(SELLER, 1), Ok(vec![]));
    let answered = [sent(1, SELLER), sent(2, BUYER), sent(3, SELLER)];
    check(&answered, reading(SELLER, 3), Ok(vec![read(SELLER, 2)]));
    check(&answered, reading(BUYER, 3), Ok(vec![read(BUYER, 3)]));
    let read_before = [sent(1, SELLER), sent(2, BUYER), read(SELLER, 2), sent(3, SELLER)];
    check(&read_before, reading(SELLER, 3), Ok(vec![]));
}

#[test]
fn nobody_reads_what_does_not_exist() {
    let missing = |number, messages| Err(Error::NoSuchMessage { number, messages });
    check(&[], reading(BUYER, 1), missing(1, 0));
    check(&[sent(1, SELLER)], reading(BUYER, 2), missing(2, 1));
    check(&[sent(1, SELLER)], reading(BUYER, 0), missing(0, 1));
}

#[test]
fn grows_to_a_bound() {
    let almost = after([sent(Conversation::MOST - 1, BUYER)]);
    let last = sent(Conversation::MOST, BUYER);
    assert_eq!(almost.decide(Command::Send(writing(BUYER))), Ok(vec![last.clone()]));
    let full = almost.evolve(last);
    assert_eq!(full.decide(Command::Send(writing(SELLER))), Err(Error::Full));
    assert_eq!(full.decide(reading(SELLER, 10_000)), Ok(vec![read(SELLER, 10_000)]));
    let notes = after([noted(Conversation::MOST, BUYER)]);
    assert_eq!(notes.decide(Command::Note(writing(BUYER))), Err(Error::Full));
}

#[test]
fn keeps_how_far_so_many_people_of_a_side_have_read() {
    let person = |number: u128| ActorId(Uuid::from_u128(0x1000 + number));
    let readers = (0..200).map(|number| Event::Read {
        subject: subject(),
        by: person(number),
        side: BUYER,
        up_to: 1,
    });
    let crowded =
        after([sent(1, SELLER), sent(2, BUYER)].into_iter().chain(readers)).evolve(sent(3, SELLER));
    let another = read_by(person(200), BUYER, 3);
    assert_eq!(crowded.decide(another), Err(Error::TooManyReaders));
    // Those who are known go on, and the other side is not kept from reading.
    assert!(crowded.decide(read_by(person(7), BUYER, 3)).is_ok_and(|events| events.len() == 1));
    assert_eq!(crowded.decide(reading(SELLER, 3)), Ok(vec![read(SELLER, 2)]));
}

/// What somebody does about one order.
#[derive(Debug, Clone, Copy)]
enum Act {
    Send(Side),
    Note(Side),
    Read(Side, u8, u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let side = prop_oneof![Just(SELLER), Just(BUYER)];
    let act = prop_oneof![
        side.clone().prop_map(Act::Send),
        side.clone().prop_map(Act::Note),
        (side, 0..3_u8, 0..12_u32).prop_map(|(side, who, up_to)| Act::Read(side, who, up_to)),
    ];
    proptest::collection::vec(act, 0..60)
}

fn person(side: Side, who: u8) -> ActorId {
    ActorId(Uuid::from_u128(u128::from(who) + if side == SELLER { 0x100 } else { 0x200 }))
}

/// The three streams about one order.
#[derive(Debug, Default, Clone, PartialEq)]
struct Thread {
    between: Vec<Event>,
    inside: BTreeMap<Side, Vec<Event>>,
}

impl Thread {
    fn act(&mut self, act: Act) -> Result<usize, Error> {
        let (stream, command) = match act {
            Act::Send(side) => (&mut self.between, Command::Send(writing(side))),
            Act::Note(side) => (self.inside.entry(side).or_default(), Command::Note(writing(side))),
            Act::Read(side, who, up_to) => {
                (&mut self.between, read_by(person(side, who), side, up_to))
            }
        };
        let events = after(stream.iter().cloned()).decide(command)?;
        let written = events.len();
        stream.extend(events);
        Ok(written)
    }

    /// How many messages of the other side somebody has not read, as a read model counts them.
    fn unread(&self, side: Side, who: u8) -> usize {
        let by = person(side, who);
        let up_to = self.between.iter().rev().find_map(|event| match event {
            Event::Read { by: reader, up_to, .. } if *reader == by => Some(*up_to),
            _ => None,
        });
        let theirs = |event: &&Event| {
            matches!(event, Event::MessageSent { side: writer, number, .. }
                if *writer == side.other() && *number > up_to.unwrap_or(0))
        };
        self.between.iter().filter(theirs).count()
    }
}

/// The same in the plainest way: a list of who wrote, and which of them each person has read.
#[derive(Default)]
struct Model {
    written: Vec<Side>,
    read: BTreeMap<ActorId, Vec<bool>>,
}

impl Model {
    fn act(&mut self, act: Act) {
        match act {
            Act::Send(side) => self.written.push(side),
            Act::Note(_) => {}
            Act::Read(side, who, up_to) => {
                let read = self.read.entry(person(side, who)).or_default();
                read.resize(self.written.len(), false);
                if (1..=self.written.len()).contains(&(up_to as usize)) {
                    read[..up_to as usize].fill(true);
                }
            }
        }
    }

    fn unread(&self, side: Side, who: u8) -> usize {
        let nothing = Vec::new();
        let read = self.read.get(&person(side, who)).unwrap_or(&nothing);
        let theirs = |(index, writer): (usize, &Side)| {
            *writer == side.other() && !read.get(index).copied().unwrap_or(false)
        };
        self.written.iter().enumerate().filter(|one| theirs(*one)).count()
    }
}

proptest! {
    #[test]
    fn unread_counts_are_a_models(acts in acts()) {
        let (mut thread, mut model) = (Thread::default(), Model::default());
        for act in acts {
            let unread = |thread: &Thread| match act {
                Act::Read(side, who, _) => thread.unread(side, who),
                Act::Send(_) | Act::Note(_) => 0,
            };
            let before = unread(&thread);
            if let Ok(written) = thread.act(act) {
                model.act(act);
                if let Act::Read(..) = act {
                    prop_assert!(unread(&thread) <= before);
                    // What says nothing new is not written.
                    prop_assert!(written == 1 || unread(&thread) == before);
                }
            }
            for side in Side::ALL {
                for who in 0..3 {
                    prop_assert_eq!(thread.unread(side, who), model.unread(side, who));
                }
            }
        }
    }

    /// Whatever one side notes, the other side's streams, with their versions and numbers, and
    /// every answer to it are the same.
    #[test]
    fn no_side_notices_the_notes_of_the_other(acts in acts()) {
        for side in Side::ALL {
            let (mut with, mut without) = (Thread::default(), Thread::default());
            for act in &acts {
                let answer = with.act(*act);
                match act {
                    Act::Note(writer) if *writer != side => {}
                    _ => prop_assert_eq!(answer, without.act(*act)),
                }
            }
            prop_assert_eq!(&with.between, &without.between);
            prop_assert_eq!(with.inside.get(&side), without.inside.get(&side));
        }
    }
}
