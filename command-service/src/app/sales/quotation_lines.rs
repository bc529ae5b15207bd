//! Lines of a quotation request: products that the company sees, or free descriptions.

use axum::http::StatusCode;
use domain::{
    CompanyId, Note, Product, ProductId, Quantity, Reference, Sku, UnitPrice, assortment,
    product::PackagingName,
    quotation_request::{RequestedLine, RequestedLines, RequestedLinesError, RequestedProduct},
};
use event_log::Work;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{
        catalogue::assortment_context::{AssortmentContext, Requester},
        sales::lines::{self, Naming},
    },
    failure::{Failure, refusal},
};

/// A requested quantity of a product named by `sku` or `code`, or of a description in `wanted`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QuotationLineRequest")]
pub struct QuotationLineRequest {
    /// The seller's SKU.
    pub sku: Option<Sku>,
    /// The product code of the company, or of a company above it.
    pub code: Option<Reference>,
    /// A description of something that is not in the catalogue.
    pub wanted: Option<Note>,
    /// The quantity, in units of the product or of `packaging`.
    pub quantity: Quantity,
    /// The packaging in which the quantity is given, such as `carton`.
    pub packaging: Option<PackagingName>,
    /// The target price: net price of one unit.
    pub unit_price: Option<UnitPrice>,
    /// The requested day of delivery.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub delivery_on: Option<Date>,
    /// A note.
    pub note: Option<Note>,
}

/// Finds the products of the lines, with a fixed number of queries. All wrong lines are reported at
/// once.
pub(crate) async fn understood(
    work: &mut Work,
    requests: &[QuotationLineRequest],
    company: CompanyId,
    requester: Requester,
) -> Result<RequestedLines, Failure> {
    // Checked before products are loaded.
    if requests.is_empty() || requests.len() > RequestedLines::MAX {
        return Err(count_invalid());
    }
    let names: Vec<Naming<'_>> =
        requests.iter().map(|one| Naming::by(one.sku.as_ref(), one.code.as_ref())).collect();
    let products = lines::products(work, &names, company).await?;
    let found: Vec<ProductId> = products.iter().flatten().copied().collect();
    let assortment_context = AssortmentContext::open(work, company, &found).await?;
    let mut lines = Vec::with_capacity(requests.len());
    let mut wrong = Vec::new();
    for (index, (request, product)) in requests.iter().zip(products).enumerate() {
        match requested_line(work, &assortment_context, request, product, requester) {
            Ok(line) => lines.push(line),
            Err(Wrong { problem, field, detail }) => {
                let pointer = format!("/lines/{index}/{field}");
                wrong.push((problem, FieldError::at(pointer, detail)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(lines::refused(wrong).into());
    }
    RequestedLines::try_from(lines).map_err(|RequestedLinesError| count_invalid())
}

fn count_invalid() -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.count_invalid")
        .field(FieldError::at("/lines", RequestedLinesError.to_string()))
        .into()
}

/// An error of one line.
struct Wrong {
    /// The broken rule, if it is one of the domain.
    problem: Option<Problem>,
    field: &'static str,
    detail: String,
}

impl Wrong {
    fn plainly(field: &'static str, detail: &str) -> Self {
        Self { problem: None, field, detail: detail.to_owned() }
    }
}

fn requested_line(
    work: &Work,
    assortment_context: &AssortmentContext,
    request: &QuotationLineRequest,
    product: Option<ProductId>,
    requester: Requester,
) -> Result<RequestedLine, Wrong> {
    let QuotationLineRequest { unit_price, delivery_on, .. } = *request;
    let named = match (&request.sku, &request.code, &request.wanted) {
        (Some(_), None, None) => "sku",
        (None, Some(_), None) => "code",
        (None, None, Some(wanted)) => {
            if request.packaging.is_some() {
                return Err(Wrong::plainly(
                    "packaging",
                    "a packaging is allowed only with a product",
                ));
            }
            let what = RequestedProduct::Described { wanted: wanted.clone() };
            let (quantity, note) = (request.quantity, request.note.clone());
            return Ok(RequestedLine { what, quantity, unit_price, delivery_on, note });
        }
        _ => {
            let detail = "give exactly one of sku, code and wanted";
            return Err(Wrong::plainly("sku", detail));
        }
    };
    let missing = || Wrong::plainly(named, "no product has this SKU or code");
    let product = product.and_then(|id| work.get::<Product>(id)).ok_or_else(missing)?;
    if !assortment_context.shows(work, product, requester) {
        return Err(match requester {
            Requester::Company => missing(),
            Requester::Seller => {
                let error = assortment::Error::Outside;
                let (problem, detail) = (Some(refusal(&error)), error.to_string());
                Wrong { problem, field: named, detail }
            }
        });
    }
    // Checked as an order quantity, so that an offer can use it unchanged.
    let found = lines::so_much_of(product, request.quantity, request.packaging);
    let (item, quantity) = found.map_err(|error| {
        let (field, detail) = (lines::field_of(&error, named), error.to_string());
        Wrong { problem: Some(refusal(&error)), field, detail }
    })?;
    let (sku, name) = (item.sku().clone(), item.description().name.clone());
    let what = RequestedProduct::Product { product: item.id(), sku, name };
    Ok(RequestedLine { what, quantity, unit_price, delivery_on, note: request.note.clone() })
}
