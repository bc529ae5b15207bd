//! What can be asked of a credit account, and what that is decided on.

use jiff::{Timestamp, civil::Date};

use super::{Entry, Source};
use crate::kernel::{
    ActorId, CompanyId, CreditAccountId, Currency, InvoiceId, Money, Note, OrderId, PaymentId,
    ShipmentId,
};

/// A command, with the facts that it is decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The facts.
    pub facts: Facts,
    /// What is to change.
    pub change: Change,
}

/// What an account does not know itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// The holder of the account.
    pub holder: CompanyId,
    /// The currency of the account.
    pub currency: Currency,
    /// The limit of the holder; `None`: orders are not checked against a limit.
    pub limit: Option<Money>,
    /// The day that decides which invoices are overdue.
    pub today: Date,
}

/// What is to change in an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Reserve credit for an order.
    Reserve {
        /// Who orders.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// Its gross sum.
        amount: Money,
        /// When it was placed: orders on hold are released oldest first.
        at: Timestamp,
        /// For how many days after the due date an invoice holds no order up; `None`: for ever.
        grace_days: Option<u16>,
        /// Whether it may be put on hold; an order that was accepted before is not.
        may_hold: bool,
    },
    /// Release an order from its hold, whatever the limit.
    Release {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// Who decides it.
        by: ActorId,
        /// Why.
        reason: Note,
    },
    /// Free what is reserved for an order: it, or its rest, will not be delivered.
    Free {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
    },
    /// Goods of an order leave.
    Deliver {
        /// Who ordered.
        company: CompanyId,
        /// The order.
        order: OrderId,
        /// The shipment.
        shipment: ShipmentId,
        /// The gross sum of what leaves.
        amount: Money,
        /// Whether nothing more of the order leaves afterwards.
        is_last: bool,
        /// Whether the order must be covered by money that came in before.
        is_prepaid: bool,
    },
    /// A shipment was invoiced.
    Invoice {
        /// Whom the invoice charges.
        company: CompanyId,
        /// The invoice.
        invoice: InvoiceId,
        /// The shipment that it charges.
        shipment: ShipmentId,
        /// Its gross sum.
        amount: Money,
        /// Its due date.
        due_on: Date,
    },
    /// A credit note was issued.
    Credit {
        /// Whom it credits.
        company: CompanyId,
        /// The credit note.
        credit_note: InvoiceId,
        /// Its gross sum.
        amount: Money,
    },
    /// A payment was booked.
    Pay {
        /// Who paid.
        company: CompanyId,
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// A payment or a credit note was allocated to an invoice.
    Allocate {
        /// Whose they are.
        company: CompanyId,
        /// The invoice.
        invoice: InvoiceId,
        /// What was allocated.
        source: Source,
        /// How much.
        amount: Money,
    },
    /// Hand over what a company has here to another account.
    Leave {
        /// The company.
        company: CompanyId,
        /// The holder of the other account.
        to: CompanyId,
    },
    /// Take over what a company has in another account.
    Join {
        /// The company.
        company: CompanyId,
        /// The holder of the other account.
        from: CompanyId,
        /// What it has there.
        entries: Vec<Entry>,
    },
    /// Release the orders on hold that fit now: the limit was raised.
    Review,
}

impl Facts {
    /// The account that these facts are about.
    pub fn account(&self) -> CreditAccountId {
        CreditAccountId::of(self.holder, self.currency)
    }
}
