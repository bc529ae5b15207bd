//! What is said of the lines of a return: requested, authorised, received, found.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{Attachments, Name, Note, ProductId, Quantity, Sku, UnitPrice};

/// Whether goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "GoodsReturnKind")]
pub enum Kind {
    /// The goods come back and are inspected.
    Return,
    /// Nothing comes back: damage, shortage, a wrong price.
    Complaint,
}

/// Why goods are returned, or what is wrong with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "GoodsReturnReason")]
pub enum Reason {
    /// They arrived damaged.
    Damaged,
    /// Other goods arrived than were ordered.
    WrongItem,
    /// They are not needed; of a return only.
    NotNeeded,
    /// Less arrived than was invoiced; of a complaint only.
    Shortage,
    /// They were invoiced at a wrong price; of a complaint only.
    WrongPrice,
    /// Their quality is not as agreed.
    Quality,
    /// Something else, which the note says.
    Other,
}

impl Kind {
    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Complaint => "complaint",
        }
    }
}

impl Reason {
    /// Whether it can be the reason of this kind.
    pub const fn fits(self, kind: Kind) -> bool {
        match (self, kind) {
            (Self::NotNeeded, Kind::Complaint)
            | (Self::Shortage | Self::WrongPrice, Kind::Return) => false,
            (
                Self::Damaged
                | Self::WrongItem
                | Self::NotNeeded
                | Self::Shortage
                | Self::WrongPrice
                | Self::Quality
                | Self::Other,
                Kind::Return | Kind::Complaint,
            ) => true,
        }
    }
}

/// A line of a return, as it was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoodsReturnLine")]
pub struct RequestedLine {
    /// The number of the line on the invoice, counted from 1.
    pub invoice_line: u32,
    /// What was sold there.
    pub product: ProductId,
    /// Its code on the invoice.
    pub sku: Sku,
    /// Its name on the invoice.
    pub name: Name,
    /// Its net price on the invoice.
    pub unit_price: UnitPrice,
    /// How much of it.
    pub quantity: Quantity,
    /// Why.
    pub reason: Reason,
    /// The net price that the company holds for right, where the reason is a wrong price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_price: Option<UnitPrice>,
    /// In the words of who requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Such as photographs.
    #[serde(default, skip_serializing_if = "Attachments::is_empty")]
    pub attachments: Attachments,
}

/// The seller's answer to one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuthorisedReturnLine")]
pub struct AuthorisedLine {
    /// The number of the line of the return, counted from 1.
    pub line: u32,
    /// How much is authorised; nothing when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// Why not all that was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Note>,
    /// The right net price, of a line whose reason is a wrong price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_price: Option<UnitPrice>,
}

/// How goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ReturnTransport")]
pub enum Transport {
    /// By courier, with a label of the seller.
    Label,
    /// By the company's own means.
    Own,
    /// The seller collects them.
    Collection,
}

/// So much of one line of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReturnedItem")]
pub struct Item {
    /// The number of the line of the return, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
}

/// What an inspection decides about one line; the quantities add up to what was received and not
/// inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "InspectedItem")]
pub struct Finding {
    /// The number of the line of the return, counted from 1.
    pub line: u32,
    /// Sold again as new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restock: Option<Quantity>,
    /// Sold again as second choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_choice: Option<Quantity>,
    /// Scrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrap: Option<Quantity>,
    /// Sent back to the company, and not credited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_back: Option<Quantity>,
}

impl Finding {
    /// All of it.
    pub fn units(&self) -> Decimal {
        let Self { line: _, restock, second_choice, scrap, send_back } = *self;
        [restock, second_choice, scrap, send_back].into_iter().map(units).sum()
    }
}

/// The number of units; none of nothing.
pub(super) fn units(quantity: Option<Quantity>) -> Decimal {
    quantity.map_or(Decimal::ZERO, Quantity::units)
}
