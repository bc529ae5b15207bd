//! The despatch advice of a shipment that has left: as PDF, and as UBL 2.1.
//!
//! Buyer and address are those of the dispatch, products as they were when the shipment began. The
//! seller's letterhead is a setting and has no history: it is today's.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use domain::{OrderId, Product, shipment::Dispatch};
use event_log::{Loaded, Position};
use projections::{
    ReadError,
    views::{
        fulfilment::shipments::{self, Shipment},
        sales::orders::{self, Order},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::permissions::ReadTrade;
use service_kit::problem::{Problem, StatusCode};
use uuid::Uuid;

use crate::{
    Queries,
    app::only,
    asker::{Asker, problem},
    documents::{
        self, DocumentError, Language,
        despatch_advice::{DespatchAdvice, DespatchLine, DespatchedParcel, Recipient},
    },
};

const VIEWS: &[&str] = &[shipments::PROJECTION.name, orders::PROJECTION.name];

/// Which document is wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DespatchAdviceQuery")]
pub struct DocumentQuery {
    /// In which language; Polish when not given.
    #[serde(default)]
    pub language: Language,
}

/// A file to print, to keep, or to send.
#[derive(Debug)]
pub struct Document {
    /// What it is called, without an extension.
    pub name: String,
    /// Its bytes.
    pub file: Vec<u8>,
}

/// The despatch advice as PDF.
pub async fn pdf(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    DocumentQuery { language }: DocumentQuery,
) -> Result<Document, Problem> {
    asker.require::<ReadTrade>()?;
    let advice = advice(queries, asker, id, language).await?;
    let place = documents::LIMIT.take(asker.key()).await?;
    let made = place.beside(move || documents::despatch_advice::pdf(&advice)).await;
    let file = made.map_err(DocumentError::from).flatten();
    let file = file.map_err(|error| Problem::internal(&error))?;
    Ok(Document { name: format!("despatch-advice-{id}"), file })
}

/// The despatch advice as UBL 2.1, by Peppol BIS Despatch Advice 3.
pub async fn ubl(queries: &Queries, asker: &Asker, id: Uuid) -> Result<Document, Problem> {
    asker.require::<ReadTrade>()?;
    let advice = advice(queries, asker, id, Language::Pl).await?;
    let file = documents::despatch_advice::xml(&advice);
    let file = file.map_err(|error| Problem::internal(&error))?;
    Ok(Document { name: format!("despatch-advice-{id}"), file })
}

async fn advice(
    queries: &Queries,
    asker: &Asker,
    id: Uuid,
    language: Language,
) -> Result<DespatchAdvice, Problem> {
    let client = asker.client(queries, VIEWS).await?;
    let wanted = shipments::Filter { id: Some(id), company: asker.company(), ..Default::default() };
    let found = shipments::list(&client, &wanted, None, 1).await.map_err(problem)?;
    let Shipment { state, dispatch, further, parcels, .. } = only(found)?;
    let letterhead = queries.letterhead.clone().ok_or_else(no_letterhead)?;
    let first = dispatch.ok_or_else(not_dispatched)?;
    let (on, courier, tracking) = (first.on, first.courier.clone(), first.tracking.clone());
    let dispatches: Vec<Dispatch> = std::iter::once(first).chain(further).collect();
    let mut placed: HashMap<OrderId, Order> = HashMap::new();
    for dispatch in &dispatches {
        let wanted = orders::Filter { id: Some(dispatch.order.0), ..Default::default() };
        let found = orders::list(&client, &wanted, None, 1).await.map_err(problem)?;
        placed.extend(found.into_iter().map(|order| (order.id, order)));
    }
    let lines = dispatches.iter().flat_map(|dispatch| dispatch.lines.iter());
    let ids: BTreeSet<Uuid> = lines.map(|line| line.product.0).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let began = Position(state.created.cast_unsigned());
    let products = queries.log.load_many_at::<Product>(&ids, began).await;
    let products = products.map_err(|error| problem(ReadError::Log(error)))?;
    let lines =
        dispatches.iter().flat_map(|it| lines_of(it, placed.get(&it.order), &products, language));
    let buyer = state.buyer.map(|buyer| Recipient {
        name: buyer.name.to_string(),
        tax_id: Some(buyer.tax_id),
        address: buyer.billing_address,
    });
    Ok(DespatchAdvice {
        language,
        letterhead,
        // History may know a shipment of before its company was registered.
        buyer: buyer.unwrap_or_else(|| Recipient {
            name: String::new(),
            tax_id: None,
            address: None,
        }),
        deliver_to: state.deliver_to.map(|place| place.address),
        number: state.number.to_string(),
        on,
        courier: courier.map(String::from),
        tracking: tracking.map(String::from),
        lines: lines.collect(),
        parcels: parcels
            .into_iter()
            .map(|parcel| DespatchedParcel {
                weight_grams: parcel.weight_grams,
                sides_mm: parcel
                    .dimensions
                    .map(|sides| [sides.length_mm, sides.width_mm, sides.height_mm]),
                tracking: parcel.tracking.map(String::from),
            })
            .collect(),
    })
}

fn no_letterhead() -> Problem {
    Problem::new(StatusCode::CONFLICT, "letterhead.missing")
        .detail("nobody has said who the seller is: its documents need KONTOR_SELLER to be set")
}

fn not_dispatched() -> Problem {
    Problem::new(StatusCode::CONFLICT, "shipment.not_dispatched")
        .detail("the shipment has not left yet")
}

fn lines_of(
    dispatch: &Dispatch,
    order: Option<&Order>,
    products: &HashMap<Uuid, Arc<Loaded<Product>>>,
    language: Language,
) -> Vec<DespatchLine> {
    let number = match order {
        Some(order) => match &order.terms.reference {
            Some(reference) => reference.to_string(),
            None => order.number.to_string(),
        },
        None => dispatch.order.to_string(),
    };
    let mut used = BTreeSet::new();
    let line = |line: &domain::Line| {
        let item = products.get(&line.product.0).and_then(|loaded| loaded.state.item().ok());
        let translated = item.and_then(|item| {
            let translations = &item.details().translations;
            translations.iter().find(|(code, _)| code.as_str() == language.code())
        });
        // The dispatch has the order's lines, without their numbers: the first that fits.
        let mut numbered = order.into_iter().flat_map(|order| order.terms.lines.numbered());
        let place = numbered.find(|(number, ordered)| {
            ordered.product == line.product
                && ordered.unit_price == line.unit_price
                && line.quantity <= ordered.quantity
                && !used.contains(number)
        });
        let place = place.map(|(number, _)| number);
        used.extend(place);
        DespatchLine {
            order: number.clone(),
            order_line: place,
            sku: line.sku.to_string(),
            gtin: item.and_then(|item| item.description().gtin.clone()),
            name: translated.map_or(&line.name, |(_, name)| name).to_string(),
            quantity: line.quantity,
            unit: item.map(|item| item.description().unit),
        }
    };
    dispatch.lines.iter().map(line).collect()
}
