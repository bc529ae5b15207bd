//! The commands of stock.

use jiff::{Timestamp, civil::Date};

use super::{
    AdjustmentReason, Available, Balance, Disposition, Expected, Level, Lot, Part, Priority,
    Settings,
};
use crate::kernel::{Note, OrderId, ProductId, Quantity, Reference, ShipmentId, WarehouseId};

/// The commands of stock.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Report the level of a product that is not tracked.
    Report {
        /// Of which product.
        product: ProductId,
        /// How much.
        level: Level,
    },
    /// Change how the product is kept.
    Configure {
        /// Of which product.
        product: ProductId,
        /// The new settings.
        settings: Settings,
    },
    /// Announce a receipt, or change one that was announced.
    Expect {
        /// Of which product.
        product: ProductId,
        /// The number by which the receipt is known.
        receipt: Reference,
        /// Where, when and how much.
        expected: Expected,
    },
    /// Expect a receipt no more.
    CancelExpected {
        /// Of which product.
        product: ProductId,
        /// The number by which the receipt is known.
        receipt: Reference,
    },
    /// Receive goods.
    Receive {
        /// Of which product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of which lot.
        lot: Option<Lot>,
        /// The announced receipt that comes with it.
        receipt: Option<Reference>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Correct the balance by a difference.
    Adjust {
        /// Of which product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// By how much.
        change: Balance,
        /// Of which lot.
        lot: Option<Lot>,
        /// Why.
        reason: AdjustmentReason,
        /// Why, in words.
        note: Option<Note>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Record a stock-taking.
    Count {
        /// Of which product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// How much there is.
        counted: Available,
        /// Of which lot; all lots together when not given.
        lot: Option<Lot>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Move goods to another warehouse.
    Transfer {
        /// Of which product.
        product: ProductId,
        /// From where.
        from: WarehouseId,
        /// To where.
        to: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of this lot; what expires first when not given.
        lot: Option<Reference>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Record goods that left without an order in Kontor.
    Withdraw {
        /// Of which product.
        product: ProductId,
        /// From where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of this lot; what expires first when not given.
        lot: Option<Reference>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Take goods back.
    TakeBack {
        /// Of which product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of which lot.
        lot: Option<Lot>,
        /// What becomes of them.
        disposition: Disposition,
        /// Of which order.
        order: Option<OrderId>,
        /// The document of the warehouse.
        reference: Option<Reference>,
    },
    /// Reserve goods for an order line. What is not there waits.
    Reserve {
        /// Of which product.
        product: ProductId,
        /// For which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How much.
        quantity: Quantity,
        /// How important it is.
        priority: Priority,
        /// When the order was placed.
        placed_at: Timestamp,
        /// From which warehouse if it can be.
        preferred: Option<WarehouseId>,
    },
    /// Record of which parts the bundles of an order line are made.
    ReserveBundle {
        /// The bundle.
        product: ProductId,
        /// For which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How many bundles.
        quantity: Quantity,
        /// The parts that are tracked.
        parts: Vec<Part>,
    },
    /// Release what an order line does not need any more.
    Release {
        /// Of which product.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How much; all of it when not given.
        quantity: Option<Quantity>,
    },
    /// Ship goods that are allocated to an order line.
    Ship {
        /// Of which product.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// In which shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
        /// From which warehouse; from any when not given.
        warehouse: Option<WarehouseId>,
        /// On which day: lots that are past it stay.
        on: Date,
    },
}
