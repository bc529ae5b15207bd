//! Conversations: messages between the two sides, and internal notes of each side, about an offer,
//! a negotiation, an order, an invoice or a goods return.

use domain::{
    Attachments, CompanyId, Conversation, ConversationId, GoodsReturn, Invoice, Message,
    Negotiation, OfCompany, Offer, Order,
    conversation::{Command, Subject, Writing},
    offer,
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, refusal},
};

/// The text and the attachments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WriteMessage")]
pub struct Write {
    pub text: Message,
    #[serde(default)]
    pub attachments: Attachments,
}

/// Sends a message to the other side.
pub async fn send(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    subject: Subject,
    request: Write,
) -> Result<Outcome, Problem> {
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Known { company, is_disclosed } = known(work, caller, subject).await?;
                if !is_disclosed {
                    return Err(refusal(&offer::Error::NotSent).into());
                }
                let command = Command::Send(writing(caller, subject, company, request.clone()));
                let stream = ConversationId::of(subject.id());
                Ok(work.decide::<Conversation>(stream, command).await?)
            })
        })
        .await
}

/// Writes an internal note, which the other side never sees.
pub async fn note(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    subject: Subject,
    request: Write,
) -> Result<Outcome, Problem> {
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Known { company, .. } = known(work, caller, subject).await?;
                let command = Command::Note(writing(caller, subject, company, request.clone()));
                let stream = ConversationId::inside(subject.id(), caller.side());
                Ok(work.decide::<Conversation>(stream, command).await?)
            })
        })
        .await
}

/// The last message read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReadMessages")]
pub struct Read {
    /// The number of the last message that was read.
    pub up_to: u32,
}

/// Marks messages of the other side as read.
pub async fn read(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    subject: Subject,
    Read { up_to }: Read,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                known(work, caller, subject).await?;
                let (by, side) = (caller.actor(), caller.side());
                let command = Command::Read { subject, by, side, up_to };
                let stream = ConversationId::of(subject.id());
                Ok(work.decide::<Conversation>(stream, command).await?)
            })
        })
        .await
}

fn writing(caller: &Caller, subject: Subject, company: CompanyId, written: Write) -> Writing {
    let Write { text, attachments } = written;
    Writing { subject, company, by: caller.actor(), side: caller.side(), text, attachments }
}

/// A document that the caller may see.
struct Known {
    company: CompanyId,
    /// Whether the company may see it too. A note about a draft offer would reveal the draft.
    is_disclosed: bool,
}

/// The document. If it does not exist, belongs to another company, or is not disclosed to the
/// caller's company, the answer is the same.
async fn known(work: &mut Work, caller: &Caller, subject: Subject) -> Result<Known, Failure> {
    let (company, is_disclosed) = match subject {
        Subject::Offer { id } => {
            let offer = work.load::<Offer>(id).await?;
            (offer.company(), offer.is_disclosed())
        }
        Subject::Negotiation { id } => (work.load::<Negotiation>(id).await?.company(), true),
        Subject::Order { id } => (work.load::<Order>(id).await?.company(), true),
        Subject::Invoice { id } => (work.load::<Invoice>(id).await?.company(), true),
        Subject::GoodsReturn { id } => (work.load::<GoodsReturn>(id).await?.company(), true),
    };
    let company = company.ok_or_else(Problem::not_found)?;
    caller.must_see(Some(company))?;
    if caller.company().is_some() && !is_disclosed {
        return Err(Problem::not_found().into());
    }
    Ok(Known { company, is_disclosed })
}
