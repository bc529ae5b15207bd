//! `/v1/conversations`: conversations, with read receipts and unread counts.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{GoodsReturnId, InvoiceId, NegotiationId, OfferId, OrderId, conversation::Subject};
use projections::views::messaging::conversations::Conversation;
use service_kit::permissions::{InvoiceMessages, OfferMessages, OrderMessages, ReturnMessages};
use service_kit::{
    access::Allowed,
    input::{PathId, Query},
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::messaging::conversations::{self, List, Show, Topic, Whole},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/conversations",
            get_with(list, |o| {
                o.id("conversation.list")
                    .summary("List conversations with their last message, newest first")
            }),
        )
        .merge(about::<Offers>())
        .merge(about::<Negotiations>())
        .merge(about::<Orders>())
        .merge(about::<Invoices>())
        .merge(about::<GoodsReturns>())
}

fn about<T: Things>() -> ApiRouter<Queries> {
    let (name, plural) = (T::TOPIC.name(), T::PLURAL);
    ApiRouter::new().api_route(
        &format!("/v1/conversations/{plural}/{{id}}"),
        get_with(show::<T>, |o| {
            o.id(&format!("conversation.show_about_{name}"))
                .summary("Show a conversation with its read receipts")
        }),
    )
}

/// A kind of document that conversations are about.
trait Things: Send + Sync + 'static {
    const TOPIC: Topic;
    const PLURAL: &'static str;
    /// The permission that its conversations require.
    type Who: Allowed;

    fn subject(id: Uuid) -> Subject;
}

struct Offers;

impl Things for Offers {
    const TOPIC: Topic = Topic::Offer;
    const PLURAL: &'static str = "offers";
    type Who = OfferMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Offer { id: OfferId(id) }
    }
}

struct Negotiations;

impl Things for Negotiations {
    const TOPIC: Topic = Topic::Negotiation;
    const PLURAL: &'static str = "negotiations";
    type Who = OfferMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Negotiation { id: NegotiationId(id) }
    }
}

struct Orders;

impl Things for Orders {
    const TOPIC: Topic = Topic::Order;
    const PLURAL: &'static str = "orders";
    type Who = OrderMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Order { id: OrderId(id) }
    }
}

struct Invoices;

impl Things for Invoices {
    const TOPIC: Topic = Topic::Invoice;
    const PLURAL: &'static str = "invoices";
    type Who = InvoiceMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::Invoice { id: InvoiceId(id) }
    }
}

struct GoodsReturns;

impl Things for GoodsReturns {
    const TOPIC: Topic = Topic::GoodsReturn;
    const PLURAL: &'static str = "returns";
    type Who = ReturnMessages;

    fn subject(id: Uuid) -> Subject {
        Subject::GoodsReturn { id: GoodsReturnId(id) }
    }
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<OrderMessages>,
    Query(asked): Query<Listing<List>>,
) -> Result<Json<Page<Conversation>>, Problem> {
    conversations::list(&queries, &asker, asked).await.map(Json)
}

async fn show<T: Things>(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<T::Who>,
    PathId(id): PathId,
    Query(asked): Query<Listing<Show>>,
) -> Result<Json<Whole>, Problem> {
    conversations::show(&queries, &asker, T::subject(id), asked).await.map(Json)
}
