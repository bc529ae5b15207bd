//! An event of the live feed, and who may receive it.

use domain::{
    ActorId, CompanyId, Event, Side, StandingOrderId, UnreadableEvent,
    conversation::{self, Subject},
    history::INTERNAL,
    messaging, sales,
};
use event_log::RecordedEvent;
use jiff::Timestamp;
use projections::views::messaging::conversations::Written;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// An event with the facts that decide who receives it.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    pub(crate) happened: Happened,
    /// Whether its company may see it.
    disclosed: bool,
    /// The only side that may see it; `None` if both may.
    known_to: Option<Side>,
}

/// An event as the live feed sends it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LiveEvent")]
pub(crate) struct Happened {
    /// Its position in the log.
    pub(crate) position: u64,
    /// Its type, such as `order.confirmed`.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The subject.
    pub(crate) subject: Thing,
    /// The company of the subject.
    pub(crate) company: Option<CompanyId>,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
    /// The message, note or receipt, for events of conversations.
    #[serde(flatten)]
    pub(crate) said: Option<Said>,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "LiveSubject")]
pub(crate) enum Thing {
    /// What can be talked about.
    Discussed(Subject),
    /// What cannot.
    Other(Undiscussed),
}

/// What has no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "LiveSubjectWithoutConversation")]
pub(crate) enum Undiscussed {
    /// A standing order.
    StandingOrder {
        /// Which one.
        id: StandingOrderId,
    },
}

impl Thing {
    /// The kind, as in JSON.
    fn kind(self) -> &'static str {
        match self {
            Self::Discussed(subject) => subject.kind(),
            Self::Other(Undiscussed::StandingOrder { .. }) => "standing_order",
        }
    }
}

/// A message, note or receipt.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "MessageSaid")]
pub(crate) enum Said {
    /// A message from one side to the other.
    Message(Written),
    /// An internal note of the receiver's own side.
    Note(Written),
    /// A read receipt of the other side.
    Read(Reading),
}

/// A read receipt.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "MessagesRead")]
pub(crate) struct Reading {
    /// The reader.
    pub(crate) by: ActorId,
    /// The side of the reader.
    pub(crate) side: Side,
    /// The number of the last message that was read.
    pub(crate) up_to: u32,
}

/// The receiver of a live feed, and what it may see.
#[derive(Debug, Clone)]
pub(crate) struct Watching {
    /// The company to which it is restricted.
    pub(crate) company: Option<Uuid>,
    /// The side of the receiver.
    pub(crate) side: Side,
    /// Whether it sees internal events of both sides, as in history.
    pub(crate) whole: bool,
    /// The aggregate types whose events it may receive.
    pub(crate) things: Vec<&'static str>,
    /// The kinds of subjects of its conversations.
    pub(crate) conversations: Vec<&'static str>,
}

/// The aggregate type of messages.
const CONVERSATION: &str = "conversation";

/// The subject of an event, by aggregate type; `None` if its events are not published.
fn thing(kind: &str, id: Uuid) -> Option<Thing> {
    let subject = match kind {
        "offer" => Subject::Offer { id: id.into() },
        "negotiation" => Subject::Negotiation { id: id.into() },
        "order" => Subject::Order { id: id.into() },
        "invoice" => Subject::Invoice { id: id.into() },
        "goods_return" => Subject::GoodsReturn { id: id.into() },
        "standing_order" => {
            return Some(Thing::Other(Undiscussed::StandingOrder { id: id.into() }));
        }
        _ => return None,
    };
    Some(Thing::Discussed(subject))
}

fn is_published(kind: &str) -> bool {
    kind == CONVERSATION || thing(kind, Uuid::nil()).is_some()
}

/// Whether events of this type are published.
pub(super) fn concerns(event: &RecordedEvent) -> bool {
    is_published(&event.stream_type)
}

/// The published event types.
pub(super) fn event_types() -> Vec<String> {
    let of_published =
        |name: &&str| name.split_once('.').is_some_and(|(kind, _)| is_published(kind));
    Event::types().map(|(name, _)| name).filter(of_published).map(str::to_owned).collect()
}

/// The types whose payload decides what is published, or to whom.
pub(super) fn types_read() -> Vec<&'static str> {
    let is_read = |name: &&str| {
        name.split_once('.').is_some_and(|(kind, _)| kind == CONVERSATION) || is_deliberation(name)
    };
    Event::types().map(|(name, _)| name).filter(is_read).collect()
}

/// Whether it is an event of a negotiation that only one side may see.
fn is_deliberation(event_type: &str) -> bool {
    event_type.starts_with("negotiation.") && INTERNAL.contains(&event_type)
}

