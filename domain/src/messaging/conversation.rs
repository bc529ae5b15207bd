//! A conversation: the messages of the two sides about one subject, and the last message that each
//! person has read. Notes are internal messages of one side.
//!
//! Notes have a stream of their own per side, with numbers of their own, so that a conversation
//! does not disclose whether there are any. The seller's notes belong to no company, so no filter
//! by company, in the event history, the stream or queries, finds them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    kernel::{
        ActorId, Attachments, CompanyId, ConversationId, GoodsReturnId, InvoiceId, Message,
        NegotiationId, OfCompany, OfferId, OrderId, aggregate::aggregate, refusal::refusals,
    },
    parties::Side,
};

/// What is talked about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "ConversationSubject")]
pub enum Subject {
    /// An offer.
    Offer {
        /// Which one.
        id: OfferId,
    },
    /// The rounds on an offer.
    Negotiation {
        /// Which ones.
        id: NegotiationId,
    },
    /// An order.
    Order {
        /// Which one.
        id: OrderId,
    },
    /// An invoice or a credit note.
    Invoice {
        /// Which one.
        id: InvoiceId,
    },
    /// A goods return or a complaint.
    GoodsReturn {
        /// Which one.
        id: GoodsReturnId,
    },
}

impl Subject {
    /// The kind of the subject, as in JSON.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Offer { .. } => "offer",
            Self::Negotiation { .. } => "negotiation",
            Self::Order { .. } => "order",
            Self::Invoice { .. } => "invoice",
            Self::GoodsReturn { .. } => "goods_return",
        }
    }

    /// The id of the subject.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Offer { id } => id.0,
            Self::Negotiation { id } => id.0,
            Self::Order { id } => id.0,
            Self::Invoice { id } => id.0,
            Self::GoodsReturn { id } => id.0,
        }
    }
}

impl ConversationId {
    /// The conversation about a subject: one stream each.
    pub fn of(subject: Uuid) -> Self {
        Self(Uuid::new_v5(&subject, b"conversation"))
    }

    /// The notes of one side about a subject.
    pub fn inside(subject: Uuid, side: Side) -> Self {
        Self(Uuid::new_v5(&subject, format!("conversation inside {}", side.name()).as_bytes()))
    }
}

/// The state of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Conversation {
    /// No messages.
    #[default]
    Silent,
    /// A conversation between the sides.
    Open {
        /// The company of the subject.
        company: CompanyId,
        /// How many messages there are.
        messages: u32,
        /// The seller's last message, and what its people have read.
        seller: Half,
        /// The same for the company.
        buyer: Half,
    },
    /// Notes of one side.
    Inside {
        /// The company of the subject; `None` for the seller's notes, which only the seller sees.
        company: Option<CompanyId>,
        /// The number of notes.
        notes: u32,
    },
}

/// One side of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Half {
    /// The number of its last message; 0 when there is none.
    last: u32,
    /// The last message that each of its people has read.
    read: BTreeMap<ActorId, u32>,
}

/// A message to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Writing {
    /// About what.
    pub subject: Subject,
    /// Whose thing that is.
    pub company: CompanyId,
    /// The author.
    pub by: ActorId,
    /// For which side.
    pub side: Side,
    /// What.
    pub text: Message,
    /// The attachments.
    pub attachments: Attachments,
}

/// The commands of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Write a message.
    Send(Writing),
    /// Write a note.
    Note(Writing),
    /// Mark messages of the other side as read.
    Read {
        /// About what.
        subject: Subject,
        /// The reader.
        by: ActorId,
        /// For which side.
        side: Side,
        /// The number of the last message that was read.
        up_to: u32,
    },
}

/// What happened to a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// One side wrote to the other.
    MessageSent {
        /// About what.
        subject: Subject,
        /// Whose thing that is.
        company: CompanyId,
        /// Its place in the conversation, counted from 1.
        number: u32,
        /// Who wrote.
        by: ActorId,
        /// For which side.
        side: Side,
        /// What.
        text: Message,
        /// What came with it.
        #[serde(default, skip_serializing_if = "Attachments::is_empty")]
        attachments: Attachments,
    },
    /// Somebody wrote for their own side alone.
    NoteWritten {
        /// About what.
        subject: Subject,
        /// Whose thing that is.
        company: CompanyId,
        /// Its place among the side's notes, counted from 1.
        number: u32,
        /// Who wrote.
        by: ActorId,
        /// For which side.
        side: Side,
        /// What.
        text: Message,
        /// What came with it.
        #[serde(default, skip_serializing_if = "Attachments::is_empty")]
        attachments: Attachments,
    },
    /// Somebody read what the other side had written.
    Read {
        /// About what.
        subject: Subject,
        /// Who read it.
        by: ActorId,
        /// For which side.
        side: Side,
        /// The number of the last message that was read.
        up_to: u32,
    },
}

