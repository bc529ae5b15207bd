//! The preparation of a shipment: goods of one or several orders are prepared, packed into parcels
//! and dispatched together.

use domain::{
    Name, Order, OrderId, Reference, Shipment, ShipmentId, order,
    shipment::{self, Candidate, Command, Dispatch, OrderPart, Parcel},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use super::{Leaving, check_quantities, give_up, place_of};
use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, happened, refusal, refusal_at},
};

/// What is to leave together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PrepareShipment")]
pub struct Prepare {
    /// Confirmed orders of one company that go to one address, each once.
    pub orders: Vec<PartRequest>,
    #[serde(default)]
    pub courier: Option<Name>,
}

/// What of one order is to leave.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PrepareOrderPart")]
pub struct PartRequest {
    pub order: OrderId,
    /// Which lines and how much of them; all that is outstanding when not given.
    #[serde(default)]
    pub items: Option<Vec<order::Item>>,
}

/// Prepares a shipment. Nothing leaves yet, and the orders keep what is outstanding until it does.
pub async fn prepare(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Prepare,
) -> Result<Outcome, Problem> {
    let (id, today) = (ShipmentId(Uuid::now_v7()), services.clock.today());
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Prepare { orders, courier } = request;
                if orders.len() > Shipment::MOST_ORDERS {
                    return Err(at_orders(&shipment::Error::TooManyOrders).into());
                }
                work.load_many::<Order>(orders.iter().map(|part| part.order.0)).await?;
                let mut candidates = Vec::with_capacity(orders.len());
                for (index, part) in orders.iter().enumerate() {
                    candidates.push(candidate(work, id, part, index, today).await?);
                }
                let courier = courier.clone();
                let command = Command::Prepare { candidates, courier, on: today };
                work.decide::<Shipment>(id, command)
                    .await
                    .map_err(|error| refusal_at(error, place_of_order))?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// What of an order can leave now.
async fn candidate(
    work: &mut Work,
    id: ShipmentId,
    request: &PartRequest,
    index: usize,
    today: Date,
) -> Result<Candidate, Failure> {
    let order = work.load::<Order>(request.order).await?;
    let on = order.placed_on().map_or(today, |day| day.max(today));
    // The order checks it as if the goods left now; it records nothing.
    let ship = order::Command::Ship { shipment: id, items: request.items.clone(), on };
    order.decide(ship).map_err(|error| {
        let within = request.items.as_deref().and_then(|items| place_of(&error, items));
        let pointer = format!("/orders/{index}{}", within.unwrap_or_else(|| "/order".to_owned()));
        refusal(&error).field(FieldError::at(pointer, error.to_string()))
    })?;
    let items = request.items.clone().unwrap_or_else(|| order.outstanding());
    let terms = order.terms().map_err(|error| refusal(&error))?;
    let (company, address) = (terms.company, terms.destination.address);
    let lines = terms.lines_of(&items);
    check_quantities(work, &lines, &format!("/orders/{index}/items")).await?;
    Ok(Candidate { company, address, part: OrderPart { order: request.order, items } })
}

fn at_orders(error: &shipment::Error) -> Problem {
    refusal(error).field(FieldError::at("/orders", error.to_string()))
}

/// Where in the body the order stands that the shipment refuses.
fn place_of_order(error: &shipment::Error) -> Option<String> {
    use shipment::Error as E;
    match error {
        E::NoOrders | E::TooManyOrders => Some("/orders".to_owned()),
        E::OrderNamedTwice { index } | E::OtherCompany { index } | E::OtherAddress { index } => {
            Some(format!("/orders/{index}/order"))
        }
        E::NoItems { index } => Some(format!("/orders/{index}/items")),
        _ => None,
    }
}

/// The parcels, which contain exactly what is to leave.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PackShipment")]
pub struct Pack {
    pub parcels: Vec<Parcel>,
}

/// Packs a shipment; packing again replaces all parcels.
pub async fn pack(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
    Pack { parcels }: Pack,
) -> Result<Outcome, Problem> {
    let parcels = &parcels;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let command = Command::Pack { parcels: parcels.clone() };
                work.decide::<Shipment>(id, command)
                    .await
                    .map_err(|error| refusal_at(error, place_of_parcel))?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Where in the body the parcel stands that the shipment refuses.
fn place_of_parcel(error: &shipment::Error) -> Option<String> {
    use shipment::Error as E;
    match error {
        E::NoParcels | E::TooManyParcels | E::NotAllPacked { .. } => Some("/parcels".to_owned()),
        E::Weight { parcel } => Some(format!("/parcels/{parcel}/weight_grams")),
        E::Dimensions { parcel } => Some(format!("/parcels/{parcel}/dimensions")),
        E::EmptyParcel { parcel } => Some(format!("/parcels/{parcel}/contents")),
        E::ContentNamedTwice { parcel, content } | E::NotInShipment { parcel, content } => {
            Some(format!("/parcels/{parcel}/contents/{content}/line"))
        }
        E::TooMuchPacked { parcel, content } => {
            Some(format!("/parcels/{parcel}/contents/{content}/quantity"))
        }
        _ => None,
    }
}

/// How it leaves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DispatchPreparedShipment")]
pub struct DispatchPrepared {
    /// As prepared when not given.
    #[serde(default)]
    pub courier: Option<Name>,
    /// That of the first parcel when not given.
    #[serde(default)]
    pub tracking: Option<Reference>,
    /// The day, when it is entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub dispatched_on: Option<Date>,
}

/// Dispatches a prepared shipment; each of its orders is invoiced by itself.
pub async fn dispatch(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
    request: DispatchPrepared,
) -> Result<Outcome, Problem> {
    let today = services.clock.today();
    if let Some(dispatched_on) = request.dispatched_on {
        happened("/dispatched_on", dispatched_on, today)?;
    }
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let dispatches = match work.load::<Shipment>(id).await?.preparing() {
                    Ok((preparation, parcels)) => {
                        let orders = preparation.orders.clone();
                        let tracking = parcels.iter().find_map(|parcel| parcel.tracking.clone());
                        let how = DispatchPrepared {
                            courier: request
                                .courier
                                .clone()
                                .or_else(|| preparation.courier.clone()),
                            tracking: request.tracking.clone().or(tracking),
                            dispatched_on: request.dispatched_on,
                        };
                        leave(work, id, &orders, &how, today).await?
                    }
                    // The shipment says why, or that it has left.
                    Err(_) => vec![],
                };
                let command = Command::DispatchPrepared { dispatches };
                work.decide::<Shipment>(id, command).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Every order gives up what the shipment takes, in one append.
async fn leave(
    work: &mut Work,
    id: ShipmentId,
    orders: &[OrderPart],
    how: &DispatchPrepared,
    today: Date,
) -> Result<Vec<Dispatch>, Failure> {
    work.load_many::<Order>(orders.iter().map(|part| part.order.0)).await?;
    let placed = |part: &OrderPart| work.get::<Order>(part.order).and_then(Order::placed_on);
    let earliest = orders.iter().filter_map(placed).max().map_or(today, |day| day.max(today));
    let on = how.dispatched_on.unwrap_or(earliest);
    let mut dispatches = Vec::with_capacity(orders.len());
    for OrderPart { order, items } in orders {
        let (courier, tracking) = (how.courier.clone(), how.tracking.clone());
        let leaving =
            Leaving { order: *order, items: Some(items), warehouse: None, courier, tracking, on };
        dispatches.push(give_up(work, id, leaving).await?);
    }
    Ok(dispatches)
}

/// Cancels a preparation; nothing has left.
pub async fn cancel(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: ShipmentId,
) -> Result<Outcome, Problem> {
    services.decide::<Shipment>(caller, digest, id, Command::Cancel).await
}
