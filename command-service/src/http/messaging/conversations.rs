//! `/v1/conversations`: messages between the two sides, and internal notes of each side, about an
//! offer, a negotiation, an order, an invoice or a goods return.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{GoodsReturnId, InvoiceId, NegotiationId, OfferId, OrderId, conversation::Subject};
use service_kit::permissions::{InvoiceMessages, OfferMessages, OrderMessages, ReturnMessages};
use service_kit::{
    access::Allowed,
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    app::{
        Services,
        messaging::conversation::{self, Read, Write},
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    about::<Offers>()
        .merge(about::<Negotiations>())
        .merge(about::<Orders>())
        .merge(about::<Invoices>())
        .merge(about::<GoodsReturns>())
}

/// A kind of document that conversations are about.
trait Things: Send + Sync + 'static {
    /// Its segment in the path.
    const PLURAL: &'static str;
    /// Its name in operation ids.
    const KIND: &'static str;
    /// The permission that its conversations require.
    type Who: Allowed;

    fn subject(id: Uuid) -> Subject;
}

struct Offers;

impl Things for Offers {
    const PLURAL: &'static str = "offers";
    const KIND: &'static str = "offer";
    type Who = OfferMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Offer { id: OfferId(id) }
    }
}

struct Negotiations;

impl Things for Negotiations {
    const PLURAL: &'static str = "negotiations";
    const KIND: &'static str = "negotiation";
    type Who = OfferMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Negotiation { id: NegotiationId(id) }
    }
}

struct Orders;

impl Things for Orders {
    const PLURAL: &'static str = "orders";
    const KIND: &'static str = "order";
    type Who = OrderMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Order { id: OrderId(id) }
    }
}

struct Invoices;

impl Things for Invoices {
    const PLURAL: &'static str = "invoices";
    const KIND: &'static str = "invoice";
    type Who = InvoiceMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Invoice { id: InvoiceId(id) }
    }
}

struct GoodsReturns;

impl Things for GoodsReturns {
    const PLURAL: &'static str = "returns";
    const KIND: &'static str = "goods_return";
    type Who = ReturnMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::GoodsReturn { id: GoodsReturnId(id) }
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

async fn send<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value, digest }: Body<Write>,
) -> Result<Done, Problem> {
    Ok(conversation::send(&services, &caller, digest, T::subject(id), value).await?.into())
}

async fn note<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value, digest }: Body<Write>,
) -> Result<Done, Problem> {
    Ok(conversation::note(&services, &caller, digest, T::subject(id), value).await?.into())
}

async fn read<T: Things>(
    State(services): State<Services>,
    By { who: caller, .. }: By<T::Who>,
    PathId(id): PathId,
    Body { value, digest }: Body<Read>,
) -> Result<Done, Problem> {
    Ok(conversation::read(&services, &caller, digest, T::subject(id), value).await?.into())
}
