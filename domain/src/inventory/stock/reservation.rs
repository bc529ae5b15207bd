//! Reservations: what order lines have of a product, and what they still wait for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::{OrderId, ProductId, Quantity, WarehouseId};

/// Which reservations are filled first: 1 before 9.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(transparent)]
pub struct Priority(#[schemars(range(min = 1, max = 9))] u8);

/// A number that is no priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a priority is 1 to 9, 1 is served first")]
pub struct PriorityError;

impl Default for Priority {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<u8> for Priority {
    type Error = PriorityError;

    fn try_from(number: u8) -> Result<Self, PriorityError> {
        if (1..=9).contains(&number) { Ok(Self(number)) } else { Err(PriorityError) }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// An order line.
pub(super) type Key = (OrderId, u32);

/// What an order line has of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Of which order.
    pub order: OrderId,
    /// The number of the line.
    pub line: u32,
    /// How important it is.
    pub priority: Priority,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// In which order reservations were made.
    pub number: u64,
    /// From which warehouse it is filled if it can be.
    pub preferred: Option<WarehouseId>,
    /// What it has.
    pub allocated: BTreeMap<WarehouseId, Quantity>,
    /// What it waits for.
    pub waiting: Option<Quantity>,
}

/// The place of a reservation among those that wait.
type Rank = (Priority, Timestamp, u64, Key);

impl Reservation {
    pub(super) fn key(&self) -> Key {
        (self.order, self.line)
    }

    pub(super) fn rank(&self) -> Rank {
        (self.priority, self.placed_at, self.number, self.key())
    }

    /// What it has over all warehouses.
    pub fn allocated(&self) -> Decimal {
        self.allocated.values().map(|quantity| quantity.units()).sum()
    }

    /// What it waits for.
    pub fn waiting(&self) -> Decimal {
        self.waiting.map_or(Decimal::ZERO, Quantity::units)
    }

    pub(super) fn allocate(&mut self, warehouse: WarehouseId, by: Decimal) {
        let before = self.allocated.get(&warehouse).map_or(Decimal::ZERO, |have| have.units());
        match Quantity::new(before + by) {
            Ok(quantity) => self.allocated.insert(warehouse, quantity),
            Err(_) => self.allocated.remove(&warehouse),
        };
    }

    pub(super) fn wait(&mut self, by: Decimal) {
        self.waiting = Quantity::new(self.waiting() + by).ok();
    }

    fn is_settled(&self) -> bool {
        self.allocated.is_empty() && self.waiting.is_none()
    }
}

/// All open reservations of a product. Copies share what they have in common, because every
/// decision works on a copy and a product may have many thousands of open reservations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reservations {
    by_line: RedBlackTreeMapSync<Key, Reservation>,
    /// Those that wait, in the order in which they are filled.
    queue: RedBlackTreeSetSync<Rank>,
    made: u64,
}

impl Reservations {
    /// The reservation of an order line.
    pub fn get(&self, order: OrderId, line: u32) -> Option<&Reservation> {
        self.by_line.get(&(order, line))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Reservation> {
        self.by_line.values()
    }

    /// Those that wait, in the order in which they are filled.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Reservation> {
        self.queue.iter().filter_map(|(_, _, _, key)| self.by_line.get(key))
    }

    /// How many were made: the number of the next one.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Replaces a reservation; one that is settled goes.
    pub(super) fn put(&mut self, reservation: Reservation) {
        let (key, rank) = (reservation.key(), reservation.rank());
        self.made = self.made.max(reservation.number.saturating_add(1));
        if let Some(before) = self.by_line.get(&key).filter(|before| before.waiting.is_some()) {
            let before = before.rank();
            self.queue.remove_mut(&before);
        }
        if reservation.waiting.is_some() {
            self.queue.insert_mut(rank);
        }
        if reservation.is_settled() {
            self.by_line.remove_mut(&key);
        } else {
            self.by_line.insert_mut(key, reservation);
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    made: u64,
    open: Vec<std::borrow::Cow<'a, Reservation>>,
}

impl Serialize for Reservations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let open = self.iter().map(std::borrow::Cow::Borrowed).collect();
        Stored { made: self.made, open }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reservations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { made, open } = Stored::deserialize(deserializer)?;
        let mut reservations = Self { made, ..Self::default() };
        for one in open {
            reservations.put(one.into_owned());
        }
        Ok(reservations)
    }
}

/// A part of a bundle that is kept in stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReservedPart")]
pub struct Part {
    /// Which product.
    pub product: ProductId,
    /// How much of it is in one bundle.
    pub quantity: Quantity,
}

/// What an order line has of a bundle: the parts that one was made of when it was reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleReservation {
    /// Of which order.
    pub order: OrderId,
    /// The number of the line.
    pub line: u32,
    /// How many bundles are outstanding.
    pub quantity: Quantity,
    /// What one is made of.
    pub parts: Vec<Part>,
}

/// All open reservations of a bundle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundles(RedBlackTreeMapSync<Key, BundleReservation>);

impl Bundles {
    /// The reservation of an order line.
    pub fn get(&self, order: OrderId, line: u32) -> Option<&BundleReservation> {
        self.0.get(&(order, line))
    }

    pub(super) fn put(&mut self, one: BundleReservation) {
        self.0.insert_mut((one.order, one.line), one);
    }

    /// Subtracts what was shipped or released.
    pub(super) fn take(&mut self, order: OrderId, line: u32, quantity: Quantity) {
        let Some(one) = self.get(order, line).cloned() else { return };
        match one.quantity.less(quantity) {
            Ok(Some(rest)) => self.put(BundleReservation { quantity: rest, ..one }),
            Ok(None) | Err(_) => {
                self.0.remove_mut(&(order, line));
            }
        }
    }
}

impl Serialize for Bundles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

impl<'de> Deserialize<'de> for Bundles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bundles = Self::default();
        for one in Vec::deserialize(deserializer)? {
            bundles.put(one);
        }
        Ok(bundles)
    }
}