impl Occurrence {
    /// The occurrence of an event; `None` if it is not published. An event that only a newer build
    /// can read is not published either, since its receivers are unknown.
    pub(crate) fn of(recorded: &RecordedEvent, disclosed: bool) -> Option<Self> {
        let (subject, company, said) = match thing(&recorded.stream_type, recorded.stream_id) {
            Some(subject) => (subject, recorded.company_id.map(CompanyId), None),
            None if recorded.stream_type != CONVERSATION => return None,
            None => match recorded.event() {
                Ok(Event::Messaging(messaging::Event::Conversation(event))) => {
                    said(recorded, event)
                }
                Ok(_) => return None,
                Err(error) => {
                    tracing::error!(position = recorded.position.0, %error, "event not published");
                    return None;
                }
            },
        };
        let happened = Happened {
            position: recorded.position.0,
            event_type: recorded.event_type.clone(),
            subject,
            company,
            recorded_at: recorded.recorded_at,
            said,
        };
        let known_to = known_to(recorded)
            .inspect_err(|error| {
                tracing::error!(position = recorded.position.0, %error, "event not published");
            })
            .ok()?;
        Some(Self { happened, disclosed, known_to })
    }

    /// Whether a receiver may see it.
    pub(crate) fn is_for(&self, watching: &Watching) -> bool {
        let Happened { subject, company, said, .. } = &self.happened;
        // A reader of a company's history receives the events of that history.
        let may_know = self.disclosed || (!watching.whole && self.known_to == Some(Side::Buyer));
        let is_theirs =
            watching.company.is_none_or(|own| may_know && *company == Some(CompanyId(own)));
        let kinds = if said.is_some() { &watching.conversations } else { &watching.things };
        let is_meant = match said {
            // A company never sees the seller's notes, whatever the role.
            Some(Said::Note(note)) => {
                note.side == watching.side || (watching.whole && watching.company.is_none())
            }
            Some(Said::Message(_) | Said::Read(_)) | None => true,
        };
        let is_own = watching.whole || self.known_to.is_none_or(|side| side == watching.side);
        is_theirs && is_own && is_meant && kinds.contains(&subject.kind())
    }
}

/// The only side that may see an event. An unreadable event of a negotiation is an error, and is
/// sent to nobody.
fn known_to(recorded: &RecordedEvent) -> Result<Option<Side>, UnreadableEvent> {
    // Other events concern both sides, and their payloads are long.
    let (event_type, version) = (recorded.event_type.as_str(), recorded.schema_version);
    let is_known = || Event::types().any(|(name, newest)| name == event_type && version <= newest);
    if recorded.stream_type != "negotiation" || (!is_deliberation(event_type) && is_known()) {
        return Ok(None);
    }
    Ok(match recorded.event()? {
        Event::Sales(sales::Event::Negotiation(event)) => event.known_to(),
        _ => None,
    })
}

