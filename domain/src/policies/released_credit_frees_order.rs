//! When a credit account releases an order from its hold, the order can be confirmed.

use crate::{kernel::OrderId, sales::credit_account};

/// The order that an event of a credit account releases.
pub const fn react(event: &credit_account::Event) -> Option<OrderId> {
    match event {
        credit_account::Event::HoldReleased { order, .. } => Some(*order),
        credit_account::Event::Opened { .. }
        | credit_account::Event::Reserved { .. }
        | credit_account::Event::Freed { .. }
        | credit_account::Event::Delivered { .. }
        | credit_account::Event::Invoiced { .. }
        | credit_account::Event::Credited { .. }
        | credit_account::Event::Paid { .. }
        | credit_account::Event::Allocated { .. }
        | credit_account::Event::CompanyLeft { .. }
        | credit_account::Event::CompanyJoined { .. } => None,
    }
}
