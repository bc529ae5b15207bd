//! Conversations, with read receipts and unread counts.

use domain::{CompanyId, ConversationId, conversation::Subject};
use projections::views::{
    billing::{goods_returns, invoices},
    messaging::conversations::{self, Conversation, Entry, Filter, Stretch},
    sales::{negotiations, offers, orders},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::permissions::{InvoiceMessages, OfferMessages, OrderMessages, ReturnMessages};
use service_kit::{
    access::{Allowed, Role},
    page::{Listing, Page},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Queries,
    app::{events::Order, one_more},
    asker::{Asker, problem},
};

const VIEWS: &[&str] = &[
    conversations::PROJECTION.name,
    goods_returns::PROJECTION.name,
    invoices::PROJECTION.name,
    negotiations::PROJECTION.name,
    offers::PROJECTION.name,
    orders::PROJECTION.name,
];

/// Kinds of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConversationTopic")]
#[allow(
    missing_docs,
    reason = "self-explanatory names; comments would change the OpenAPI document"
)]
pub enum Topic {
    Offer,
    Negotiation,
    Order,
    Invoice,
    GoodsReturn,
}

impl Topic {
    const ALL: [Self; 5] =
        [Self::Offer, Self::Negotiation, Self::Order, Self::Invoice, Self::GoodsReturn];

    fn of(subject: Subject) -> Self {
        match subject {
            Subject::Offer { .. } => Self::Offer,
            Subject::Negotiation { .. } => Self::Negotiation,
            Subject::Order { .. } => Self::Order,
            Subject::Invoice { .. } => Self::Invoice,
            Subject::GoodsReturn { .. } => Self::GoodsReturn,
        }
    }

    /// The aggregate type of a subject of this kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Negotiation => "negotiation",
            Self::Order => "order",
            Self::Invoice => "invoice",
            Self::GoodsReturn => "goods_return",
        }
    }

    /// The roles that take part in conversations on this kind of subject.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::Offer | Self::Negotiation => OfferMessages::ROLES,
            Self::Order => OrderMessages::ROLES,
            Self::Invoice => InvoiceMessages::ROLES,
            Self::GoodsReturn => ReturnMessages::ROLES,
        }
    }
}

/// The kinds of subjects of the conversations that a role takes part in.
pub(crate) fn conversation_subjects(role: Role) -> Vec<&'static str> {
    let kinds = Topic::ALL.into_iter().filter(|kind| kind.roles().contains(&role));
    kinds.map(Topic::name).collect()
}

/// Which conversations to list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only those with messages that the asker has not read.
    #[serde(default)]
    pub unread: bool,
    /// Only subjects of this kind.
    pub kind: Option<Topic>,
    /// Only subjects of this company.
    pub company: Option<Uuid>,
}

/// Conversations with their last message, newest first.
pub async fn list(
    queries: &Queries,
    asker: &Asker,
    Listing { page, filter: List { unread, kind, company } }: Listing<List>,
) -> Result<Page<Conversation>, Problem> {
    asker.require::<OrderMessages>()?;
    let (limit, cursor) = page.read::<i64>()?;
    let company = asker.narrowed(company)?;
    let mut kinds = conversation_subjects(asker.role());
    kinds.retain(|name| kind.is_none_or(|kind| kind.name() == *name));
    let client = asker.client(queries, &VIEWS[..1]).await?;
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
    Ok(Page::of(items, limit, |item| item.newest))
}

/// Which part of a conversation, and its order.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The oldest or the newest first.
    #[serde(default)]
    pub order: Order,
    /// Include the internal notes of the asker's side.
    #[serde(default)]
    pub notes: bool,
}

/// A conversation on one subject.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConversationDetails")]
pub struct Whole {
    /// The subject.
    pub subject: Subject,
    /// The company of the subject.
    pub company: CompanyId,
    /// The number of messages.
    pub messages: u32,
    /// The number of messages of the other side that the asker has not read.
    pub unread: u32,
    /// The messages.
    #[serde(flatten)]
    pub page: Page<Entry>,
}

/// The conversation on one subject, with read receipts.
pub async fn show(
    queries: &Queries,
    asker: &Asker,
    subject: Subject,
    Listing { page, filter: Show { order, notes } }: Listing<Show>,
) -> Result<Whole, Problem> {
    let topic = Topic::of(subject);
    asker.require_one_of(topic.roles())?;
    let (limit, cursor) = page.read::<i64>()?;
    let client = asker.client(queries, VIEWS).await?;
    let company =
        conversations::company_of(&client, subject, asker.company()).await.map_err(problem)?;
    let company = company.ok_or_else(Problem::not_found)?;
    let id = subject.id();
    let stream = ConversationId::of(id).0;
    let filter = Filter {
        asker: asker.actor(),
        side: asker.side(),
        id: Some(stream),
        company: None,
        kinds: &[topic.name()],
        unread: false,
    };
    let conversation = conversations::list(&client, &filter, None, 1).await.map_err(problem)?;
    let (messages, unread) = conversation
        .first()
        .map_or((0, 0), |conversation| (conversation.messages, conversation.unread));
    let notes = notes.then(|| ConversationId::inside(id, asker.side()).0);
    let stretch =
        Stretch { beyond: cursor, backwards: order == Order::Desc, limit: one_more(limit) };
    let items = conversations::entries(&client, stream, notes, stretch).await.map_err(problem)?;
    let page = Page::of(items, limit, |item| item.written.position);
    Ok(Whole { subject, company, messages, unread, page })
}
