//! What is known of a product besides its code and its price.

use std::collections::BTreeMap;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    CategoryId, Claim, Language, Product, ProductId, VatRate, category, claim,
    product::{self, Character, Classification, Command, ImageUrl, Naming, Packing, Part, Text},
};
use event_log::Work;
use futures::FutureExt;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};

use crate::{
    Services,
    app::catalogue::category_paths,
    failure::{Failure, problem, refusal},
    http::access::{By, Pricing},
    http::{Done, decide},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/products/{id}/rename",
            post_with(rename, |o| o.id("product.rename").summary("Rename a product")),
        )
        .api_route(
            "/v1/products/{id}/texts",
            post_with(describe, |o| o.id("product.describe").summary("Set the texts of a product")),
        )
        .api_route(
            "/v1/products/{id}/character",
            post_with(characterize, |o| {
                o.id("product.characterize")
                    .summary("Set the brand, family and attributes of a product")
            }),
        )
        .api_route(
            "/v1/products/{id}/categories",
            post_with(categorize, |o| {
                o.id("product.categorize").summary("Assign a product to categories")
            }),
        )
        .api_route(
            "/v1/products/{id}/packing",
            post_with(pack, |o| {
                o.id("product.pack").summary("Set the packagings and order quantities of a product")
            }),
        )
        .api_route(
            "/v1/products/{id}/vat-rate",
            post_with(change_vat_rate, |o| {
                o.id("product.change_vat_rate")
                    .summary("Change the VAT rate of a product from a day on")
            }),
        )
        .api_route(
            "/v1/products/{id}/classification",
            post_with(classify, |o| {
                o.id("product.classify").summary("Classify a product: PKWiU, CN code, annex 15")
            }),
        )
        .api_route(
            "/v1/products/{id}/images",
            post_with(picture, |o| o.id("product.picture").summary("Set the images of a product")),
        )
        .api_route(
            "/v1/products/{id}/substitutes",
            post_with(substitute, |o| {
                o.id("product.substitute").summary("Set the substitutes of a product")
            }),
        )
        .api_route(
            "/v1/products/{id}/parts",
            post_with(bundle, |o| o.id("product.bundle").summary("Set the parts of a bundle")),
        )
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Naming>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::Rename(value)).await
}

/// The words, by language.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DescribeProduct")]
struct Describe {
    texts: BTreeMap<Language, Text>,
}

async fn describe(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Describe { texts }, digest }: Body<Describe>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::Describe { texts }).await
}

async fn characterize(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Character>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::Characterize(value)).await
}

/// Which, the main one first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CategorizeProduct")]
struct Categorize {
    categories: Vec<CategoryId>,
}

async fn categorize(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Categorize { categories }, digest }: Body<Categorize>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let categories = categories.clone();
            async move {
                take_in(work, &categories).await?;
                work.decide::<Product>(id, Command::Categorize { categories }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Whether all the categories take products.
async fn take_in(work: &mut Work, categories: &[CategoryId]) -> Result<(), Failure> {
    work.load_many::<domain::Category>(categories.iter().map(|category| category.0)).await?;
    for (index, category) in categories.iter().enumerate() {
        category_paths::takes(work, *category).map_err(|error| {
            // The product is there: what is missing is the category that it names.
            let status = match error {
                category::Error::Unopened => axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                _ => axum::http::StatusCode::CONFLICT,
            };
            Problem::new(status, domain::Refusal::code(&error))
                .field(FieldError::at(format!("/categories/{index}"), error.to_string()))
        })?;
    }
    Ok(())
}

async fn pack(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: packing, digest }: Body<Packing>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let packing = packing.clone();
            async move {
                let gtins = packing.packagings.iter().filter_map(|packed| packed.gtin.clone());
                let claims: Vec<claim::Value> = gtins.map(claim::Value::Gtin).collect();
                for value in claims {
                    let command = claim::Command::Take { by: id, value: value.clone() };
                    work.decide::<Claim>(value.id(), command).await?;
                }
                work.decide::<Product>(id, Command::Pack(packing)).await?;
                work.answer(id);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Another rate.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChangeVatRate {
    /// The first day on which it holds.
    #[schemars(with = "String", extend("format" = "date"))]
    from: Date,
    vat_rate: VatRate,
}

async fn change_vat_rate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: ChangeVatRate { from, vat_rate }, digest }: Body<ChangeVatRate>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::ChangeVatRate { from, vat_rate })
        .await
}

async fn classify(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Classification>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::Classify(value)).await
}

/// Where they are, the main one first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductImages")]
struct Picture {
    images: Vec<ImageUrl>,
}

async fn picture(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Picture { images }, digest }: Body<Picture>,
) -> Result<Done, Problem> {
    decide::<Product>(&services, &caller, id, digest, Command::Picture { images }).await
}

/// Which products.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductSubstitutes")]
struct Substitute {
    substitutes: Vec<ProductId>,
}

async fn substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Substitute { substitutes }, digest }: Body<Substitute>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let substitutes = substitutes.clone();
            async move {
                are_known(work, &substitutes, |index| format!("/substitutes/{index}")).await?;
                work.decide::<Product>(id, Command::Substitute { substitutes }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// Of what it is made; of nothing when it is a single product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleParts")]
struct Bundle {
    parts: Vec<Part>,
}

async fn bundle(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value: Bundle { parts }, digest }: Body<Bundle>,
) -> Result<Done, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let parts = parts.clone();
            async move {
                are_single(work, &parts).await?;
                work.decide::<Product>(id, Command::Bundle { parts }).await?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// A bundle of bundles could come to hold itself.
async fn are_single(work: &mut Work, parts: &[Part]) -> Result<(), Failure> {
    let products: Vec<ProductId> = parts.iter().map(|part| part.product).collect();
    are_known(work, &products, |index| format!("/parts/{index}/product")).await?;
    for (index, part) in parts.iter().enumerate() {
        let Some(Ok(item)) = work.get::<Product>(part.product).map(Product::item) else { continue };
        if item.is_bundle() {
            let at = format!("/parts/{index}/product");
            return Err(Problem::new(axum::http::StatusCode::CONFLICT, "product.part_is_bundle")
                .field(FieldError::at(at, "it is a bundle itself"))
                .into());
        }
        let whole =
            work.get::<Product>(part.product).map(|part_of| part_of.can_leave(part.quantity));
        whole.transpose().map_err(|error| {
            let at = format!("/parts/{index}/quantity");
            refusal(&error).field(FieldError::at(at, error.to_string()))
        })?;
    }
    Ok(())
}

/// Whether the products exist.
pub(super) async fn are_known(
    work: &mut Work,
    products: &[ProductId],
    pointer: impl Fn(usize) -> String + Send,
) -> Result<(), Failure> {
    let found = work.load_many::<Product>(products.iter().map(|product| product.0)).await?;
    let is_missing =
        |product: &ProductId| found.iter().any(|(id, version)| *id == product.0 && *version == 0);
    match products.iter().position(is_missing) {
        Some(index) => {
            let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, domain::Refusal::code(&product::Error::Undrafted))
                .field(FieldError::at(pointer(index), "there is no such product"))
                .into())
        }
        None => Ok(()),
    }
}
