//! `/v1/companies/{id}/product-codes`: what a company calls products in its own books.

use std::collections::HashSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::{extract::State, http::StatusCode};
use domain::{
    Claim, Company, CompanyId, Product, ProductCode, ProductCodeId, ProductId, Reference, Sku,
    claim, product_code::Command,
};
use event_log::Work;
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    Services,
    app::pricing::pricing_context::{AssortmentContext, Requester},
    caller::Caller,
    failure::{Failure, names_nothing, problem, refusal},
    http::Done,
    http::access::{By, Ordering},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/product-codes",
            post_with(assign, |o| {
                o.id("product_code.assign").summary("Assign a company's own product codes")
            }),
        )
        .api_route(
            "/v1/companies/{id}/product-codes/drop",
            post_with(forget, |o| {
                o.id("product_code.drop").summary("Drop a company's own product codes")
            }),
        )
}

/// Codes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignProductCodes")]
struct Assign {
    /// At most a thousand, all or none; more come as a sheet.
    codes: Vec<Assigned>,
}

/// What a product is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignedProductCode")]
struct Assigned {
    /// The company's code.
    code: Reference,
    /// The seller's.
    sku: Sku,
}

/// Codes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DropProductCodes")]
struct Forget {
    /// At most a thousand, all or none.
    codes: Vec<Reference>,
}

/// How many codes a request may bring.
const MOST: usize = 1_000;

async fn assign(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Assign { codes }, digest }: Body<Assign>,
) -> Result<Done, Problem> {
    counted(codes.len())?;
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, codes) = (caller.clone(), codes.clone());
            async move {
                let company = company(work, &caller, id).await?;
                let claim = |one: &Assigned| claim::Value::Sku(one.sku.clone()).id().0;
                work.load_many::<Claim>(codes.iter().map(claim).collect::<HashSet<_>>()).await?;
                load(work, company, codes.iter().map(|one| &one.code)).await?;
                // The seller may name what the company does not see yet.
                let assortment_context = match caller.company() {
                    Some(_) => Some(open(work, company, codes.iter().map(claim)).await?),
                    None => None,
                };
                let exists = |work: &Work, id: &ProductId| {
                    let Some(assortment_context) = &assortment_context else { return true };
                    let product = work.get::<Product>(*id);
                    product.is_some_and(|product| {
                        assortment_context.shows(work, product, Requester::Company)
                    })
                };
                for (index, one) in codes.into_iter().enumerate() {
                    let holder = work.get::<Claim>(claim(&one)).and_then(Claim::holder);
                    let missing = || names_nothing(format!("/codes/{index}/sku"), "product");
                    let product = holder.map(ProductId).filter(|id| exists(work, id));
                    let product = product.ok_or_else(missing)?;
                    let (stream, code) = (ProductCodeId::of(company, &one.code), one.code);
                    let command = Command::Assign { company, code, product };
                    work.decide::<ProductCode>(stream, command).await?;
                }
                work.answer(company);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// What the company sees of the products that hold these codes.
async fn open(
    work: &mut Work,
    company: CompanyId,
    claims: impl Iterator<Item = Uuid>,
) -> Result<AssortmentContext, Failure> {
    let holders = claims.filter_map(|claim| work.get::<Claim>(claim)?.holder());
    let products: Vec<ProductId> = holders.map(ProductId).collect();
    work.load_many::<Product>(products.iter().map(|id| id.0)).await?;
    AssortmentContext::open(work, company, &products).await
}

async fn forget(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Forget { codes }, digest }: Body<Forget>,
) -> Result<Done, Problem> {
    counted(codes.len())?;
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let (caller, codes) = (caller.clone(), codes.clone());
            async move {
                let company = company(work, &caller, id).await?;
                load(work, company, codes.iter()).await?;
                for code in &codes {
                    let stream = ProductCodeId::of(company, code);
                    work.decide::<ProductCode>(stream, Command::Drop).await?;
                }
                work.answer(company);
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome.into())
}

/// The company, if there is one that the caller sees.
async fn company(work: &mut Work, caller: &Caller, id: Uuid) -> Result<CompanyId, Failure> {
    caller.must_see(Some(id))?;
    let customer = work.load::<Company>(id).await?.customer().map_err(|error| refusal(&error))?;
    Ok(customer.id)
}

async fn load(
    work: &mut Work,
    company: CompanyId,
    codes: impl Iterator<Item = &Reference>,
) -> Result<(), Failure> {
    let streams: HashSet<Uuid> = codes.map(|code| ProductCodeId::of(company, code).0).collect();
    work.load_many::<ProductCode>(streams).await?;
    Ok(())
}

fn counted(codes: usize) -> Result<(), Problem> {
    if (1..=MOST).contains(&codes) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "product_code.count_invalid")
        .field(FieldError::at("/codes", format!("there must be 1 to {MOST}"))))
}
