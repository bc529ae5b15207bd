//! Orders that wait for credit: such an order is not confirmed until it is released.

use serde::{Deserialize, Serialize};

use super::{Error, Event, Order};
use crate::{kernel::Note, sales::credit_account::HoldReason};

/// Whether an order waits for credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreditHold {
    /// It never did.
    #[default]
    None,
    /// It does.
    Held,
    /// It did.
    Released,
}

impl Order {
    pub(super) fn hold_for_credit(&self, reasons: Vec<HoldReason>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::AwaitingApproval { credit_hold: CreditHold::None, .. }
            | Self::Placed { credit_hold: CreditHold::None, .. } => {
                Ok(vec![Event::CreditHeld { reasons }])
            }
            Self::AwaitingApproval { .. }
            | Self::Refused { .. }
            | Self::Placed { .. }
            | Self::Confirmed { .. }
            | Self::Shipped { .. }
            | Self::Cancelled { .. } => Ok(vec![]),
        }
    }

    pub(super) fn release_credit_hold(&self) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::AwaitingApproval { credit_hold, .. } | Self::Placed { credit_hold, .. } => {
                match credit_hold {
                    CreditHold::None => Err(Error::NotOnCreditHold),
                    CreditHold::Held => Ok(vec![Event::CreditReleased {}]),
                    CreditHold::Released => Ok(vec![]),
                }
            }
            Self::Refused { .. } => Err(Error::Refused),
            Self::Confirmed { .. } | Self::Shipped { .. } => Err(Error::NotOnCreditHold),
            Self::Cancelled { .. } => Err(Error::Cancelled),
        }
    }

    pub(super) fn refuse_credit_hold(&self, reason: Note) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unplaced => Err(Error::Unplaced),
            Self::AwaitingApproval { credit_hold: CreditHold::Held, .. }
            | Self::Placed { credit_hold: CreditHold::Held, .. } => {
                Ok(vec![Event::Cancelled { reason: Some(reason) }])
            }
            Self::AwaitingApproval { .. }
            | Self::Placed { .. }
            | Self::Confirmed { .. }
            | Self::Shipped { .. } => Err(Error::NotOnCreditHold),
            Self::Refused { .. } => Err(Error::Refused),
            Self::Cancelled { .. } => Ok(vec![]),
        }
    }

    /// Whether it waits for credit.
    pub fn is_on_credit_hold(&self) -> bool {
        match self {
            Self::AwaitingApproval { credit_hold, .. } | Self::Placed { credit_hold, .. } => {
                *credit_hold == CreditHold::Held
            }
            Self::Unplaced
            | Self::Refused { .. }
            | Self::Confirmed { .. }
            | Self::Shipped { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    pub(super) fn with_credit_hold(mut self, now: CreditHold) -> Self {
        match &mut self {
            Self::AwaitingApproval { credit_hold, .. } | Self::Placed { credit_hold, .. } => {
                *credit_hold = now;
            }
            Self::Unplaced
            | Self::Refused { .. }
            | Self::Confirmed { .. }
            | Self::Shipped { .. }
            | Self::Cancelled { .. } => {}
        }
        self
    }
}
