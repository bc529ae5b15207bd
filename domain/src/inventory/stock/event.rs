//! The events of stock.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Allocated, Available, Balance, Command, Error, Lot, LotChange, LotQuantity, Part, Priority,
    Stock, Taken,
};
use crate::kernel::{
    Note, OrderId, ProductId, Quantity, Reference, ShipmentId, WarehouseId, aggregate::aggregate,
};

/// How the stock of a product is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StockSettings")]
pub struct Settings {
    /// Whether more can be reserved and shipped than is on hand.
    #[serde(default)]
    pub negative_allowed: bool,
    /// Whether every receipt names its lot.
    #[serde(default)]
    pub lots_required: bool,
}

/// Why a balance was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentReason {
    /// Goods are damaged.
    Damage,
    /// Goods are lost.
    Loss,
    /// Goods are past their best-before day.
    Expiry,
    /// The seller used them.
    OwnUse,
    /// Goods were found.
    Found,
    /// A figure was wrong.
    Correction,
}

/// What becomes of goods that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// They can be sold again.
    Restock,
    /// They are kept apart and not sold as new.
    SecondChoice,
    /// They are thrown away.
    Scrap,
}

/// What happened to the stock of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A level was reported.
    Reported {
        /// The product.
        product: ProductId,
        /// The quantity available for sale, in the product's units.
        available: Available,
        /// The day on which more is expected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>", extend("format" = "date"))]
        expected: Option<Date>,
    },
    /// It is kept otherwise.
    Configured {
        /// The product.
        product: ProductId,
        /// How.
        settings: Settings,
    },
    /// A receipt was announced.
    ReceiptExpected {
        /// The product.
        product: ProductId,
        /// The number by which the receipt is known.
        receipt: Reference,
        /// Where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// When.
        on: Date,
    },
    /// An announced receipt has another day, quantity or warehouse.
    ReceiptRescheduled {
        /// The product.
        product: ProductId,
        /// The number by which the receipt is known.
        receipt: Reference,
        /// Where.
        warehouse: WarehouseId,
        /// How much is still expected.
        quantity: Quantity,
        /// When.
        on: Date,
    },
    /// A receipt is expected no more.
    ReceiptCancelled {
        /// The product.
        product: ProductId,
        /// The number by which the receipt was known.
        receipt: Reference,
    },
    /// Goods arrived.
    Received {
        /// The product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of which lot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<Lot>,
        /// The announced receipt that came with it; so much less of it is expected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<Reference>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// The balance was corrected by a difference.
    Adjusted {
        /// The product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// By how much.
        change: Balance,
        /// By how much for each lot.
        lots: Vec<LotChange>,
        /// Why.
        reason: AdjustmentReason,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// A stock-taking found so much.
    Counted {
        /// The product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// What should have been there.
        expected: Balance,
        /// What was there.
        counted: Available,
        /// Of which lot; of all together when missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<Lot>,
        /// The difference for each lot; empty when there is none.
        lots: Vec<LotChange>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// Goods were moved to another warehouse.
    Transferred {
        /// The product.
        product: ProductId,
        /// From where.
        from: WarehouseId,
        /// To where.
        to: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// How much of each lot.
        lots: Vec<LotQuantity>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// Goods left without an order in Kontor.
    Withdrawn {
        /// The product.
        product: ProductId,
        /// From where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// How much of each lot.
        lots: Vec<LotQuantity>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// Goods came back.
    Returned {
        /// The product.
        product: ProductId,
        /// Where.
        warehouse: WarehouseId,
        /// How much.
        quantity: Quantity,
        /// Of which lot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<Lot>,
        /// What becomes of them.
        disposition: Disposition,
        /// Of which order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// The document of the warehouse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// An order line has a reservation.
    Reserved {
        /// The product.
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
        /// From which warehouse it is filled if it can be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preferred: Option<WarehouseId>,
        /// What it got.
        allocated: Vec<Allocated>,
        /// What it waits for.
        waiting: Available,
    },
    /// Order lines that waited got goods.
    Allocated {
        /// The product.
        product: ProductId,
        /// Who got what.
        fills: Vec<Fill>,
    },
    /// Order lines lost goods that are not there any more, and wait for them again.
    Deallocated {
        /// The product.
        product: ProductId,
        /// Who lost what.
        fills: Vec<Fill>,
    },
    /// An order line does not need so much any more.
    Released {
        /// The product.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How much, waiting or allocated.
        quantity: Quantity,
        /// What it had of that.
        allocated: Vec<Allocated>,
    },
    /// Goods of an order line left.
    Shipped {
        /// The product.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// In which shipment.
        shipment: ShipmentId,
        /// How much.
        quantity: Quantity,
        /// From where, and of which lots.
        taken: Vec<Taken>,
    },
    /// An order line has reservations of the parts of bundles.
    BundleReserved {
        /// The bundle.
        product: ProductId,
        /// For which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How many bundles.
        quantity: Quantity,
        /// The tracked parts of one bundle.
        parts: Vec<Part>,
    },
    /// An order line does not need so many bundles any more.
    BundleReleased {
        /// The bundle.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// How many bundles.
        quantity: Quantity,
    },
    /// Bundles of an order line left.
    BundleShipped {
        /// The bundle.
        product: ProductId,
        /// Of which order.
        order: OrderId,
        /// The number of the line.
        line: u32,
        /// In which shipment.
        shipment: ShipmentId,
        /// How many bundles.
        quantity: Quantity,
    },
    /// Nothing more of it can be sold.
    RanOut {
        /// The product.
        product: ProductId,
    },
    /// Some of it can be sold again.
    Replenished {
        /// The product.
        product: ProductId,
    },
}

/// What an order line got or lost in one warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReservationFill")]
pub struct Fill {
    /// The order.
    pub order: OrderId,
    /// The number of the line.
    pub line: u32,
    /// The warehouse.
    pub warehouse: WarehouseId,
    /// How much.
    pub quantity: Quantity,
}

aggregate!(Stock, "stock", {
    Reported => "reported" v 1,
    Configured => "configured" v 1,
    ReceiptExpected => "receipt_expected" v 1,
    ReceiptRescheduled => "receipt_rescheduled" v 1,
    ReceiptCancelled => "receipt_cancelled" v 1,
    Received => "received" v 1,
    Adjusted => "adjusted" v 1,
    Counted => "counted" v 1,
    Transferred => "transferred" v 1,
    Withdrawn => "withdrawn" v 1,
    Returned => "returned" v 1,
    Reserved => "reserved" v 1,
    Allocated => "allocated" v 1,
    Deallocated => "deallocated" v 1,
    Released => "released" v 1,
    Shipped => "shipped" v 1,
    BundleReserved => "bundle_reserved" v 1,
    BundleReleased => "bundle_released" v 1,
    BundleShipped => "bundle_shipped" v 1,
    RanOut => "ran_out" v 1,
    Replenished => "replenished" v 1,
});
