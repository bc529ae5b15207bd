//! `/v1/categories`: the tree in which products stand.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{Category, CategoryId, category, category::Command};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};
use uuid::Uuid;

use crate::{
    Services,
    app::catalogue::trees,
    failure::{Failure, problem},
    http::access::{By, Pricing},
    http::{Created, Done, Nothing, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/categories",
            post_with(open, |o| o.id("category.open").summary("Open a category")),
        )
        .api_route(
            "/v1/categories/{id}/rename",
            post_with(rename, |o| o.id("category.rename").summary("Rename a category")),
        )
        .api_route(
            "/v1/categories/{id}/move",
            post_with(move_below, |o| {
                o.id("category.move").summary("Move a category with all categories below it")
            }),
        )
        .api_route(
            "/v1/categories/{id}/close",
            post_with(close, |o| {
                o.id("category.close").summary("Close a category to further products")
            }),
        )
}

/// A new category.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenCategory")]
struct Open {
    /// What it is called.
    title: category::Title,
    /// The category above it; without one it is a root.
    #[serde(default)]
    parent: Option<CategoryId>,
}

async fn open(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: Open { title, parent }, digest }: Body<Open>,
) -> Result<Created, Problem> {
    let id = CategoryId(Uuid::now_v7());
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let title = title.clone();
            async move {
                trees::open(work, id, title, parent).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(Created::within("/v1/categories", done.outcome))
}

/// What it is called now.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameCategory")]
struct Rename {
    title: category::Title,
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Rename { title }, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    decide::<Category>(&services, &caller, id, digest, Command::Rename { title }).await
}

/// Where to; `null` makes it a root.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MoveCategory")]
struct MoveBelow {
    parent: Option<CategoryId>,
}

async fn move_below(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: MoveBelow { parent }, digest }: Body<MoveBelow>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let views = services.views.clone();
            async move {
                work.lend(views);
                trees::move_below(work, CategoryId(id), parent).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

async fn close(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    decide::<Category>(&services, &caller, id, digest, Command::Close).await
}
