//! Details of a product: texts, categories, packaging, VAT rate, images and so on.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    ProductId,
    product::{Character, Classification, Naming, Packing},
};
use service_kit::permissions::Pricing;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        catalogue::product::details::{
            self, Bundle, Categorize, ChangeVatRate, Describe, Picture, SetReturnTerm, Substitute,
        },
    },
    http::{Done, access::By},
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
        .api_route(
            "/v1/products/{id}/return-term",
            post_with(set_return_term, |o| {
                o.id("product.set_return_term").summary("Set the term of return of a product")
            }),
        )
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Naming>,
) -> Result<Done, Problem> {
    Ok(details::rename(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn describe(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Describe>,
) -> Result<Done, Problem> {
    Ok(details::describe(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn characterize(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Character>,
) -> Result<Done, Problem> {
    Ok(details::characterize(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn categorize(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Categorize>,
) -> Result<Done, Problem> {
    Ok(details::categorize(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn pack(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Packing>,
) -> Result<Done, Problem> {
    Ok(details::pack(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn change_vat_rate(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<ChangeVatRate>,
) -> Result<Done, Problem> {
    Ok(details::change_vat_rate(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn classify(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Classification>,
) -> Result<Done, Problem> {
    Ok(details::classify(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn picture(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Picture>,
) -> Result<Done, Problem> {
    Ok(details::picture(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn substitute(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Substitute>,
) -> Result<Done, Problem> {
    Ok(details::substitute(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn bundle(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<Bundle>,
) -> Result<Done, Problem> {
    Ok(details::bundle(&services, &caller, digest, ProductId(id), value).await?.into())
}

async fn set_return_term(
    State(services): State<Services>,
    By { who: caller, .. }: By<Pricing>,
    PathId(id): PathId,
    Body { value, digest }: Body<SetReturnTerm>,
) -> Result<Done, Problem> {
    Ok(details::set_return_term(&services, &caller, digest, ProductId(id), value).await?.into())
}
