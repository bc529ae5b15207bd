//! Product codes: a company's own codes for products.

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Claim, Company, CompanyId, Product, ProductCode, ProductCodeId, ProductId, Reference, Sku,
    claim, product_code::Command,
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services,
        catalogue::assortment_context::{AssortmentContext, Requester},
        deciding,
    },
    caller::Caller,
    failure::{Failure, names_nothing, refusal},
};

/// Product codes to assign.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignProductCodes")]
pub struct Assign {
    /// At most 1,000, all or none; larger requests are imported as a sheet.
    pub codes: Vec<Assigned>,
}

/// A company's code for a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AssignedProductCode")]
pub struct Assigned {
    /// The company's code.
    pub code: Reference,
    /// The seller's SKU.
    pub sku: Sku,
}

/// Product codes to drop.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DropProductCodes")]
pub struct Forget {
    /// At most 1,000, all or none.
    pub codes: Vec<Reference>,
}

/// The maximum number of codes per request.
const MOST: usize = 1_000;

/// Assigns a company's own product codes.
pub async fn assign(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Assign { codes }: Assign,
) -> Result<Outcome, Problem> {
    counted(codes.len())?;
    let codes = &codes;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let company = company(work, caller, id).await?;
                let claim = |one: &Assigned| claim::Value::Sku(one.sku.clone()).id().0;
                work.load_many::<Claim>(codes.iter().map(claim).collect::<HashSet<_>>()).await?;
                load(work, company, codes.iter().map(|one| &one.code)).await?;
                // The seller may name products that the company does not see.
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
                for (index, one) in codes.iter().enumerate() {
                    let holder = work.get::<Claim>(claim(one)).and_then(Claim::holder);
                    let missing = || names_nothing(format!("/codes/{index}/sku"), "product");
                    let product = holder.map(ProductId).filter(|id| exists(work, id));
                    let product = product.ok_or_else(missing)?;
                    let (stream, code) = (ProductCodeId::of(company, &one.code), one.code.clone());
                    let command = Command::Assign { company, code, product };
                    work.decide::<ProductCode>(stream, command).await?;
                }
                work.answer(company);
                Ok(())
            })
        })
        .await
}

/// Which of the products that hold these codes the company sees.
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

/// Drops a company's own product codes.
pub async fn forget(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Forget { codes }: Forget,
) -> Result<Outcome, Problem> {
    counted(codes.len())?;
    let codes = &codes;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let company = company(work, caller, id).await?;
                load(work, company, codes.iter()).await?;
                for code in codes {
                    let stream = ProductCodeId::of(company, code);
                    work.decide::<ProductCode>(stream, Command::Drop).await?;
                }
                work.answer(company);
                Ok(())
            })
        })
        .await
}

/// The company, if it exists and the caller may see it.
async fn company(work: &mut Work, caller: &Caller, id: CompanyId) -> Result<CompanyId, Failure> {
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
