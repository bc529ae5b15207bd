//! `/v1/assortments`: who sees what of all that is sold.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Assortment, AssortmentId, Audience, Category, Company, Product, Selection, assortment::Command,
};
use event_log::Work;
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{input::Body, problem::Problem};

use crate::{
    Services,
    caller::Caller,
    failure::{Failure, names_nothing, problem},
    http::Done,
    http::access::{By, Pricing},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/assortments/allow",
            post_with(allow, |o| {
                o.id("assortment.allow").summary("Allow a selection of products for an audience")
            }),
        )
        .api_route(
            "/v1/assortments/deny",
            post_with(deny, |o| {
                o.id("assortment.deny").summary("Deny a selection of products to an audience")
            }),
        )
        .api_route(
            "/v1/assortments/lift",
            post_with(lift, |o| o.id("assortment.lift").summary("Remove an assortment rule")),
        )
}

/// Who, and what.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeAssortment")]
struct Rule {
    audience: Audience,
    selection: Selection,
}

async fn allow(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: Rule { audience, selection }, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    let command = Command::Allow { audience: audience.clone(), selection };
    decide(&services, &caller, digest, (&audience, selection), command).await
}

async fn deny(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: Rule { audience, selection }, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    let command = Command::Deny { audience: audience.clone(), selection };
    decide(&services, &caller, digest, (&audience, selection), command).await
}

async fn lift(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    Body { value: Rule { audience, selection }, digest }: Body<Rule>,
) -> Result<Done, Problem> {
    let command = Command::Lift { audience: audience.clone(), selection };
    decide(&services, &caller, digest, (&audience, selection), command).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    (audience, selection): (&Audience, Selection),
    command: Command,
) -> Result<Done, Problem> {
    let id = AssortmentId::of(audience);
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (audience, command) = (audience.clone(), command.clone());
            async move {
                exist(work, &audience, selection).await?;
                work.decide::<Assortment>(id, command).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Loads what selections name, with two queries at most, however many there are.
pub(crate) async fn load(
    work: &mut Work,
    selections: impl Iterator<Item = Selection> + Clone,
) -> Result<(), Failure> {
    let categories: Vec<_> = selections
        .clone()
        .filter_map(|selection| match selection {
            Selection::Category { category } => Some(category.0),
            Selection::Everything | Selection::Product { .. } => None,
        })
        .collect();
    let products: Vec<_> = selections
        .filter_map(|selection| match selection {
            Selection::Product { product } => Some(product.0),
            Selection::Everything | Selection::Category { .. } => None,
        })
        .collect();
    work.load_many::<Category>(categories).await?;
    work.load_many::<Product>(products).await?;
    Ok(())
}

/// Whether the company, the category or the product that are named exist. Groups are what companies
/// join, so any may be named.
pub(crate) async fn exist(
    work: &mut Work,
    audience: &Audience,
    selection: Selection,
) -> Result<(), Failure> {
    if let Audience::Company { company } = audience
        && work.load::<Company>(*company).await?.customer().is_err()
    {
        return Err(names_nothing("/audience/company", "company").into());
    }
    match selection {
        Selection::Everything => Ok(()),
        Selection::Category { category } => match work.load::<Category>(category).await?.branch() {
            Ok(_) => Ok(()),
            Err(_) => Err(names_nothing("/selection/category", "category").into()),
        },
        Selection::Product { product } => match work.load::<Product>(product).await?.item() {
            Ok(_) => Ok(()),
            Err(_) => Err(names_nothing("/selection/product", "product").into()),
        },
    }
}
