//! `/v1/negotiations`: who talks about which offer, and every round as each side saw it.

pub(super) mod history;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State, http::StatusCode};
use domain::{Side, negotiation::Difference};
use event_log::At;
use jiff::Timestamp;
use projections::views::sales::negotiations::{self, Filter, Negotiation, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    access::Role,
    input::{PathId, Query},
    page::{Page, PageRequest},
    position::never_behind,
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use self::history::{Story, Wish};
use crate::{
    Queries,
    asker::{Asker, By, Dealing, problem},
    http::one_more,
};

const VIEWS: &[&str] = &[negotiations::PROJECTION.name];

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/negotiations",
            get_with(list, |o| o.id("negotiation.list").summary("Negotiations, newest first")),
        )
        .api_route(
            "/v1/negotiations/{id}",
            get_with(show, |o| {
                never_behind(o).id("negotiation.show").summary(
                    "Show a negotiation with its rounds, now or as one side saw it at an instant",
                )
            }),
        )
        .api_route(
            "/v1/negotiations/{id}/differences",
            get_with(differences, |o| {
                never_behind(o)
                    .id("negotiation.differences")
                    .summary("Compare two rounds of a negotiation")
            }),
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    limit: Option<u16>,
    cursor: Option<String>,
    /// Those with this company.
    company: Option<Uuid>,
    /// Those with this status.
    status: Option<Status>,
    /// Those in which it is this side's turn.
    turn: Option<Side>,
    /// Those about this offer.
    offer: Option<Uuid>,
}

async fn list(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Dealing>,
    Query(List { limit, cursor, company, status, turn, offer }): Query<List>,
) -> Result<Json<Page<Negotiation>>, Problem> {
    let page = PageRequest { limit, cursor };
    let (limit, cursor) = (page.limit()?, page.cursor::<i64>()?);
    let company = asker.narrowed(company)?;
    let client = asker.client(&queries, VIEWS).await?;
    let filter = Filter { id: None, company, status, turn, offer };
    let items =
        negotiations::list(&client, &filter, cursor, one_more(limit)).await.map_err(problem)?;
    Ok(Json(Page::of(items, limit, |item| item.created)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Show {
    limit: Option<u16>,
    cursor: Option<String>,
    /// As it was then; now when not given.
    at: Option<Timestamp>,
    /// With the eyes of this side; only auditors and the seller's admin look with the buyer's.
    #[serde(rename = "as")]
    eyes: Option<Side>,
}

async fn show(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Dealing>,
    PathId(id): PathId,
    Query(Show { limit, cursor, at, eyes }): Query<Show>,
) -> Result<Json<Story>, Problem> {
    let page = PageRequest { limit, cursor };
    let (entries, after) = (page.limit()?, page.cursor()?.unwrap_or_default());
    let wish = Wish { entries, after, ..Wish::default() };
    let moment = (at.map_or(At::Now, At::Instant), eyes_of(&asker, eyes)?);
    Ok(Json(story(&queries, &asker, id, moment, wish).await?))
}

/// The negotiation of a company that the asker may see.
async fn story(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    moment: (At, Side),
    wish: Wish,
) -> Result<Story, Problem> {
    let story = Story::of(queries, asker, id, moment, wish).await?;
    asker.narrowed(Some(story.company().0))?;
    Ok(story)
}

/// With whose eyes somebody looks.
fn eyes_of(asker: &Asker, wanted: Option<Side>) -> Result<Side, Problem> {
    let own = if asker.company().is_some() { Side::Buyer } else { Side::Seller };
    let sees_both = own == Side::Seller && matches!(asker.role(), Role::Admin | Role::Auditor);
    match wanted {
        None => Ok(own),
        Some(side) if side == own || sees_both => Ok(side),
        Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "negotiation.other_side").field(
            FieldError::parameter("as", "what the other side deliberates is its own business"),
        )),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Between {
    /// After this round; 0 is what the seller has offered.
    from: u32,
    /// After this round; the last one when not given.
    to: Option<u32>,
}

/// What has changed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NegotiationDifferences")]
struct Differences {
    /// After this round,
    from: u32,
    /// and after this one.
    to: u32,
    /// The points that stand otherwise.
    items: Vec<Difference>,
}

async fn differences(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<Dealing>,
    PathId(id): PathId,
    Query(Between { from, to }): Query<Between>,
) -> Result<Json<Differences>, Problem> {
    let moment = (At::Now, eyes_of(&asker, None)?);
    let wish = Wish { rounds: [from].into_iter().chain(to).collect(), ..Wish::default() };
    let story = story(&queries, &asker, id, moment, wish).await?;
    let last = story.rounds();
    let to = to.unwrap_or(last);
    let table = |round: u32, parameter: &'static str| {
        story.table_after(round).ok_or_else(|| {
            let detail = format!("there were {last} rounds");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query.invalid")
                .field(FieldError::parameter(parameter, detail))
        })
    };
    let items = table(from, "from")?.differences(table(to, "to")?);
    Ok(Json(Differences { from, to, items }))
}
