//! The rules that a shipment can break.

use jiff::civil::Date;

use super::{Parcel, Shipment, parcel};
use crate::kernel::{Lines, OrderId, Quantity, day::DayError, refusal::refusals};

/// Why a shipment refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such shipment.
    #[error("there is no such shipment")]
    Unprepared,
    /// The id belongs to a shipment already.
    #[error("the shipment was already prepared")]
    AlreadyPrepared,
    /// It left before.
    #[error("the shipment was already dispatched")]
    AlreadyDispatched,
    /// Nothing has left.
    #[error("the shipment has not left yet")]
    NotDispatched,
    /// Its preparation was cancelled.
    #[error("the shipment is cancelled")]
    Cancelled,
    /// It arrived.
    #[error("the shipment was already delivered")]
    AlreadyDelivered,
    /// It came back.
    #[error("the shipment was returned to its sender")]
    Returned,
    /// A shipment of nothing.
    #[error("a shipment has goods of at least one order")]
    NoOrders,
    /// More than one shipment may hold.
    #[error(
        "a shipment has goods of at most {} orders with {} lines",
        Shipment::MOST_ORDERS,
        Lines::MAX
    )]
    TooManyOrders,
    /// An order is named twice, so its quantities are ambiguous.
    #[error("an order is named twice")]
    OrderNamedTwice {
        /// The index of the second one, counted from 0.
        index: usize,
    },
    /// An order of another company.
    #[error("the orders of one shipment belong to one company")]
    OtherCompany {
        /// The index of the order, counted from 0.
        index: usize,
    },
    /// An order to another place.
    #[error("the orders of one shipment go to one delivery address")]
    OtherAddress {
        /// The index of the order, counted from 0.
        index: usize,
    },
    /// An order of which nothing leaves.
    #[error("at least one line of each order leaves")]
    NoItems {
        /// The index of the order, counted from 0.
        index: usize,
    },
    /// No parcels.
    #[error("a packed shipment has at least one parcel")]
    NoParcels,
    /// More parcels than one shipment may have.
    #[error(
        "a shipment has at most {} parcels with {} contents",
        parcel::MOST,
        parcel::MOST_CONTENTS
    )]
    TooManyParcels,
    /// A weight that no parcel has.
    #[error("a parcel weighs between 1 and {} grams", Parcel::MAX_GRAMS)]
    Weight {
        /// The index of the parcel, counted from 0.
        parcel: usize,
    },
    /// Dimensions that no parcel has.
    #[error("a side of a parcel is between 1 and {} millimetres", Parcel::MAX_MILLIMETRES)]
    Dimensions {
        /// The index of the parcel, counted from 0.
        parcel: usize,
    },
    /// A parcel of nothing.
    #[error("a parcel has contents")]
    EmptyParcel {
        /// The index of the parcel, counted from 0.
        parcel: usize,
    },
    /// A line is named twice in one parcel.
    #[error("a parcel names each line once")]
    ContentNamedTwice {
        /// The index of the parcel, counted from 0.
        parcel: usize,
        /// The index of the content, counted from 0.
        content: usize,
    },
    /// The line is not part of the shipment.
    #[error("the shipment has no such line")]
    NotInShipment {
        /// The index of the parcel, counted from 0.
        parcel: usize,
        /// The index of the content, counted from 0.
        content: usize,
    },
    /// The parcels contain more of a line than leaves.
    #[error("the parcels contain more of this line than leaves")]
    TooMuchPacked {
        /// The index of the parcel, counted from 0.
        parcel: usize,
        /// The index of the content, counted from 0.
        content: usize,
    },
    /// The parcels contain less of a line than leaves.
    #[error("{missing} of line {line} of order {order} is in no parcel")]
    NotAllPacked {
        /// The order.
        order: OrderId,
        /// The line's number.
        line: u32,
        /// What is missing.
        missing: Quantity,
    },
    /// What leaves is not what was prepared.
    #[error("what leaves is not what was prepared")]
    OtherContents,
    /// It cannot have arrived, or failed to, before it left.
    #[error("the shipment left on {on}; this happened before")]
    BeforeDispatch {
        /// The day on which it left.
        on: Date,
    },
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Unprepared => ("shipment.unprepared", Missing),
    AlreadyPrepared => ("shipment.already_prepared", State),
    AlreadyDispatched => ("shipment.already_dispatched", State),
    NotDispatched => ("shipment.not_dispatched", State),
    Cancelled => ("shipment.cancelled", State),
    AlreadyDelivered => ("shipment.already_delivered", State),
    Returned => ("shipment.returned", State),
    NoOrders => ("shipment.no_orders", Invalid),
    TooManyOrders => ("shipment.too_many_orders", Invalid),
    OrderNamedTwice => ("shipment.order_named_twice", Invalid),
    OtherCompany => ("shipment.other_company", Invalid),
    OtherAddress => ("shipment.other_address", Invalid),
    NoItems => ("shipment.no_items", Invalid),
    NoParcels => ("shipment.no_parcels", Invalid),
    TooManyParcels => ("shipment.too_many_parcels", Invalid),
    Weight => ("shipment.weight_out_of_range", Invalid),
    Dimensions => ("shipment.dimensions_out_of_range", Invalid),
    EmptyParcel => ("shipment.empty_parcel", Invalid),
    ContentNamedTwice => ("shipment.content_named_twice", Invalid),
    NotInShipment => ("shipment.not_in_shipment", Invalid),
    TooMuchPacked => ("shipment.too_much_packed", Invalid),
    NotAllPacked => ("shipment.not_all_packed", Invalid),
    OtherContents => ("shipment.other_contents", State),
    BeforeDispatch => ("shipment.before_dispatch", Invalid),
    Day => ("day.out_of_range", Invalid),
});
