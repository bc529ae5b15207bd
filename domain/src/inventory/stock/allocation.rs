//! Which order line gets goods of which warehouse.

use std::mem;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Event, Holding, Stock, event::Fill, level::Available, reservation::Key};
use crate::kernel::{ProductId, Quantity, WarehouseId};

/// A quantity of one warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AllocatedQuantity")]
pub struct Allocated {
    /// Of which warehouse.
    pub warehouse: WarehouseId,
    /// How much.
    pub quantity: Quantity,
}

/// A decision in the making: its events so far, and the state that they lead to.
struct Draft {
    product: ProductId,
    state: Stock,
    events: Vec<Event>,
}

impl Draft {
    fn write(&mut self, event: Event) {
        self.state = mem::take(&mut self.state).evolve(event.clone());
        self.events.push(event);
    }
}

/// How many fills one event has: a payload stays far below what the log takes.
const FILLS: usize = 2_000;

impl Stock {
    /// An event with what follows from it: order lines lose what is not there any more, those that
    /// wait get what is free, and the product runs out or is replenished.
    pub(super) fn moved(&self, product: ProductId, event: Event) -> Vec<Event> {
        let mut draft = Draft { product, state: self.clone(), events: Vec::new() };
        draft.write(event);
        draft.take_back();
        draft.serve();
        let Draft { state, mut events, .. } = draft;
        match (self.is_in_stock(), state.is_in_stock()) {
            (true, false) => events.push(Event::RanOut { product }),
            (false, true) => events.push(Event::Replenished { product }),
            (true, true) | (false, false) => {}
        }
        events
    }

    /// What a new reservation gets, and what it waits for.
    pub(super) fn allocate(
        &self,
        quantity: Quantity,
        preferred: Option<WarehouseId>,
    ) -> (Vec<Allocated>, Available) {
        let (allocated, waiting) = self.split(quantity.units(), preferred);
        (allocated, Available(Quantity::new(waiting).ok()))
    }

    /// From which warehouses a quantity comes, and what of it is nowhere. The preferred warehouse
    /// comes first if it has all, then the one that has all and the least beyond it; otherwise the
    /// preferred warehouse gives what it has, then the others, the fullest first.
    fn split(&self, wanted: Decimal, preferred: Option<WarehouseId>) -> (Vec<Allocated>, Decimal) {
        let free = |(warehouse, holding): (&WarehouseId, &Holding)| (*warehouse, holding.free());
        let mut free: Vec<(WarehouseId, Decimal)> =
            self.holdings.iter().map(free).filter(|(_, free)| !free.is_zero()).collect();
        free.sort_by_key(|(warehouse, free)| (Some(*warehouse) != preferred, -*free));
        let has_all = |(_, free): &&(WarehouseId, Decimal)| *free >= wanted;
        let first = free.first().filter(|(warehouse, _)| Some(*warehouse) == preferred);
        let whole = first.filter(has_all).or_else(|| free.iter().rfind(has_all));
        if let Some((warehouse, _)) = whole {
            return (allocated(*warehouse, wanted).into_iter().collect(), Decimal::ZERO);
        }
        let (mut rest, mut parts) = (wanted, Vec::with_capacity(free.len()));
        for (warehouse, free) in free {
            let part = free.min(rest);
            parts.extend(allocated(warehouse, part));
            rest -= part;
        }
        if self.settings.negative_allowed && !rest.is_zero() {
            let fullest = || {
                let free = |(_, holding): &(&WarehouseId, &Holding)| {
                    holding.on_hand() - holding.allocated()
                };
                self.holdings.iter().max_by_key(free).map(|(warehouse, _)| *warehouse)
            };
            if let Some(warehouse) = preferred.or_else(fullest) {
                match parts.iter_mut().find(|part| part.warehouse == warehouse) {
                    Some(part) => {
                        let whole = Quantity::new(part.quantity.units() + rest);
                        part.quantity = whole.unwrap_or(part.quantity);
                    }
                    None => parts.extend(allocated(warehouse, rest)),
                }
                rest = Decimal::ZERO;
            }
        }
        (parts, rest)
    }

    /// Releases a quantity of an order line: first what waits, then what is allocated.
    pub(super) fn release(
        &self,
        product: ProductId,
        (order, line): Key,
        quantity: Option<Quantity>,
    ) -> Vec<Event> {
        if let Some(bundle) = self.bundles.get(order, line) {
            let quantity = quantity.map_or(bundle.quantity, |some| some.min(bundle.quantity));
            return vec![Event::BundleReleased { product, order, line, quantity }];
        }
        let Some(reservation) = self.reservations.get(order, line) else { return vec![] };
        let all = reservation.allocated() + reservation.waiting();
        let released = quantity.map_or(all, |some| some.units().min(all));
        let mut rest = (released - reservation.waiting()).max(Decimal::ZERO);
        let mut parts = Vec::new();
        for (warehouse, have) in &reservation.allocated {
            let part = have.units().min(rest);
            parts.extend(allocated(*warehouse, part));
            rest -= part;
        }
        let Ok(quantity) = Quantity::new(released) else { return vec![] };
        let event = Event::Released { product, order, line, quantity, allocated: parts };
        self.moved(product, event)
    }
}

impl Draft {
    /// Where more is allocated than is on hand, the last in line lose it.
    fn take_back(&mut self) {
        if self.state.settings.negative_allowed {
            return;
        }
        let mut fills = Vec::new();
        for (warehouse, holding) in &self.state.holdings {
            let mut missing = holding.allocated() - holding.on_hand().max(Decimal::ZERO);
            if missing <= Decimal::ZERO {
                continue;
            }
            let has_some = self.state.reservations.iter();
            let mut last: Vec<_> =
                has_some.filter(|one| one.allocated.contains_key(warehouse)).collect();
            last.sort_unstable_by_key(|one| std::cmp::Reverse(one.rank()));
            for reservation in last {
                let part = reservation.allocated[warehouse].units().min(missing);
                let Ok(quantity) = Quantity::new(part) else { break };
                let (order, line) = (reservation.order, reservation.line);
                fills.push(Fill { order, line, warehouse: *warehouse, quantity });
                missing -= part;
            }
        }
        for fills in fills.chunks(FILLS) {
            let product = self.product;
            self.write(Event::Deallocated { product, fills: fills.to_vec() });
        }
    }

    /// Those that wait get what is free, in order of priority, then of placement.
    fn serve(&mut self) {
        loop {
            let mut state = self.state.clone();
            let mut fills = Vec::new();
            for reservation in self.state.reservations.waiting() {
                let (parts, _) = state.split(reservation.waiting(), reservation.preferred);
                if parts.is_empty() || fills.len() >= FILLS {
                    break;
                }
                let (order, line) = (reservation.order, reservation.line);
                for Allocated { warehouse, quantity } in parts {
                    if let Some(holding) = state.holdings.get_mut(&warehouse) {
                        holding.allocate(quantity.units());
                    }
                    fills.push(Fill { order, line, warehouse, quantity });
                }
            }
            if fills.is_empty() {
                break;
            }
            self.write(Event::Allocated { product: self.product, fills });
        }
    }
}

fn allocated(warehouse: WarehouseId, quantity: Decimal) -> Option<Allocated> {
    Some(Allocated { warehouse, quantity: Quantity::new(quantity).ok()? })
}
