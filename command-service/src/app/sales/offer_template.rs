//! Offer templates: reusable lines and terms for offers.

use std::collections::HashSet;

use domain::{
    Claim, Currency, Message, Name, OfferTemplate, OfferTemplateId, PaymentTerm, Product, Quantity,
    Sku, UnitPrice, claim,
    offer_template::{Command, Error, Template, TemplateLine},
    product::{self, PackagingName},
};
use event_log::{Outcome, Work, WorkError};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding, sales::lines},
    caller::Caller,
    failure::{Failure, refusal, refusal_at},
};

/// The content of a template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepOfferTemplate")]
pub struct Keep {
    /// The seller's name for it.
    pub name: Name,
    pub currency: Currency,
    /// 1 to 500 lines.
    pub lines: Vec<KeepLine>,
    /// A note to the company.
    #[serde(default)]
    pub message: Option<Message>,
    /// The company's own term when not given.
    #[serde(default)]
    pub payment_term: Option<PaymentTerm>,
    /// The validity of offers in days.
    pub valid_days: u16,
}

/// A quantity of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepOfferTemplateLine")]
pub struct KeepLine {
    pub sku: Sku,
    /// The quantity, in units of the product or of `packaging`.
    pub quantity: Quantity,
    /// The packaging in which the quantity is given, such as `carton`.
    #[serde(default)]
    pub packaging: Option<PackagingName>,
    /// Net price of one unit; the listed price when not given.
    #[serde(default)]
    pub unit_price: Option<UnitPrice>,
    /// Whether the company may omit the line.
    #[serde(default)]
    pub optional: bool,
}

/// Creates an offer template.
pub async fn make(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Keep,
) -> Result<Outcome, Problem> {
    let id = OfferTemplateId(Uuid::now_v7());
    write(services, caller, digest, id, (request, false)).await
}

/// Replaces the content of an offer template.
pub async fn keep(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferTemplateId,
    request: Keep,
) -> Result<Outcome, Problem> {
    write(services, caller, digest, id, (request, true)).await
}

async fn write(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferTemplateId,
    (keep, is_known): (Keep, bool),
) -> Result<Outcome, Problem> {
    let keep = &keep;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                if is_known {
                    let known = work.load::<OfferTemplate>(id).await?.template();
                    known.map_err(|error| refusal(&error))?;
                }
                let template = Box::new(template(work, keep.clone()).await?);
                let kept = work.decide::<OfferTemplate>(id, Command::Keep { template }).await;
                kept.map_err(|error| refusal_at(error, pointer))?;
                Ok(())
            })
        })
        .await
}

/// The request field to which a rule belongs.
fn pointer(error: &Error) -> Option<String> {
    match error {
        Error::LineCount => Some("/lines".to_owned()),
        Error::ValidDays => Some("/valid_days".to_owned()),
        Error::Unkept | Error::Dropped => None,
    }
}

async fn template(work: &mut Work, keep: Keep) -> Result<Template, Failure> {
    let Keep { name, currency, lines, message, payment_term, valid_days } = keep;
    // Checked before products are loaded.
    if lines.len() > Template::MOST_LINES {
        return Err(refusal_at(WorkError::Refused(Error::LineCount), pointer));
    }
    let claim = |line: &KeepLine| claim::Value::Sku(line.sku.clone()).id().0;
    work.load_many::<Claim>(lines.iter().map(claim).collect::<HashSet<_>>()).await?;
    let holder = |line: &KeepLine| work.get::<Claim>(claim(line))?.holder();
    let products: Vec<Option<Uuid>> = lines.iter().map(holder).collect();
    work.load_many::<Product>(products.iter().flatten()).await?;
    let (mut found, mut wrong) = (Vec::with_capacity(lines.len()), Vec::new());
    for (index, (request, product)) in lines.iter().zip(products).enumerate() {
        let field = |name, detail| FieldError::at(format!("/lines/{index}/{name}"), detail);
        let Some(product) = product.and_then(|id| work.get::<Product>(id)) else {
            wrong.push((None, field("sku", "no product has this SKU".to_owned())));
            continue;
        };
        match line(product, request) {
            Ok(line) => found.push(line),
            Err(error) => {
                let (name, detail) = (lines::field_of(&error, "sku"), error.to_string());
                wrong.push((Some(refusal(&error)), field(name, detail)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(lines::refused(wrong).into());
    }
    Ok(Template { name, currency, lines: found, message, payment_term, valid_days })
}

fn line(product: &Product, request: &KeepLine) -> Result<TemplateLine, product::Error> {
    let (item, quantity) = lines::so_much_of(product, request.quantity, request.packaging)?;
    Ok(TemplateLine {
        product: item.id(),
        sku: item.sku().clone(),
        name: item.description().name.clone(),
        quantity,
        unit_price: request.unit_price,
        optional: request.optional,
    })
}

/// Drops an offer template.
pub async fn forget(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferTemplateId,
) -> Result<Outcome, Problem> {
    services.decide::<OfferTemplate>(caller, digest, id, Command::Drop).await
}
