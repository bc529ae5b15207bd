//! Stock of a product: what the warehouses hold, what is expected, and what is reserved for orders.
//!
//! One stream decides for one product over all warehouses, so no quantity is promised twice and a
//! reservation that is split over warehouses is one decision. A product is tracked from its first
//! movement in a warehouse on. Of a product that is not tracked, only the level is known that an
//! external system reported.

pub mod allocation;
pub mod command;
pub mod event;
pub mod holding;
pub mod level;
pub mod lot;
mod movement;
pub mod promise;
pub mod reservation;
mod state;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use allocation::Allocated;
pub use command::Command;
pub use event::{AdjustmentReason, Disposition, Event, Settings};
pub use holding::Holding;
pub use level::{Available, Balance, Level};
pub use lot::{Lot, LotChange, LotQuantity, Taken};
pub use promise::Expected;
pub use reservation::{BundleReservation, Bundles, Part, Priority, Reservation, Reservations};

use crate::kernel::{
    CompanyId, OfCompany, ProductId, Reference, StockId, WarehouseId,
    day::{self, DayError},
    refusal::refusals,
};

/// The state of the stock of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    level: Option<Level>,
    settings: Settings,
    holdings: BTreeMap<WarehouseId, Holding>,
    expected: BTreeMap<Reference, Expected>,
    reservations: Reservations,
    bundles: Bundles,
}

/// Why stock refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The day is outside the accepted range.
    #[error(transparent)]
    Day(#[from] DayError),
    /// The level is known from movements.
    #[error("the stock of the product is kept per warehouse; its level is not reported")]
    Tracked,
    /// The product is kept by lots.
    #[error("the product is kept by lots; name the lot")]
    LotRequired,
    /// The lot is known with another day.
    #[error("the lot {code} is known with another best-before day")]
    LotDiffers {
        /// Its code.
        code: Reference,
    },
    /// More lots than are kept apart.
    #[error("a warehouse keeps at most {} lots of a product", Holding::MOST_LOTS)]
    TooManyLots,
    /// More than there is.
    #[error("the warehouse has only {on_hand} on hand")]
    NotOnHand {
        /// How much there is.
        on_hand: Balance,
    },
    /// More than an order line has.
    #[error("only {allocated} is allocated to the order line")]
    NotAllocated {
        /// How much it has.
        allocated: Balance,
    },
    /// The goods are past their best-before day.
    #[error("only {on_hand} is not past its best-before day")]
    Expired {
        /// How much is good.
        on_hand: Balance,
    },
    /// A balance beyond the limit.
    #[error("a warehouse holds at most {} of a product", Balance::CEILING)]
    TooMuch,
    /// From a warehouse to itself.
    #[error("goods are transferred to another warehouse")]
    SameWarehouse,
    /// A difference of nothing.
    #[error("an adjustment changes the balance")]
    NoChange,
    /// No such receipt was announced.
    #[error("no such receipt is expected")]
    NotExpected,
    /// More expected receipts than are kept.
    #[error("at most {} receipts of a product are expected", Expected::MOST)]
    TooManyExpected,
    /// Lots cannot go below zero.
    #[error("a product that is kept by lots cannot be below zero")]
    NegativeLots,
}

refusals!(Error, {
    Day => ("day.out_of_range", Invalid),
    Tracked => ("stock.tracked", State),
    LotRequired => ("stock.lot_required", Invalid),
    LotDiffers => ("stock.lot_differs", State),
    TooManyLots => ("stock.too_many_lots", State),
    NotOnHand => ("stock.not_on_hand", State),
    NotAllocated => ("stock.not_allocated", State),
    Expired => ("stock.expired", State),
    TooMuch => ("stock.too_much", State),
    SameWarehouse => ("stock.same_warehouse", Invalid),
    NoChange => ("stock.no_change", Invalid),
    NotExpected => ("stock.not_expected", State),
    TooManyExpected => ("stock.too_many_expected", State),
    NegativeLots => ("stock.negative_lots", Invalid),
});

