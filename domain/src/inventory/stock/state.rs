//! The state that the events of stock lead to.

use rust_decimal::Decimal;

use super::{
    Allocated, BundleReservation, Disposition, Event, Expected, Holding, Level, Lot, LotChange,
    LotQuantity, Reservation, Stock, Taken, event::Fill, reservation::Key,
};
use crate::kernel::{Quantity, Reference, WarehouseId};

impl Stock {
    pub(super) fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Reported { available, expected, .. } => {
                self.level = Some(Level { available, expected });
            }
            Event::Configured { settings, .. } => self.settings = settings,
            Event::ReceiptExpected { receipt, warehouse, quantity, on, .. }
            | Event::ReceiptRescheduled { receipt, warehouse, quantity, on, .. } => {
                self.expected.insert(receipt, Expected { warehouse, quantity, on });
            }
            Event::ReceiptCancelled { receipt, .. } => {
                self.expected.remove(&receipt);
            }
            Event::Received { warehouse, quantity, lot, receipt, .. } => {
                self.change(warehouse, lot, quantity.units());
                if let Some(receipt) = receipt {
                    self.arrived(&receipt, quantity);
                }
            }
            Event::Adjusted { warehouse, lots, .. } | Event::Counted { warehouse, lots, .. } => {
                self.holdings.entry(warehouse).or_default();
                for LotChange { lot, change } in lots {
                    self.change(warehouse, lot, change.units());
                }
            }
            Event::Transferred { from, to, lots, .. } => {
                for LotQuantity { lot, quantity } in lots {
                    self.change(from, lot.clone(), -quantity.units());
                    self.change(to, lot, quantity.units());
                }
            }
            Event::Withdrawn { warehouse, lots, .. } => {
                for LotQuantity { lot, quantity } in lots {
                    self.change(warehouse, lot, -quantity.units());
                }
            }
            Event::Returned { warehouse, quantity, lot, disposition, .. } => match disposition {
                Disposition::Restock => self.change(warehouse, lot, quantity.units()),
                // They are never on hand as new goods.
                Disposition::SecondChoice | Disposition::Scrap => {}
            },
            Event::Reserved {
                order,
                line,
                priority,
                placed_at,
                preferred,
                allocated,
                waiting,
                ..
            } => {
                for Allocated { warehouse, quantity } in &allocated {
                    self.holding(*warehouse).allocate(quantity.units());
                }
                self.reservations.put(Reservation {
                    order,
                    line,
                    priority,
                    placed_at,
                    number: self.reservations.made(),
                    preferred,
                    allocated: allocated.iter().map(|one| (one.warehouse, one.quantity)).collect(),
                    waiting: waiting.0,
                });
            }
            Event::Allocated { fills, .. } => {
                for fill in &fills {
                    self.fill(fill, fill.quantity.units());
                }
            }
            Event::Deallocated { fills, .. } => {
                for fill in &fills {
                    self.fill(fill, -fill.quantity.units());
                }
            }
            Event::Released { order, line, quantity, allocated, .. } => {
                self.release_line((order, line), quantity, allocated);
            }
            Event::Shipped { order, line, taken, .. } => self.take_of_line((order, line), taken),
            Event::BundleReserved { order, line, quantity, parts, .. } => {
                self.bundles.put(BundleReservation { order, line, quantity, parts });
            }
            Event::BundleReleased { order, line, quantity, .. }
            | Event::BundleShipped { order, line, quantity, .. } => {
                self.bundles.take(order, line, quantity);
            }
            // They follow from the other events of the same decision.
            Event::RanOut { .. } | Event::Replenished { .. } => {}
        }
        self
    }

    fn release_line(&mut self, (order, line): Key, quantity: Quantity, allocated: Vec<Allocated>) {
        let mut waited = quantity.units();
        for Allocated { warehouse, quantity } in &allocated {
            self.holding(*warehouse).allocate(-quantity.units());
            waited -= quantity.units();
        }
        if let Some(mut reservation) = self.reservations.get(order, line).cloned() {
            for Allocated { warehouse, quantity } in allocated {
                reservation.allocate(warehouse, -quantity.units());
            }
            reservation.wait(-waited);
            self.reservations.put(reservation);
        }
    }

    fn take_of_line(&mut self, (order, line): Key, taken: Vec<Taken>) {
        let mut reservation = self.reservations.get(order, line).cloned();
        for Taken { warehouse, lot, quantity } in taken {
            self.change(warehouse, lot, -quantity.units());
            self.holding(warehouse).allocate(-quantity.units());
            if let Some(reservation) = &mut reservation {
                reservation.allocate(warehouse, -quantity.units());
            }
        }
        if let Some(reservation) = reservation {
            self.reservations.put(reservation);
        }
    }

    fn holding(&mut self, warehouse: WarehouseId) -> &mut Holding {
        self.holdings.entry(warehouse).or_default()
    }

    fn change(&mut self, warehouse: WarehouseId, lot: Option<Lot>, by: Decimal) {
        self.holding(warehouse).change(lot, by);
    }

    fn fill(&mut self, fill: &Fill, by: Decimal) {
        let Fill { order, line, warehouse, .. } = *fill;
        self.holding(warehouse).allocate(by);
        if let Some(mut reservation) = self.reservations.get(order, line).cloned() {
            reservation.allocate(warehouse, by);
            reservation.wait(-by);
            self.reservations.put(reservation);
        }
    }

    /// What has arrived is expected no more.
    fn arrived(&mut self, receipt: &Reference, quantity: Quantity) {
        let Some(expected) = self.expected.get_mut(receipt) else { return };
        match expected.quantity.less(quantity) {
            Ok(Some(rest)) => expected.quantity = rest,
            Ok(None) | Err(_) => {
                self.expected.remove(receipt);
            }
        }
    }
}
