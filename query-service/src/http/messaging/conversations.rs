//! `/v1/conversations`: what the two sides have written about what, who has read it, and what is
//! unread.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State};
use domain::{
    CompanyId, ConversationId, InvoiceId, NegotiationId, OfferId, OrderId, conversation::Subject,
};
use projections::views::{
    billing::invoices,
    messaging::conversations::{self, Conversation, Entry, Filter, Stretch},
    sales::{negotiations, offers, orders},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::{Allowed, Role},
    input::{PathId, Query},
    page::{Page, PageRequest},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    asker::{By, InvoiceTalk, OfferTalk, OrderTalk, problem},
    http::{events::Order, one_more},
};

const VIEWS: &[&str] = &[
    conversations::PROJECTION.name,
    invoices::PROJECTION.name,
    negotiations::PROJECTION.name,
    offers::PROJECTION.name,
    orders::PROJECTION.name,
];

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
}

fn about<T: Things>() -> ApiRouter<Queries> {
    let Kind { name, plural } = T::KIND;
    ApiRouter::new().api_route(
        &format!("/v1/conversations/{plural}/{{id}}"),
        get_with(show::<T>, |o| {
            o.id(&format!("conversation.show_about_{name}"))
                .summary("Show a conversation with its receipts")
        }),
    )
}

/// What things of a kind are called.
struct Kind {
    name: &'static str,
    plural: &'static str,
}

/// Things of one kind that are talked about.
trait Things: Send + Sync + 'static {
    const KIND: Kind;
    /// Who talks about them.
    type Who: Allowed;

    fn subject(id: Uuid) -> Subject;
}

struct Offers;

impl Things for Offers {
    const KIND: Kind = Kind { name: "offer", plural: "offers" };
    type Who = OfferTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Offer { id: OfferId(id) }
    }
}

struct Negotiations;

impl Things for Negotiations {
    const KIND: Kind = Kind { name: "negotiation", plural: "negotiations" };
    type Who = OfferTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Negotiation { id: NegotiationId(id) }
    }
}

struct Orders;

impl Things for Orders {
    const KIND: Kind = Kind { name: "order", plural: "orders" };
    type Who = OrderTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Order { id: OrderId(id) }
    }
}

struct Invoices;

impl Things for Invoices {
    const KIND: Kind = Kind { name: "invoice", plural: "invoices" };
    type Who = InvoiceTalk;

    fn subject(id: Uuid) -> Subject {
        Subject::Invoice { id: InvoiceId(id) }
    }
}

/// The kinds of things that somebody in this role talks about.
pub(crate) fn talked_about_by(role: Role) -> Vec<&'static str> {
    fn kind<T: Things>(role: Role) -> Option<&'static str> {
        T::Who::ROLES.contains(&role).then_some(T::KIND.name)
    }
    [kind::<Offers>, kind::<Negotiations>, kind::<Orders>, kind::<Invoices>]
        .into_iter()
        .filter_map(|kind| kind(role))
        .collect()
}

/// Kinds of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConversationTopic")]
enum Wanted {
    Offer,
    Negotiation,
    Order,
    Invoice,
}

impl Wanted {
    fn name(self) -> &'static str {
        match self {
            Self::Offer => Offers::KIND.name,
            Self::Negotiation => Negotiations::KIND.name,
            Self::Order => Orders::KIND.name,
            Self::Invoice => Invoices::KIND.name,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Only those in which the asker has not read something.
    #[serde(default)]
    unread: bool,
    /// Those about things of this kind.
    kind: Option<Wanted>,
    /// Those about things of this company.
    company: Option<Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<OrderTalk>,
    Query(List { limit, cursor, unread, kind, company }): Query<List>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let mut kinds = talked_about_by(asker.role());
    kinds.retain(|name| kind.is_none_or(|kind| kind.name() == *name));
    let client = asker.client(&queries, &VIEWS[..1]).await?;
    let filter = Filter {
        asker: asker.actor(),
        side: asker.side(),
        id: None,
        company,
        kinds: &kinds,
        unread,
    };
    let items =
        conversations::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.newest)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    limit: Option<u16>,
    cursor: Option<String>,
    /// The oldest or the newest first.
    #[serde(default)]
    order: Order,
    /// With what the asker's own side has noted.
    #[serde(default)]
    notes: bool,
}

/// What was said about one thing.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConversationDetails")]
struct Whole {
    /// About what.
    subject: Subject,
    /// Whose thing that is.
    company: CompanyId,
    /// How many messages there are.
    messages: u32,
    /// How many of the other side's the asker has not read.
    unread: u32,
    /// What was said.
    #[serde(flatten)]
    page: Page<Entry>,
}

async fn show<T: Things>(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<T::Who>,
    PathId(id): PathId,
    Query(Show { limit, cursor, order, notes }): Query<Show>,
) -> Result<Json<Whole>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let client = asker.client(&queries, VIEWS).await?;
    let subject = T::subject(id);
    let company =
        conversations::company_of(&client, subject, asker.company()).await.map_err(problem)?;
    let company = company.ok_or_else(Problem::not_found)?;
    let stream = ConversationId::of(id).0;
    let filter = Filter {
        asker: asker.actor(),
        side: asker.side(),
        id: Some(stream),
        company: None,
        kinds: &[T::KIND.name],
        unread: false,
    };
    let talk = conversations::list(&client, &filter, None, 1).await.map_err(problem)?;
    let (messages, unread) = talk.first().map_or((0, 0), |talk| (talk.messages, talk.unread));
    let notes = notes.then(|| ConversationId::inside(id, asker.side()).0);
    let stretch =
        Stretch { beyond: cursor, backwards: order == Order::Desc, limit: one_more(limit) };
    let items = conversations::entries(&client, stream, notes, stretch).await.map_err(problem)?;
    let page = Page::of(items, limit, |item| item.written.position);
    Ok(Json(Whole { subject, company, messages, unread, page }))
}
