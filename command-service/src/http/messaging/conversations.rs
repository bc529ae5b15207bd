//! `/v1/conversations`: what the two sides write to each other, and each for itself, about an
//! offer, a negotiation, an order or an invoice.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Attachments, CompanyId, Conversation, ConversationId, Invoice, InvoiceId, Message, Negotiation,
    NegotiationId, OfCompany, Offer, OfferId, Order, OrderId,
    conversation::{Command, Subject, Writing},
    offer,
};
use event_log::Work;
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    access::Allowed,
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    caller::Caller,
    failure::{Failure, problem, refusal},
    http::Done,
    http::access::{By, InvoiceTalk, OfferTalk, OrderTalk},
};

pub(super) fn routes() -> ApiRouter<Services> {
    about::<Offers>()
        .merge(about::<Negotiations>())
        .merge(about::<Orders>())
        .merge(about::<Invoices>())
}

/// Things of one kind that are talked about.
trait Things: Send + Sync + 'static {
    /// As in the path.
    const PLURAL: &'static str;
    /// As in the names of operations.
    const KIND: &'static str;
    /// Who talks about them.
    type Who: Allowed;

    fn subject(id: Uuid) -> Subject;
}

struct Offers;

impl Things for Offers {
    const PLURAL: &'static str = "offers";
    const KIND: &'static str = "offer";
    type Who = OfferTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Offer { id: OfferId(id) }
    }
}

struct Negotiations;

impl Things for Negotiations {
    const PLURAL: &'static str = "negotiations";
    const KIND: &'static str = "negotiation";
    type Who = OfferTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Negotiation { id: NegotiationId(id) }
    }
}

struct Orders;

impl Things for Orders {
    const PLURAL: &'static str = "orders";
    const KIND: &'static str = "order";
    type Who = OrderTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Order { id: OrderId(id) }
    }
}

struct Invoices;

impl Things for Invoices {
    const PLURAL: &'static str = "invoices";
    const KIND: &'static str = "invoice";
    type Who = InvoiceTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Invoice { id: InvoiceId(id) }
    }
}

fn about<T: Things>() -> ApiRouter<Services> {
    let path = |what: &str| format!("/v1/conversations/{}/{{id}}/{what}", T::PLURAL);
    let name = |what: &str| format!("conversation.{what}_{}", T::KIND);
    ApiRouter::new()
        .api_route(
            &path("messages"),
            post_with(send::<T>, |o| {
                o.id(&name("send_about")).summary("Send a message to the other side")
            }),
        )
        .api_route(
            &path("notes"),
            post_with(note::<T>, |o| {
                o.id(&name("note_about"))
                    .summary("Write an internal note, which the other side never sees")
            }),
        )
        .api_route(
            &path("read"),
            post_with(read::<T>, |o| {
                o.id(&name("read_about")).summary("Mark messages of the other side as read")
            }),
        )
}

/// What is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WriteMessage")]
struct Write {
    text: Message,
    #[serde(default)]
    attachments: Attachments,
}

async fn send<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value, digest }: Body<Write>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, written) = (caller.clone(), value.clone());
            async move {
                let subject = T::subject(id);
                let Known { company, is_told } = known(work, &caller, subject).await?;
                if !is_told {
                    return Err(refusal(&offer::Error::NotSent).into());
                }
                let command = Command::Send(writing(&caller, subject, company, written));
                work.decide::<Conversation>(ConversationId::of(id), command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

async fn note<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value, digest }: Body<Write>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, written) = (caller.clone(), value.clone());
            async move {
                let subject = T::subject(id);
                let Known { company, .. } = known(work, &caller, subject).await?;
                let stream = ConversationId::inside(id, caller.side());
                let command = Command::Note(writing(&caller, subject, company, written));
                work.decide::<Conversation>(stream, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// How far.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReadMessages")]
struct Read {
    /// The number of the last message that was read.
    up_to: u32,
}

async fn read<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value: Read { up_to }, digest }: Body<Read>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let caller = caller.clone();
            async move {
                let subject = T::subject(id);
                known(work, &caller, subject).await?;
                let (by, side) = (caller.actor(), caller.side());
                let command = Command::Read { subject, by, side, up_to };
                work.decide::<Conversation>(ConversationId::of(id), command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

fn writing(caller: &Caller, subject: Subject, company: CompanyId, written: Write) -> Writing {
    let Write { text, attachments } = written;
    Writing { subject, company, by: caller.actor(), side: caller.side(), text, attachments }
}

/// A thing that the caller may know of.
struct Known {
    company: CompanyId,
    /// Whether its company may know of it too. What was said about a draft would tell of it.
    is_told: bool,
}

/// The thing, unless there is none, it is another company's, or the caller's company was not told
/// of it: all three are answered alike.
async fn known(work: &mut Work, caller: &Caller, subject: Subject) -> Result<Known, Failure> {
    let (company, is_told) = match subject {
        Subject::Offer { id } => {
            let offer = work.load::<Offer>(id).await?;
            (offer.company(), offer.is_disclosed())
        }
        Subject::Negotiation { id } => (work.load::<Negotiation>(id).await?.company(), true),
        Subject::Order { id } => (work.load::<Order>(id).await?.company(), true),
        Subject::Invoice { id } => (work.load::<Invoice>(id).await?.company(), true),
    };
    let company = company.ok_or_else(Problem::not_found)?;
    caller.must_see(Some(company))?;
    if caller.company().is_some() && !is_told {
        return Err(Problem::not_found().into());
    }
    Ok(Known { company, is_told })
}
