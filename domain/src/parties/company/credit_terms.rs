//! On which terms a company buys on credit, beside its limit.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Error, Event};
use crate::kernel::{Currency, Money};

/// For how many days after its due date an invoice holds up no order: 0 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct GraceDays(u16);

/// A grace period that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a grace period has at most {} days", GraceDays::MOST)]
pub struct GraceDaysError;

impl GraceDays {
    /// The longest grace period.
    pub const MOST: u16 = 365;

    /// The number of days.
    pub const fn days(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for GraceDays {
    type Error = GraceDaysError;

    fn try_from(days: u16) -> Result<Self, GraceDaysError> {
        if days > Self::MOST { Err(GraceDaysError) } else { Ok(Self(days)) }
    }
}

impl From<GraceDays> for u16 {
    fn from(days: GraceDays) -> Self {
        days.0
    }
}

impl JsonSchema for GraceDays {
    fn schema_name() -> Cow<'static, str> {
        "GraceDays".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 0,
            "maximum": Self::MOST,
        })
    }
}

/// The terms of one company.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreditTerms {
    /// Its grace period; `None`: that of the company above it holds.
    pub grace: Option<GraceDays>,
    /// Whether its goods leave only after they are paid.
    pub prepayment: bool,
    /// The least net value of an order, in each currency.
    pub minimum_orders: BTreeMap<Currency, Money>,
}

impl CreditTerms {
    pub(super) fn agree_grace(&self, days: GraceDays) -> Option<Event> {
        (self.grace != Some(days)).then_some(Event::CreditGraceAgreed { days })
    }

    pub(super) fn lift_grace(&self) -> Option<Event> {
        self.grace.is_some().then_some(Event::CreditGraceLifted {})
    }

    pub(super) fn require_prepayment(&self) -> Option<Event> {
        (!self.prepayment).then_some(Event::PrepaymentRequired {})
    }

    pub(super) fn waive_prepayment(&self) -> Option<Event> {
        self.prepayment.then_some(Event::PrepaymentWaived {})
    }

    pub(super) fn agree_minimum_order(&self, minimum: Money) -> Result<Option<Event>, Error> {
        if minimum.is_negative() {
            return Err(Error::NegativeMinimum);
        }
        minimum.within_ceiling()?;
        let present = self.minimum_orders.get(&minimum.currency());
        Ok((present != Some(&minimum)).then_some(Event::MinimumOrderAgreed { minimum }))
    }

    pub(super) fn lift_minimum_order(&self, currency: Currency) -> Option<Event> {
        let is_set = self.minimum_orders.contains_key(&currency);
        is_set.then_some(Event::MinimumOrderLifted { currency })
    }
}
