//! Details of a product: texts, categories, packaging, VAT rate, images and so on.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use domain::{
    CategoryId, Claim, Language, Product, ProductId, VatRate, category, claim,
    product::{self, Character, Classification, Command, ImageUrl, Naming, Packing, Part, Text},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{Services, catalogue::category_paths, deciding},
    caller::Caller,
    failure::{Failure, refusal},
};

/// Renames a product.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    request: Naming,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::Rename(request)).await
}

/// Texts by language.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DescribeProduct")]
pub struct Describe {
    pub texts: BTreeMap<Language, Text>,
}

/// Sets the texts of a product.
pub async fn describe(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Describe { texts }: Describe,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::Describe { texts }).await
}

/// Sets the brand, family and attributes of a product.
pub async fn characterize(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    request: Character,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::Characterize(request)).await
}

/// The categories, the main one first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CategorizeProduct")]
pub struct Categorize {
    pub categories: Vec<CategoryId>,
}

/// Assigns a product to categories.
pub async fn categorize(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Categorize { categories }: Categorize,
) -> Result<Outcome, Problem> {
    let categories = &categories;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                take_in(work, categories).await?;
                work.decide::<Product>(id, Command::Categorize { categories: categories.clone() })
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Checks that products can be assigned to all the categories.
async fn take_in(work: &mut Work, categories: &[CategoryId]) -> Result<(), Failure> {
    work.load_many::<domain::Category>(categories.iter().map(|category| category.0)).await?;
    for (index, category) in categories.iter().enumerate() {
        category_paths::takes(work, *category).map_err(|error| {
            // The product exists, so the missing thing is the category.
            let status = match error {
                category::Error::Unopened => StatusCode::UNPROCESSABLE_ENTITY,
                _ => StatusCode::CONFLICT,
            };
            Problem::new(status, domain::Refusal::code(&error))
                .field(FieldError::at(format!("/categories/{index}"), error.to_string()))
        })?;
    }
    Ok(())
}

/// Sets the packagings and order quantities of a product.
pub async fn pack(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    packing: Packing,
) -> Result<Outcome, Problem> {
    let packing = &packing;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let gtins = packing.packagings.iter().filter_map(|packed| packed.gtin.clone());
                let claims: Vec<claim::Value> = gtins.map(claim::Value::Gtin).collect();
                for value in claims {
                    let command = claim::Command::Take { by: id.0, value: value.clone() };
                    work.decide::<Claim>(value.id(), command).await?;
                }
                work.decide::<Product>(id, Command::Pack(packing.clone())).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// A VAT rate and its first day.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeVatRate {
    /// The first day of the rate.
    #[schemars(with = "String", extend("format" = "date"))]
    pub from: Date,
    pub vat_rate: VatRate,
}

/// Changes the VAT rate of a product from a day on.
pub async fn change_vat_rate(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    ChangeVatRate { from, vat_rate }: ChangeVatRate,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::ChangeVatRate { from, vat_rate }).await
}

/// Classifies a product: `PKWiU`, CN code, annex 15.
pub async fn classify(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    request: Classification,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::Classify(request)).await
}

/// The image URLs, the main one first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductImages")]
pub struct Picture {
    pub images: Vec<ImageUrl>,
}

/// Sets the images of a product.
pub async fn picture(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Picture { images }: Picture,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::Picture { images }).await
}

/// The substitutes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductSubstitutes")]
pub struct Substitute {
    pub substitutes: Vec<ProductId>,
}

/// Sets the substitutes of a product.
pub async fn substitute(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Substitute { substitutes }: Substitute,
) -> Result<Outcome, Problem> {
    let substitutes = &substitutes;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                are_known(work, substitutes, |index| format!("/substitutes/{index}")).await?;
                work.decide::<Product>(
                    id,
                    Command::Substitute { substitutes: substitutes.clone() },
                )
                .await?;
                Ok(())
            })
        })
        .await
}

/// The parts of the bundle; an empty list makes it a single product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BundleParts")]
pub struct Bundle {
    pub parts: Vec<Part>,
}

/// Sets the parts of a bundle.
pub async fn bundle(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    Bundle { parts }: Bundle,
) -> Result<Outcome, Problem> {
    let parts = &parts;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                are_single(work, parts).await?;
                work.decide::<Product>(id, Command::Bundle { parts: parts.clone() }).await?;
                Ok(())
            })
        })
        .await
}

/// Bundles cannot be parts of bundles, so no bundle contains itself.
async fn are_single(work: &mut Work, parts: &[Part]) -> Result<(), Failure> {
    let products: Vec<ProductId> = parts.iter().map(|part| part.product).collect();
    are_known(work, &products, |index| format!("/parts/{index}/product")).await?;
    for (index, part) in parts.iter().enumerate() {
        let Some(Ok(item)) = work.get::<Product>(part.product).map(Product::item) else { continue };
        if item.is_bundle() {
            let at = format!("/parts/{index}/product");
            return Err(Problem::new(StatusCode::CONFLICT, "product.part_is_bundle")
                .field(FieldError::at(at, "is a bundle"))
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

/// For how long a product can be returned.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProductReturnTerm")]
pub struct SetReturnTerm {
    /// The number of days after the dispatch in which a company can return it; at any time when
    /// missing.
    #[serde(default)]
    pub days: Option<u16>,
}

/// Sets the term of return of a product.
pub async fn set_return_term(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ProductId,
    SetReturnTerm { days }: SetReturnTerm,
) -> Result<Outcome, Problem> {
    services.decide::<Product>(caller, digest, id, Command::SetReturnTerm { days }).await
}

/// Checks that the products exist.
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
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, domain::Refusal::code(&product::Error::Undrafted))
                .field(FieldError::at(pointer(index), "no product has this SKU"))
                .into())
        }
        None => Ok(()),
    }
}
