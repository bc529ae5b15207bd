//! `/v1/offer-templates`: what the seller offers again and again.

use std::collections::HashSet;

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Claim, Currency, Message, Name, OfferTemplate, OfferTemplateId, PaymentTerm, Product, Quantity,
    Sku, UnitPrice, claim,
    offer_template::{Command, Error, Template, TemplateLine},
    product::{self, PackagingName},
};
use event_log::{Outcome, Work, WorkError};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::{FieldError, Problem},
};
use uuid::Uuid;

use crate::{
    app::{Services, sales::lines},
    caller::Caller,
    failure::{Failure, problem, refusal, refusal_at},
    http::{
        Created, Done, Nothing,
        access::{By, Sales},
    },
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/offer-templates",
            post_with(make, |o| o.id("offer_template.make").summary("Create an offer template")),
        )
        .api_route(
            "/v1/offer-templates/{id}/keep",
            post_with(keep, |o| {
                o.id("offer_template.keep").summary("Replace the content of an offer template")
            }),
        )
        .api_route(
            "/v1/offer-templates/{id}/drop",
            post_with(forget, |o| o.id("offer_template.drop").summary("Drop an offer template")),
        )
}

/// With what a draft begins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepOfferTemplate")]
struct Keep {
    /// What the seller calls it.
    name: Name,
    currency: Currency,
    /// 1 to 500.
    lines: Vec<KeepLine>,
    /// What is written to the company.
    #[serde(default)]
    message: Option<Message>,
    /// The company's own term when not given.
    #[serde(default)]
    payment_term: Option<PaymentTerm>,
    /// For how many days the offer holds.
    valid_days: u16,
}

/// So much of a product.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepOfferTemplateLine")]
struct KeepLine {
    sku: Sku,
    /// How much of it: in its units, or in those of `packaging`.
    quantity: Quantity,
    /// In what it is counted, such as `carton`.
    #[serde(default)]
    packaging: Option<PackagingName>,
    /// Net price of one unit; what agreements and lists make when not given.
    #[serde(default)]
    unit_price: Option<UnitPrice>,
    /// Whether the company may leave it out.
    #[serde(default)]
    optional: bool,
}

async fn make(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    Body { value, digest }: Body<Keep>,
) -> Result<Created, Problem> {
    let id = OfferTemplateId(Uuid::now_v7());
    let outcome = write(&services, &caller, id, digest, (value, false)).await?;
    Ok(Created::within("/v1/offer-templates", outcome))
}

async fn keep(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<Keep>,
) -> Result<Done, Problem> {
    let id = OfferTemplateId(id);
    Ok(write(&services, &caller, id, digest, (value, true)).await?.into())
}

async fn write(
    services: &Services,
    caller: &Caller,
    id: OfferTemplateId,
    digest: [u8; 32],
    (keep, is_known): (Keep, bool),
) -> Result<Outcome, Problem> {
    let done = services
        .log
        .execute(&caller.envelope(digest), |work| {
            let keep = keep.clone();
            async move {
                if is_known {
                    let known = work.load::<OfferTemplate>(id).await?.template();
                    known.map_err(|error| refusal(&error))?;
                }
                let template = Box::new(template(work, keep).await?);
                let kept = work.decide::<OfferTemplate>(id, Command::Keep { template }).await;
                kept.map_err(|error| refusal_at(error, pointer))?;
                Ok::<_, Failure>(())
            }
            .boxed()
        })
        .await
        .map_err(problem)?;
    Ok(done.outcome)
}

/// The field that a rule is about.
fn pointer(error: &Error) -> Option<String> {
    match error {
        Error::LineCount => Some("/lines".to_owned()),
        Error::ValidDays => Some("/valid_days".to_owned()),
        Error::Unkept | Error::Dropped => None,
    }
}

async fn template(work: &mut Work, keep: Keep) -> Result<Template, Failure> {
    let Keep { name, currency, lines, message, payment_term, valid_days } = keep;
    // Before anything is looked up.
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
            wrong.push((None, field("sku", "there is no such product".to_owned())));
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

async fn forget(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(services.decide::<OfferTemplate>(&caller, digest, id, Command::Drop).await?.into())
}
