//! Assortments: which companies see which products.

use domain::{
    Assortment, AssortmentId, Audience, Category, Company, Product, Selection, assortment::Command,
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, names_nothing},
};

/// An audience and a selection of products.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeAssortment")]
pub struct Rule {
    pub audience: Audience,
    pub selection: Selection,
}

/// Allows a selection of products for an audience.
pub async fn allow(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Rule { audience, selection }: Rule,
) -> Result<Outcome, Problem> {
    let command = Command::Allow { audience: audience.clone(), selection };
    decide(services, caller, digest, (&audience, selection), command).await
}

/// Denies a selection of products to an audience.
pub async fn deny(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Rule { audience, selection }: Rule,
) -> Result<Outcome, Problem> {
    let command = Command::Deny { audience: audience.clone(), selection };
    decide(services, caller, digest, (&audience, selection), command).await
}

/// Removes an assortment rule.
pub async fn lift(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Rule { audience, selection }: Rule,
) -> Result<Outcome, Problem> {
    let command = Command::Lift { audience: audience.clone(), selection };
    decide(services, caller, digest, (&audience, selection), command).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    (audience, selection): (&Audience, Selection),
    command: Command,
) -> Result<Outcome, Problem> {
    let id = AssortmentId::of(audience);
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                exist(work, audience, selection).await?;
                work.decide::<Assortment>(id, command.clone()).await?;
                Ok(())
            })
        })
        .await
}

/// Loads the categories and products of selections, with at most two queries.
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

/// Checks that the company, category and product exist. A group exists only as the membership of
/// companies, so any group code is accepted.
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
