//! Drafts of offers, written line by line or from an existing document.

use axum::http::StatusCode;
use domain::{
    CompanyId, Currency, DeliveryTerms, EmployeeId, Message, Offer, OfferId, PaymentTerm, Percent,
    QuotationRequest,
    offer::{self, Inside, Origin, Proposal, Writing},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use super::origin;
use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, Sale},
        sales::offering::{self, Offered, OfferedRequest},
    },
    caller::Caller,
    failure::{Failure, names_nothing, refusal},
};

/// The content of a draft.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DraftOffer")]
pub struct Draft {
    /// The recipient; the company of the quotation request when not given.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// The currency; that of the source document, else PLN, when not given.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// The source document; it provides the lines and the values that are not given here.
    #[serde(default)]
    pub from: Option<Origin>,
    /// The lines; those of the source document when not given.
    #[serde(default)]
    pub lines: Vec<OfferedRequest>,
    /// The last day on which it can be accepted.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub valid_until: Option<Date>,
    /// The company's own term when not given.
    #[serde(default)]
    pub payment_term: Option<PaymentTerm>,
    /// The delivery terms.
    #[serde(default)]
    pub delivery_terms: Option<DeliveryTerms>,
    /// A discount from every price.
    #[serde(default)]
    pub discount: Option<Percent>,
    /// Whether the company may accept only some of the required lines.
    #[serde(default)]
    pub divisible: bool,
    /// A note to the company.
    #[serde(default)]
    pub message: Option<Message>,
    /// An internal note of the seller, never shown to the company.
    #[serde(default)]
    pub note: Option<Message>,
    /// The responsible employee; the author when not given.
    #[serde(default)]
    pub representative: Option<EmployeeId>,
}

/// Drafts an offer.
pub async fn draft(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Draft,
) -> Result<Outcome, Problem> {
    let id = OfferId(Uuid::now_v7());
    write(services, caller, digest, id, request).await
}

/// Drafts an unsent offer again, or its next revision.
pub async fn redraft(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    request: Draft,
) -> Result<Outcome, Problem> {
    let offer = services.log.load::<Offer>(id.0).await.map_err(Failure::from)?;
    if offer.version == 0 {
        return Err(refusal(&offer::Error::Undrafted));
    }
    write(services, caller, digest, id, request).await
}

async fn write(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OfferId,
    draft: Draft,
) -> Result<event_log::Outcome, Problem> {
    let today = services.clock.today();
    let draft = origin::filled(services, draft, today).await?;
    let draft = &draft;
    let writer = caller.employee();
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let writing = Box::new(writing(work, draft.clone(), writer, today).await?);
                work.decide::<Offer>(id, offer::Command::Draft(writing)).await?;
                Ok(())
            })
        })
        .await
}

async fn writing(
    work: &mut Work,
    draft: Draft,
    writer: Option<EmployeeId>,
    today: Date,
) -> Result<Writing, Failure> {
    let needed = |pointer: &'static str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "body.invalid")
            .field(FieldError::at(pointer, "is needed"))
    };
    let company = draft.company.ok_or_else(|| needed("/company"))?;
    let currency = draft.currency.unwrap_or(Currency::Pln);
    let valid_until = draft.valid_until.ok_or_else(|| needed("/valid_until"))?;
    let own = company_hierarchy::buying_term(work, company).await?;
    let sale = Sale { company, currency, prices: Prices::Agreed, on: today };
    let offered = offering::offered(work, &draft.lines, sale, draft.discount).await?;
    let Offered { lines, discount, unit_costs } = offered;
    if let Some(Origin::Request { request }) = draft.from {
        // The offer is for the company that requested it, while the request is open.
        let asked = work.load::<QuotationRequest>(request).await?.open();
        let asked = asked.map_err(|error| refusal(&error))?;
        if asked.inquiry.company != company {
            return Err(names_nothing("/from/request", "request of this company").into());
        }
    }
    let representative = draft.representative.or(writer);
    if draft.representative.is_some() {
        sells(work, representative).await?;
    }
    Ok(Writing {
        proposal: Proposal {
            company,
            currency,
            lines,
            payment_term: draft.payment_term.unwrap_or(own),
            valid_until,
            delivery_terms: draft.delivery_terms,
            discount: draft.discount,
            divisible: draft.divisible,
            message: draft.message,
        },
        discount,
        representative,
        origin: draft.from,
        inside: Inside { note: draft.note, unit_costs },
    })
}

/// The responsible employee must work for the seller.
async fn sells(work: &mut Work, representative: Option<EmployeeId>) -> Result<(), Failure> {
    let Some(id) = representative else { return Ok(()) };
    let person = work.load::<domain::Employee>(id).await?.person().ok();
    match person.filter(|person| person.company.is_none()) {
        Some(_) => Ok(()),
        None => Err(names_nothing("/representative", "employee of the seller").into()),
    }
}