aggregate!(Conversation, "conversation", {
    MessageSent => "message_sent" v 1,
    NoteWritten => "note_written" v 1,
    Read => "read" v 1,
});

/// Why a conversation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many messages.
    #[error("a conversation has at most {} messages, and a side as many notes", Conversation::MOST)]
    Full,
    /// There is no such message.
    #[error("the conversation has {messages} messages, and no message {number}")]
    NoSuchMessage {
        /// The named message.
        number: u32,
        /// The number of messages.
        messages: u32,
    },
    /// Too many readers of one side.
    #[error("at most {} people of one side mark messages as read", Conversation::MOST_READERS)]
    TooManyReaders,
    /// The other side reads messages; only the own side reads notes.
    #[error("notes stand apart from messages")]
    Apart,
}

refusals!(Error, {
    Full => ("conversation.full", State),
    NoSuchMessage => ("conversation.no_such_message", State),
    TooManyReaders => ("conversation.too_many_readers", State),
    Apart => ("conversation.apart", Invalid),
});

impl Conversation {
    /// The most messages of one conversation, and notes of one side.
    pub const MOST: u32 = 10_000;
    /// The most readers of one side.
    pub const MOST_READERS: usize = 200;

    /// Every rule of a conversation.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Send(writing) => {
                let number = match self {
                    Self::Silent => 1,
                    Self::Open { messages, .. } => next(*messages)?,
                    Self::Inside { .. } => return Err(Error::Apart),
                };
                let Writing { subject, company, by, side, text, attachments } = writing;
                Ok(vec![Event::MessageSent {
                    subject,
                    company,
                    number,
                    by,
                    side,
                    text,
                    attachments,
                }])
            }
            Command::Note(writing) => {
                let number = match self {
                    Self::Silent => 1,
                    Self::Inside { notes, .. } => next(*notes)?,
                    Self::Open { .. } => return Err(Error::Apart),
                };
                let Writing { subject, company, by, side, text, attachments } = writing;
                Ok(vec![Event::NoteWritten {
                    subject,
                    company,
                    number,
                    by,
                    side,
                    text,
                    attachments,
                }])
            }
            Command::Read { subject, by, side, up_to } => self.read(subject, by, side, up_to),
        }
    }

    /// Reading goes forward, and over what the other side has written: up to one's own message it
    /// is reading up to the other side's last one before.
    fn read(
        &self,
        subject: Subject,
        by: ActorId,
        side: Side,
        up_to: u32,
    ) -> Result<Vec<Event>, Error> {
        let (messages, own, other) = match self {
            Self::Silent => return Err(Error::NoSuchMessage { number: up_to, messages: 0 }),
            Self::Open { messages, seller, buyer, .. } => match side {
                Side::Seller => (*messages, seller, buyer),
                Side::Buyer => (*messages, buyer, seller),
            },
            Self::Inside { .. } => return Err(Error::Apart),
        };
        if !(1..=messages).contains(&up_to) {
            return Err(Error::NoSuchMessage { number: up_to, messages });
        }
        let up_to = up_to.min(other.last);
        match own.read.get(&by) {
            Some(read) if *read >= up_to => Ok(vec![]),
            None if up_to == 0 => Ok(vec![]),
            None if own.read.len() >= Self::MOST_READERS => Err(Error::TooManyReaders),
            Some(_) | None => Ok(vec![Event::Read { subject, by, side, up_to }]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (state, Event::MessageSent { company, number, side, .. }) => {
                let (mut seller, mut buyer) = match state {
                    Self::Open { seller, buyer, .. } => (seller, buyer),
                    Self::Silent | Self::Inside { .. } => Default::default(),
                };
                match side {
                    Side::Seller => seller.last = number,
                    Side::Buyer => buyer.last = number,
                }
                Self::Open { company, messages: number, seller, buyer }
            }
            (_, Event::NoteWritten { company, number, side, .. }) => {
                let company = match side {
                    Side::Seller => None,
                    Side::Buyer => Some(company),
                };
                Self::Inside { company, notes: number }
            }
            (
                Self::Open { company, messages, mut seller, mut buyer },
                Event::Read { by, side, up_to, .. },
            ) => {
                match side {
                    Side::Seller => seller.read.insert(by, up_to),
                    Side::Buyer => buyer.read.insert(by, up_to),
                };
                Self::Open { company, messages, seller, buyer }
            }
            // `decide` records none.
            (state @ (Self::Silent | Self::Inside { .. }), Event::Read { .. }) => state,
        }
    }
}

/// The number after so many.
fn next(count: u32) -> Result<u32, Error> {
    if count >= Conversation::MOST { Err(Error::Full) } else { Ok(count + 1) }
}

impl OfCompany for Conversation {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Silent => None,
            Self::Open { company, .. } => Some(*company),
            Self::Inside { company, .. } => *company,
        }
    }
}

#[cfg(test)]
mod tests;