fn said(
    recorded: &RecordedEvent,
    event: conversation::Event,
) -> (Thing, Option<CompanyId>, Option<Said>) {
    let (position, recorded_at) = (recorded.position.0, recorded.recorded_at);
    match event {
        conversation::Event::MessageSent {
            subject,
            company,
            number,
            by,
            side,
            text,
            attachments,
        } => {
            let said = Written { number, side, by, text, attachments, position, recorded_at };
            (Thing::Discussed(subject), Some(company), Some(Said::Message(said)))
        }
        conversation::Event::NoteWritten {
            subject,
            company,
            number,
            by,
            side,
            text,
            attachments,
        } => {
            let said = Written { number, side, by, text, attachments, position, recorded_at };
            (Thing::Discussed(subject), Some(company), Some(Said::Note(said)))
        }
        conversation::Event::Read { subject, by, side, up_to } => {
            let company = recorded.company_id.map(CompanyId);
            (Thing::Discussed(subject), company, Some(Said::Read(Reading { by, side, up_to })))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{ConversationId, OrderId};
    use event_log::Position;

    use super::*;

    const SHOP: &[&str] = &["offer", "negotiation", "order", "invoice"];

    fn company(number: u128) -> CompanyId {
        CompanyId(Uuid::from_u128(number))
    }

    fn watching(side: Side, of: Option<u128>, conversations: &[&'static str]) -> Watching {
        let company = of.map(|number| company(number).0);
        Watching {
            company,
            side,
            whole: false,
            things: SHOP.to_vec(),
            conversations: conversations.to_vec(),
        }
    }

    fn recorded(kind: &str, event_type: &str, company: Option<CompanyId>) -> RecordedEvent {
        RecordedEvent {
            position: Position(7),
            event_id: Uuid::nil(),
            stream_type: kind.to_owned(),
            stream_id: Uuid::from_u128(0x0D),
            version: 1,
            event_type: format!("{kind}.{event_type}"),
            schema_version: 1,
            company_id: company.map(Uuid::from),
            actor: String::new(),
            command_id: Uuid::nil(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            recorded_at: Timestamp::UNIX_EPOCH,
            payload: "{}".to_owned(),
        }
    }

    /// An internal note of a side on an order of the first company.
    fn note(side: Side) -> RecordedEvent {
        let subject = Subject::Order { id: OrderId(Uuid::from_u128(0x0D)) };
        let event = conversation::Event::NoteWritten {
            subject,
            company: company(1),
            number: 1,
            by: ActorId(Uuid::nil()),
            side,
            text: "Uwaga".parse().unwrap(),
            attachments: Default::default(),
        };
        let whose = (side == Side::Buyer).then(|| company(1));
        RecordedEvent {
            stream_id: ConversationId::inside(subject.id(), side).0,
            payload: serde_json::to_string(&event).unwrap(),
            ..recorded(CONVERSATION, "note_written", whose)
        }
    }

    #[track_caller]
    fn check(event: &RecordedEvent, disclosed: bool, watching: &Watching, expected: bool) {
        let occurrence = Occurrence::of(event, disclosed).unwrap();
        assert_eq!(occurrence.is_for(watching), expected, "{watching:?}: {event:?}");
    }

    #[test]
    fn a_company_receives_its_own_events_and_disclosed_ones() {
        let own = watching(Side::Buyer, Some(1), SHOP);
        let other = watching(Side::Buyer, Some(2), SHOP);
        let seller = watching(Side::Seller, None, SHOP);
        let placed = recorded("order", "placed", Some(company(1)));
        check(&placed, true, &own, true);
        check(&placed, true, &other, false);
        check(&placed, true, &seller, true);
        let drafted = recorded("offer", "drafted", Some(company(1)));
        check(&drafted, false, &own, false);
        check(&drafted, false, &seller, true);
        let of_nobody = recorded("order", "placed", None);
        check(&of_nobody, true, &own, false);
        assert!(Occurrence::of(&recorded("stock", "reported", None), true).is_none());
    }

    #[test]
    fn a_side_receives_only_its_own_notes() {
        let buyer = watching(Side::Buyer, Some(1), SHOP);
        let other = watching(Side::Buyer, Some(2), SHOP);
        let seller = watching(Side::Seller, None, SHOP);
        check(&note(Side::Seller), true, &seller, true);
        check(&note(Side::Seller), true, &buyer, false);
        check(&note(Side::Buyer), true, &buyer, true);
        check(&note(Side::Buyer), true, &seller, false);
        check(&note(Side::Buyer), true, &other, false);
    }

    #[test]
    fn a_side_receives_only_its_own_deliberations() {
        let approved = |side: Side| {
            let event = domain::negotiation::Event::Approved { side };
            let payload = serde_json::to_string(&event).unwrap();
            RecordedEvent { payload, ..recorded("negotiation", "approved", Some(company(1))) }
        };
        let (buyer, seller) =
            (watching(Side::Buyer, Some(1), SHOP), watching(Side::Seller, None, SHOP));
        check(&approved(Side::Buyer), false, &buyer, true);
        check(&approved(Side::Buyer), false, &seller, false);
        check(&approved(Side::Buyer), false, &watching(Side::Buyer, Some(2), SHOP), false);
        check(&approved(Side::Seller), false, &seller, true);
        check(&approved(Side::Seller), false, &buyer, false);
    }

    #[test]
    fn a_role_receives_only_what_it_may_read() {
        let picker = Watching {
            things: vec!["offer", "negotiation", "order"],
            ..watching(Side::Seller, None, &["order"])
        };
        check(&note(Side::Seller), true, &picker, true);
        check(&recorded("invoice", "issued", Some(company(1))), true, &picker, false);
        let invoice_conversation = watching(Side::Seller, None, &["invoice"]);
        check(&note(Side::Seller), true, &invoice_conversation, false);
    }

    /// Without their payload the receivers would be unknown.
    #[test]
    fn types_read_without_payload_are_complete() {
        let read = types_read();
        for event_type in event_types() {
            let (kind, name) = event_type.split_once('.').unwrap();
            let bare = RecordedEvent { payload: String::new(), ..recorded(kind, name, None) };
            let is_complete = Occurrence::of(&bare, true).is_some();
            assert_eq!(is_complete, !read.contains(&event_type.as_str()), "{event_type}");
        }
        let newer = recorded("negotiation", "whispered", None);
        assert!(Occurrence::of(&newer, true).is_none());
    }

    #[test]
    fn catching_up_reads_every_published_type() {
        let types = event_types();
        for wanted in ["offer.sent", "order.placed", "invoice.issued", "conversation.read"] {
            assert!(types.iter().any(|name| name == wanted), "{wanted}");
        }
        assert!(types.iter().all(|name| !name.starts_with("stock.")));
    }
}
