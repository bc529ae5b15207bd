//! Pick lists: lines of confirmed orders are taken from the shelves of a warehouse.

use std::collections::BTreeMap;

use domain::{
    Note, Order, OrderId, PickList, PickListId, Picking, PickingId, ShipmentId, order,
    pick_list::{self, Command, Header, Line, Pick},
    picking::{self, LineState},
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, refusal, refusal_at},
};

/// What is to be picked together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreatePickList")]
pub struct Create {
    #[serde(default)]
    pub header: Header,
    /// Confirmed orders, each once.
    pub orders: Vec<OrderToPick>,
}

/// What of one order is to be picked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderToPick {
    pub order: OrderId,
    /// Which lines and how much of them; all that is to be picked when not given.
    #[serde(default)]
    pub items: Option<Vec<order::Item>>,
}

/// Creates a pick list. What is on it is on no other open list.
pub async fn create(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Create,
) -> Result<Outcome, Problem> {
    let id = PickListId(Uuid::now_v7());
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Create { header, orders } = request;
                if orders.len() > PickList::MOST_ORDERS {
                    return Err(at_orders(&pick_list::Error::TooManyLines).into());
                }
                work.load_many::<Order>(orders.iter().map(|asked| asked.order.0)).await?;
                let pickings = orders.iter().map(|asked| PickingId::of(asked.order).0);
                work.load_many::<Picking>(pickings).await?;
                let mut lines = Vec::new();
                for (index, asked) in orders.iter().enumerate() {
                    lines.extend(assign(work, id, asked, index).await?);
                }
                let command = Command::Create { header: header.clone(), lines };
                work.decide::<PickList>(id, command)
                    .await
                    .map_err(|error| refusal_at(error, |_| Some("/orders".to_owned())))?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

fn at_orders(error: &pick_list::Error) -> Problem {
    refusal(error).field(FieldError::at("/orders", error.to_string()))
}

/// Puts what is to be picked of an order on a list: its lines.
async fn assign(
    work: &mut Work,
    id: PickListId,
    asked: &OrderToPick,
    index: usize,
) -> Result<Vec<Line>, Failure> {
    let at_order = format!("/orders/{index}/order");
    let order = work.load::<Order>(asked.order).await?;
    // The order says whether goods of it can leave; it records nothing.
    let leave = order::Command::Ship { shipment: ShipmentId(id.0), items: None, on: Date::MAX };
    order
        .decide(leave)
        .map_err(|error| refusal(&error).field(FieldError::at(&at_order, error.to_string())))?;
    let terms = order.terms().map_err(|error| refusal(&error))?.clone();
    let lines = states(order, &terms);
    let command = picking::Command::Assign {
        order: asked.order,
        pick_list: id,
        items: asked.items.clone(),
        lines,
    };
    let picking = PickingId::of(asked.order);
    let place = |error: &picking::Error| place_of(error, asked.items.as_deref(), index);
    work.decide::<Picking>(picking, command)
        .await
        .map_err(|error| refusal_at(error, |error| Some(place(error))))?;
    let items = work.load::<Picking>(picking).await?.on(id);
    let line = |item: &order::Item| {
        let line = terms.lines.line(item.line)?;
        Some(Line {
            order: asked.order,
            order_line: item.line,
            product: line.product,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: item.quantity,
        })
    };
    Ok(items.iter().filter_map(line).collect())
}

/// The lines of an order that are still to leave.
fn states(order: &Order, terms: &order::Terms) -> Vec<LineState> {
    let state = |item: order::Item| {
        let outstanding = item.quantity;
        let ordered = terms.lines.line(item.line).map_or(outstanding, |line| line.quantity);
        let shipped = ordered.units() - outstanding.units();
        LineState { line: item.line, outstanding, shipped }
    };
    order.outstanding().into_iter().map(state).collect()
}

/// Where in the body the item stands that the picking refuses.
fn place_of(error: &picking::Error, items: Option<&[order::Item]>, index: usize) -> String {
    use picking::Error as E;
    let within = match error {
        E::NamedTwice { line } => Some((line, "line")),
        E::TooMuch { line, .. } => Some((line, "quantity")),
        E::NothingToPick => None,
    };
    let place = within.zip(items).and_then(|((line, field), items)| {
        // Of two, the second one is too many.
        Some((items.iter().rposition(|item| item.line == *line)?, field))
    });
    match place {
        Some((item, field)) => format!("/orders/{index}/items/{item}/{field}"),
        None => format!("/orders/{index}/order"),
    }
}

/// What was picked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReportPicks")]
pub struct Report {
    pub picks: Vec<Pick>,
}

/// Reports what was picked of lines of a list.
pub async fn pick(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: PickListId,
    Report { picks }: Report,
) -> Result<Outcome, Problem> {
    let picks = &picks;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let command = Command::Pick { picks: picks.clone() };
                work.decide::<PickList>(id, command)
                    .await
                    .map_err(|error| refusal_at(error, place_of_pick))?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Where in the body the pick stands that the list refuses.
fn place_of_pick(error: &pick_list::Error) -> Option<String> {
    use pick_list::Error as E;
    match error {
        E::NoPicks => Some("/picks".to_owned()),
        E::PickNamedTwice { index } | E::NoSuchLine { index } => {
            Some(format!("/picks/{index}/line"))
        }
        E::TooMuch { index, .. } => Some(format!("/picks/{index}/quantity")),
        E::Reason { index } => Some(format!("/picks/{index}/short")),
        _ => None,
    }
}

/// Completes a list: what was not found of its lines is to be picked again.
pub async fn complete(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: PickListId,
) -> Result<Outcome, Problem> {
    let picked = |order, items| picking::Command::Pick { order, pick_list: id, items };
    end(services, caller, digest, id, Command::Complete, &picked).await
}

/// Why a list is cancelled.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CancelPickList")]
pub struct Cancel {
    #[serde(default)]
    pub reason: Option<Note>,
}

/// Cancels a list: all of it is to be picked again.
pub async fn cancel(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: PickListId,
    Cancel { reason }: Cancel,
) -> Result<Outcome, Problem> {
    let released = |order, _| picking::Command::Release { order, pick_list: id };
    end(services, caller, digest, id, Command::Cancel { reason }, &released).await
}

/// Ends a list, and what it held of its orders.
async fn end(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: PickListId,
    command: Command,
    held: &(dyn Fn(OrderId, Vec<order::Item>) -> picking::Command + Sync),
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                // None of a list that has ended: then this is a repeat.
                let picked: BTreeMap<OrderId, Vec<order::Item>> =
                    work.load::<PickList>(id).await?.picked();
                work.decide::<PickList>(id, command.clone()).await?;
                let pickings = picked.keys().map(|order| PickingId::of(*order).0);
                work.load_many::<Picking>(pickings).await?;
                for (order, items) in picked {
                    work.decide::<Picking>(PickingId::of(order), held(order, items)).await?;
                }
                work.answer(id);
                Ok(())
            })
        })
        .await
}
