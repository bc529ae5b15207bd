//! The parcels of a shipment: weight, dimensions, and which quantities of which lines are in each.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fulfilment::shipment::{Error, OrderPart},
    kernel::{OrderId, Quantity, Reference},
};

/// One parcel, or a pallet. Its number is its place in the list, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// Its weight in grams, with packaging.
    #[schemars(range(min = 1, max = Parcel::MAX_GRAMS))]
    pub weight_grams: u32,
    /// Its outer dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<Dimensions>,
    /// What is in it, each line once.
    pub contents: Vec<Content>,
    /// The carrier's number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Reference>,
}

/// Outer dimensions of a parcel, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ParcelDimensions")]
pub struct Dimensions {
    /// Length.
    #[schemars(range(min = 1, max = Parcel::MAX_MILLIMETRES))]
    pub length_mm: u32,
    /// Width.
    #[schemars(range(min = 1, max = Parcel::MAX_MILLIMETRES))]
    pub width_mm: u32,
    /// Height.
    #[schemars(range(min = 1, max = Parcel::MAX_MILLIMETRES))]
    pub height_mm: u32,
}

/// So much of one line of one order, in one parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ParcelContent")]
pub struct Content {
    /// Of which order.
    pub order: OrderId,
    /// The line's number, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
}

impl Parcel {
    /// The heaviest parcel: 30 tonnes, the load of a lorry.
    pub const MAX_GRAMS: u32 = 30_000_000;
    /// The longest side of a parcel: 20 metres, the length of a lorry with its trailer.
    pub const MAX_MILLIMETRES: u32 = 20_000;
}

impl Dimensions {
    fn are_possible(self) -> bool {
        let sides = [self.length_mm, self.width_mm, self.height_mm];
        sides.iter().all(|side| (1..=Parcel::MAX_MILLIMETRES).contains(side))
    }
}

/// The most parcels of one shipment.
pub const MOST: usize = 500;
/// The most contents of all parcels of one shipment.
pub const MOST_CONTENTS: usize = 5_000;

/// Checks that parcels contain exactly what is to leave.
pub(super) fn checked(orders: &[OrderPart], parcels: &[Parcel]) -> Result<(), Error> {
    if parcels.is_empty() {
        return Err(Error::NoParcels);
    }
    let contents: usize = parcels.iter().map(|parcel| parcel.contents.len()).sum();
    if parcels.len() > MOST || contents > MOST_CONTENTS {
        return Err(Error::TooManyParcels);
    }
    let items = orders
        .iter()
        .flat_map(|part| part.items.iter().map(|item| ((part.order, item.line), item.quantity)));
    let mut unpacked: BTreeMap<(OrderId, u32), Option<Quantity>> =
        items.map(|(key, quantity)| (key, Some(quantity))).collect();
    for (index, parcel) in parcels.iter().enumerate() {
        if !(1..=Parcel::MAX_GRAMS).contains(&parcel.weight_grams) {
            return Err(Error::Weight { parcel: index });
        }
        if parcel.dimensions.is_some_and(|dimensions| !dimensions.are_possible()) {
            return Err(Error::Dimensions { parcel: index });
        }
        pack(&mut unpacked, index, &parcel.contents)?;
    }
    match unpacked.into_iter().find_map(|(key, rest)| Some((key, rest?))) {
        Some(((order, line), missing)) => Err(Error::NotAllPacked { order, line, missing }),
        None => Ok(()),
    }
}

/// Takes the contents of one parcel from what is not packed yet.
fn pack(
    unpacked: &mut BTreeMap<(OrderId, u32), Option<Quantity>>,
    parcel: usize,
    contents: &[Content],
) -> Result<(), Error> {
    if contents.is_empty() {
        return Err(Error::EmptyParcel { parcel });
    }
    let mut named = BTreeSet::new();
    for (index, &Content { order, line, quantity }) in contents.iter().enumerate() {
        if !named.insert((order, line)) {
            return Err(Error::ContentNamedTwice { parcel, content: index });
        }
        let rest = unpacked
            .get_mut(&(order, line))
            .ok_or(Error::NotInShipment { parcel, content: index })?;
        let too_much = Error::TooMuchPacked { parcel, content: index };
        *rest = match *rest {
            Some(present) => present.less(quantity).map_err(|_| too_much)?,
            None => return Err(too_much),
        };
    }
    Ok(())
}
