//! Why a return refuses a command.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{GoodsReturn, Kind};
use crate::kernel::{UnitPrice, day::DayError, refusal::refusals};

/// Why a return refuses a command. `item` is the index in the list of the command, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such return.
    #[error("there is no such return")]
    Unrequested,
    /// The id belongs to a return already.
    #[error("the return was already requested")]
    AlreadyRequested,
    /// The seller has not answered.
    #[error("the return is not authorised")]
    NotAuthorised,
    /// The seller answered something else.
    #[error("the return is already authorised")]
    AlreadyAuthorised,
    /// Nothing more happens to it.
    #[error("the return has ended")]
    Ended,
    /// Goods came back or were credited.
    #[error("goods of the return were received or credited: it can no longer be taken back")]
    UnderWay,
    /// It is a complaint.
    #[error("no goods come back with a complaint")]
    NothingComesBack,
    /// The reason is one of the other kind.
    #[error("this reason does not fit a {}", kind.name())]
    ReasonDoesNotFit {
        /// The index of the line.
        item: usize,
        /// The kind of the return.
        kind: Kind,
    },
    /// Only a complaint about a price claims one.
    #[error("only a line whose reason is a wrong price has a right one")]
    NoPrice {
        /// The index of the line.
        item: usize,
        /// Its number.
        line: u32,
    },
    /// A complaint about a price claims one.
    #[error("a line whose reason is a wrong price says which price is right")]
    PriceMissing {
        /// The index of the line.
        item: usize,
    },
    /// A credit note gives back; it does not charge.
    #[error("the right price is lower than {unit_price}, which was invoiced")]
    PriceNotLower {
        /// The index of the line.
        item: usize,
        /// The price on the invoice.
        unit_price: UnitPrice,
    },
    /// The product's term of return is over.
    #[error("the goods could be returned until {until}")]
    TooLate {
        /// The index of the line.
        item: usize,
        /// The last day.
        until: Date,
    },
    /// Nothing is named.
    #[error("at least one line is needed")]
    NoItems,
    /// A line is named twice, so it is not clear what is meant.
    #[error("line {line} is named twice")]
    NamedTwice {
        /// The index of the second one.
        item: usize,
        /// Its number.
        line: u32,
    },
    /// The return has no such line.
    #[error("the return has no line {line}")]
    NoSuchLine {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
    },
    /// Nothing is left of the request.
    #[error("nothing is authorised: refuse the return instead")]
    NothingAuthorised,
    /// More is authorised than was requested.
    #[error("only {requested} of line {line} was requested")]
    MoreThanRequested {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
        /// What was requested.
        requested: Decimal,
    },
    /// Less is authorised than was requested, and the company is not told why.
    #[error("line {line} needs a reason, since not all of it is authorised")]
    ReasonMissing {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
    },
    /// Too many parcels.
    #[error("a return has at most {} parcels", GoodsReturn::MOST_PARCELS)]
    TooManyParcels,
    /// More came than was authorised.
    #[error("only {left} of line {line} is authorised and has not come yet")]
    MoreThanAuthorised {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
        /// What may still come.
        left: Decimal,
    },
    /// The inspection decides about more or less than waits for it.
    #[error("{waiting} of line {line} waits for inspection; the quantities must add up to it")]
    SumDiffers {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
        /// What came and was not inspected.
        waiting: Decimal,
    },
    /// Goods that came must be inspected first.
    #[error("goods of the return wait for inspection")]
    NotInspected,
    /// Nothing can be credited.
    #[error("nothing of the return can be credited now")]
    NothingToCredit,
    /// More is credited than can be.
    #[error("only {left} of line {line} can be credited now")]
    MoreThanCreditable {
        /// The index of the item.
        item: usize,
        /// Its number.
        line: u32,
        /// What can be credited.
        left: Decimal,
    },
    /// A complaint about a price replaces nothing.
    #[error("goods whose price is lowered stay sold: they cannot be replaced")]
    NothingToReplace,
    /// No document bears such a day.
    #[error(transparent)]
    Day(#[from] DayError),
}

refusals!(Error, {
    Unrequested => ("goods_return.unrequested", Missing),
    AlreadyRequested => ("goods_return.already_requested", State),
    NotAuthorised => ("goods_return.not_authorised", State),
    AlreadyAuthorised => ("goods_return.already_authorised", State),
    Ended => ("goods_return.ended", State),
    UnderWay => ("goods_return.under_way", State),
    NothingComesBack => ("goods_return.nothing_comes_back", State),
    ReasonDoesNotFit => ("goods_return.reason_does_not_fit", Invalid),
    NoPrice => ("goods_return.no_price", Invalid),
    PriceMissing => ("goods_return.price_missing", Invalid),
    PriceNotLower => ("goods_return.price_not_lower", Invalid),
    TooLate => ("goods_return.too_late", State),
    NoItems => ("goods_return.no_items", Invalid),
    NamedTwice => ("goods_return.line_named_twice", Invalid),
    NoSuchLine => ("goods_return.no_such_line", Invalid),
    NothingAuthorised => ("goods_return.nothing_authorised", Invalid),
    MoreThanRequested => ("goods_return.more_than_requested", Invalid),
    ReasonMissing => ("goods_return.reason_missing", Invalid),
    TooManyParcels => ("goods_return.too_many_parcels", State),
    MoreThanAuthorised => ("goods_return.more_than_authorised", State),
    SumDiffers => ("goods_return.sum_differs", State),
    NotInspected => ("goods_return.not_inspected", State),
    NothingToCredit => ("goods_return.nothing_to_credit", State),
    MoreThanCreditable => ("goods_return.more_than_creditable", State),
    NothingToReplace => ("goods_return.nothing_to_replace", State),
    Day => ("day.out_of_range", Invalid),
});