impl Stock {
    /// Every rule of stock.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Report { product, level } => self.report(product, level),
            Command::Configure { product, settings } => self.configure(product, settings),
            Command::Expect { product, receipt, expected } => {
                self.expect(product, receipt, expected)
            }
            Command::CancelExpected { product, receipt } => {
                let is_expected = self.expected.contains_key(&receipt);
                let cancelled = Event::ReceiptCancelled { product, receipt };
                Ok(is_expected.then_some(cancelled).into_iter().collect())
            }
            Command::Receive { product, warehouse, quantity, lot, receipt, reference } => {
                let lot = self.lot_in(lot)?;
                self.admits(warehouse, lot.as_ref(), quantity.units())?;
                if receipt.as_ref().is_some_and(|receipt| !self.expected.contains_key(receipt)) {
                    return Err(Error::NotExpected);
                }
                let event =
                    Event::Received { product, warehouse, quantity, lot, receipt, reference };
                Ok(self.moved(product, event))
            }
            Command::Adjust { product, warehouse, change, lot, reason, note, reference } => {
                let lots = self.difference(warehouse, change.units(), lot)?;
                let event =
                    Event::Adjusted { product, warehouse, change, lots, reason, note, reference };
                Ok(self.moved(product, event))
            }
            Command::Count { product, warehouse, counted, lot, reference } => {
                self.count(product, warehouse, counted, lot, reference)
            }
            Command::Transfer { product, from, to, quantity, lot, reference } => {
                let lots = self.transferred((from, to), quantity, lot.as_ref())?;
                let event = Event::Transferred { product, from, to, quantity, lots, reference };
                Ok(self.moved(product, event))
            }
            Command::Withdraw { product, warehouse, quantity, lot, reference } => {
                let lots = self.take_from(warehouse, quantity, lot.as_ref())?;
                let event = Event::Withdrawn { product, warehouse, quantity, lots, reference };
                Ok(self.moved(product, event))
            }
            Command::TakeBack {
                product,
                warehouse,
                quantity,
                lot,
                disposition,
                order,
                reference,
            } => {
                let lot = self.lot_of_returned(warehouse, quantity, lot, disposition)?;
                let event = Event::Returned {
                    product,
                    warehouse,
                    quantity,
                    lot,
                    disposition,
                    order,
                    reference,
                };
                Ok(self.moved(product, event))
            }
            Command::Reserve { product, order, line, quantity, priority, placed_at, preferred } => {
                if !self.is_tracked() || self.reservations.get(order, line).is_some() {
                    return Ok(vec![]);
                }
                let (allocated, waiting) = self.allocate(quantity, preferred);
                let event = Event::Reserved {
                    product,
                    order,
                    line,
                    quantity,
                    priority,
                    placed_at,
                    preferred,
                    allocated,
                    waiting,
                };
                Ok(self.moved(product, event))
            }
            Command::ReserveBundle { product, order, line, quantity, parts } => {
                if parts.is_empty() || self.bundles.get(order, line).is_some() {
                    return Ok(vec![]);
                }
                Ok(vec![Event::BundleReserved { product, order, line, quantity, parts }])
            }
            Command::Release { product, order, line, quantity } => {
                Ok(self.release(product, (order, line), quantity))
            }
            Command::Ship { product, order, line, shipment, quantity, warehouse, on } => {
                if self.bundles.get(order, line).is_some() {
                    let shipped = Event::BundleShipped { product, order, line, shipment, quantity };
                    return Ok(vec![shipped]);
                }
                let taken = self.ship((order, line), quantity, warehouse, on)?;
                let event = Event::Shipped { product, order, line, shipment, quantity, taken };
                Ok(self.moved(product, event))
            }
        }
    }

    fn report(&self, product: ProductId, level: Level) -> Result<Vec<Event>, Error> {
        if self.is_tracked() {
            return Err(Error::Tracked);
        }
        if self.level == Some(level) {
            return Ok(vec![]);
        }
        let Level { available, expected } = level;
        let expected = expected.map(day::checked).transpose()?;
        Ok(vec![Event::Reported { product, available, expected }])
    }

    fn configure(&self, product: ProductId, settings: Settings) -> Result<Vec<Event>, Error> {
        if settings.negative_allowed && settings.lots_required {
            return Err(Error::NegativeLots);
        }
        if self.settings == settings {
            return Ok(vec![]);
        }
        Ok(self.moved(product, Event::Configured { product, settings }))
    }

    fn expect(
        &self,
        product: ProductId,
        receipt: Reference,
        expected: Expected,
    ) -> Result<Vec<Event>, Error> {
        day::checked(expected.on)?;
        let Expected { warehouse, quantity, on } = expected;
        match self.expected.get(&receipt) {
            Some(known) if *known == expected => Ok(vec![]),
            Some(_) => {
                Ok(vec![Event::ReceiptRescheduled { product, receipt, warehouse, quantity, on }])
            }
            None if self.expected.len() >= Expected::MOST => Err(Error::TooManyExpected),
            None => Ok(vec![Event::ReceiptExpected { product, receipt, warehouse, quantity, on }]),
        }
    }

    /// Whether movements are recorded.
    pub fn is_tracked(&self) -> bool {
        !self.holdings.is_empty()
    }

    /// Whether some of it can be sold now.
    pub fn is_in_stock(&self) -> bool {
        if self.is_tracked() {
            self.holdings.values().any(|holding| !holding.free().is_zero())
        } else {
            self.level.is_some_and(|level| level.available.0.is_some())
        }
    }

    /// What the warehouses hold.
    pub fn holdings(&self) -> &BTreeMap<WarehouseId, Holding> {
        &self.holdings
    }

    /// What one warehouse has on hand.
    pub fn on_hand(&self, warehouse: WarehouseId) -> Balance {
        let on_hand = self.holdings.get(&warehouse).map_or(Decimal::ZERO, Holding::on_hand);
        Balance::ZERO.changed(on_hand)
    }

    /// What one warehouse has on hand of a lot.
    pub fn on_hand_of(&self, warehouse: WarehouseId, lot: &Reference) -> Balance {
        let holding = self.holdings.get(&warehouse);
        Balance::ZERO.changed(holding.map_or(Decimal::ZERO, |holding| holding.of_lot(lot)))
    }

    /// What is reserved for orders.
    pub fn reservations(&self) -> &Reservations {
        &self.reservations
    }

    /// What is reserved for orders of this bundle.
    pub fn bundles(&self) -> &Bundles {
        &self.bundles
    }

    /// The receipts that are expected.
    pub fn expected(&self) -> &BTreeMap<Reference, Expected> {
        &self.expected
    }

    /// How it is kept.
    pub fn settings(&self) -> Settings {
        self.settings
    }
}

impl StockId {
    /// The id of a product's stock: one stream per product.
    pub fn of(product: ProductId) -> Self {
        Self(Uuid::new_v5(&product.0, b"stock"))
    }
}

impl OfCompany for Stock {
    fn company(&self) -> Option<CompanyId> {
        // The seller's; buyers see the availability only.
        None
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
