//! An invoice: a document that charges a company, with its open amount. A credit note is the same
//! aggregate with the opposite sign, with the amount not yet allocated to an invoice.

mod correction;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    billing::series::{Kind, Number},
    kernel::{
        CompanyId, Currency, InvoiceId, Lines, Money, Note, OfCompany, OrderId, PaymentId,
        PaymentTerm, ShipmentId, aggregate::aggregate, money::MoneyError, refusal::refusals,
        vat::Totals,
    },
};

pub use correction::{Charged, CorrectedItem, Correction, Item};

/// The state of a document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Invoice {
    /// Not issued.
    #[default]
    Unissued,
    /// A sales invoice.
    Issued {
        /// Whom it charges.
        company: CompanyId,
        /// The open amount.
        open: Money,
        /// The charged amounts, and the amounts that credit notes have credited.
        charged: Box<Charged>,
    },
    /// A credit note.
    CreditNote {
        /// Whom it gives back.
        company: CompanyId,
        /// The amount not yet allocated to an invoice.
        unapplied: Money,
    },
}

/// The content of a sales invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct Sale {
    /// Whom it charges.
    pub company: CompanyId,
    /// The order behind it.
    pub order: OrderId,
    /// The shipment behind it.
    pub shipment: ShipmentId,
    /// In which currency.
    pub currency: Currency,
    /// What was sold.
    pub lines: Lines,
    /// The due date.
    pub payment_term: PaymentTerm,
    /// Whether it contains goods of annex 15 to the VAT act.
    pub annex_15: bool,
    /// The day of issue.
    pub on: Date,
}

/// What is paid for paying early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EarlyPaymentOffer")]
pub struct Early {
    /// The last day of the discount.
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
    /// What is to be paid until then.
    pub to_pay: Money,
}

/// The content of a credit note.
#[derive(Debug, Clone, PartialEq)]
pub struct Credit {
    /// Whom it gives back.
    pub company: CompanyId,
    /// The invoice that it corrects, if there is one.
    pub corrects: Option<InvoiceId>,
    /// In which currency.
    pub currency: Currency,
    /// What is given back, in positive quantities.
    pub lines: Lines,
    /// The amounts, as the corrected invoice determines them; without one they follow from the
    /// lines.
    pub totals: Option<Totals>,
    /// Why.
    pub reason: Option<Note>,
    /// The day of issue.
    pub on: Date,
}

/// The commands of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Issue a sales invoice.
    Issue {
        /// The number, taken from its series in the same append.
        number: Number,
        /// The content.
        sale: Sale,
    },
    /// Issue a credit note.
    IssueCreditNote {
        /// The number, taken from its series in the same append.
        number: Number,
        /// The content.
        credit: Credit,
    },
    /// Credit a part of an invoice; the credit note is issued in the same append.
    Correct {
        /// The credit note.
        credit_note: InvoiceId,
        /// The credited items.
        items: Vec<Item>,
        /// Its day of issue.
        on: Date,
    },
    /// Count a credit note that an older build issued without recording it on the invoice.
    CountCreditNote {
        /// The credit note.
        credit_note: InvoiceId,
        /// The credited items.
        lines: Lines,
        /// The credited amounts.
        totals: Totals,
    },
    /// Allocate a payment.
    AllocatePayment {
        /// The payment, which is reduced by the same amount in the same append.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// Allocate a credit note.
    ApplyCredit {
        /// The credit note, which is reduced by the same amount in the same append.
        credit_note: InvoiceId,
        /// How much.
        amount: Money,
    },
    /// The allocation as the credit note records it.
    GiveCredit {
        /// The invoice to which it is allocated.
        invoice: InvoiceId,
        /// How much.
        amount: Money,
    },
}

/// What happened to a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A sales invoice exists.
    Issued {
        /// Its number.
        number: Number,
        /// Whom it charges.
        company: CompanyId,
        /// The order behind it.
        order: OrderId,
        /// The shipment behind it.
        shipment: ShipmentId,
        /// In which currency.
        currency: Currency,
        /// What was sold.
        lines: Lines,
        /// What it charges, with the tax per rate.
        totals: Totals,
        /// The day of issue.
        on: Date,
        /// The last day on which paying is in time.
        due_on: Date,
        /// What paying early is worth, where that was agreed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        early: Option<Early>,
        /// Whether it must be paid by split payment ("mechanizm podzielonej płatności").
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        split_payment: bool,
    },
    /// A credit note exists.
    CreditNoteIssued {
        /// Its number.
        number: Number,
        /// Whom it gives back.
        company: CompanyId,
        /// The invoice that it corrects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<InvoiceId>,
        /// In which currency.
        currency: Currency,
        /// What is given back.
        lines: Lines,
        /// What it gives back, with the tax per rate, in positive amounts.
        totals: Totals,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
        /// The day of issue.
        on: Date,
    },
    /// A credit note gives back some of this invoice, whether anything of it is open or not.
    Corrected {
        /// The credit note.
        credit_note: InvoiceId,
        /// What it gives back, by line; none where the lines are not those of the invoice, as
        /// older builds allowed.
        items: Vec<CorrectedItem>,
        /// What that comes to, with the tax per rate, in positive amounts.
        totals: Totals,
    },
    /// A payment covers some of it; more is open.
    PartPaid {
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// A payment covers the last of it.
    Paid {
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
    },
    /// A credit note was set against it.
    Credited {
        /// The credit note.
        credit_note: InvoiceId,
        /// How much.
        amount: Money,
    },
    /// This credit note was set against an invoice.
    CreditGiven {
        /// The invoice.
        invoice: InvoiceId,
        /// How much.
        amount: Money,
    },
}

aggregate!(Invoice, "invoice", {
    Issued => "issued" v 1,
    CreditNoteIssued => "credit_note_issued" v 1,
    Corrected => "corrected" v 1,
    PartPaid => "part_paid" v 1,
    Paid => "paid" v 1,
    Credited => "credited" v 1,
    CreditGiven => "credit_given" v 1,
});

/// Why a document refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such document.
    #[error("there is no such invoice")]
    Unissued,
    /// A document is issued once and never changes.
    #[error("the document was already issued")]
    AlreadyIssued,
    /// Payments and credit notes can be allocated only to sales invoices.
    #[error("the document is a credit note")]
    IsCreditNote,
    /// Only a credit note can be allocated as credit.
    #[error("the document is not a credit note")]
    NotCreditNote,
    /// An allocated amount must be positive.
    #[error("the amount must be more than zero")]
    NotPositive,
    /// The amount exceeds the open amount of the invoice.
    #[error("only {open} of the invoice is open")]
    MoreThanOpen {
        /// The open amount.
        open: Money,
    },
    /// The amount exceeds the unallocated amount of the credit note.
    #[error("only {unapplied} of the credit note is left")]
    MoreThanUnapplied {
        /// The unallocated amount.
        unapplied: Money,
    },
    /// The invoice has no such line.
    #[error("the invoice has no line {line}")]
    NoSuchLine {
        /// The index of the item, counted from 0.
        item: usize,
        /// The number of the line.
        line: u32,
    },
    /// The quantity exceeds what was invoiced and not yet credited.
    #[error("only {left} of line {line} of the invoice is left to give back")]
    MoreThanLeft {
        /// The index of the item, counted from 0.
        item: usize,
        /// The line's number.
        line: u32,
        /// The quantity that can still be credited.
        left: rust_decimal::Decimal,
    },
    /// The price of a line is lowered by more than is left of it.
    #[error("only {left} of line {line} of the invoice is left to give back")]
    AboveLine {
        /// The index of the item, counted from 0.
        item: usize,
        /// The line's number.
        line: u32,
        /// The net amount of the line that can still be credited.
        left: Money,
    },
    /// The total exceeds what was charged and not yet credited.
    #[error("only {left} of the invoice is left to give back")]
    AboveInvoice {
        /// The gross amount that can still be credited.
        left: Money,
    },
    /// The credit note is dated before the invoice.
    #[error("the credit note is dated before its invoice of {on}")]
    BeforeInvoice {
        /// The day of the invoice.
        on: Date,
    },
    /// The amounts cannot be calculated.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

refusals!(Error, {
    Unissued => ("invoice.unissued", Missing),
    AlreadyIssued => ("invoice.already_issued", State),
    IsCreditNote => ("invoice.is_credit_note", State),
    NotCreditNote => ("invoice.not_credit_note", State),
    NotPositive => ("invoice.amount_not_positive", Invalid),
    MoreThanOpen => ("invoice.more_than_open", State),
    MoreThanUnapplied => ("invoice.more_than_unapplied", State),
    NoSuchLine => ("credit_note.no_such_line", Invalid),
    MoreThanLeft => ("credit_note.more_than_left", State),
    AboveLine => ("credit_note.above_line", State),
    AboveInvoice => ("credit_note.above_invoice", State),
    BeforeInvoice => ("credit_note.before_invoice", Invalid),
    Money => (inner, Invalid),
});

impl Invoice {
    /// Every rule of a document.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Issue { number, sale } => self.issue(number, sale),
            Command::IssueCreditNote { number, credit } => self.issue_credit_note(number, credit),
            Command::Correct { credit_note, items, on } => {
                let Correction { items, totals } = self.charged()?.correction(&items, on)?;
                Ok(vec![Event::Corrected { credit_note, items, totals }])
            }
            Command::CountCreditNote { credit_note, lines, totals } => {
                let charged = self.charged()?;
                if charged.counts(credit_note) {
                    return Ok(vec![]);
                }
                let Correction { items, totals } = charged.earlier(&lines, totals)?;
                Ok(vec![Event::Corrected { credit_note, items, totals }])
            }
            Command::AllocatePayment { payment, amount } => {
                let rest = self.open()?.less(amount, |open| Error::MoreThanOpen { open })?;
                Ok(vec![if rest.is_zero() {
                    Event::Paid { payment, amount }
                } else {
                    Event::PartPaid { payment, amount }
                }])
            }
            Command::ApplyCredit { credit_note, amount } => {
                self.open()?.less(amount, |open| Error::MoreThanOpen { open })?;
                Ok(vec![Event::Credited { credit_note, amount }])
            }
            Command::GiveCredit { invoice, amount } => {
                self.unapplied()?
                    .less(amount, |unapplied| Error::MoreThanUnapplied { unapplied })?;
                Ok(vec![Event::CreditGiven { invoice, amount }])
            }
        }
    }

    fn issue(&self, number: Number, sale: Sale) -> Result<Vec<Event>, Error> {
        self.must_be_unissued()?;
        let Sale { company, order, shipment, currency, lines, payment_term, annex_15, on } = sale;
        let totals = Totals::of(&lines, currency)?;
        let early = payment_term.early(on, totals.gross);
        Ok(vec![Event::Issued {
            number,
            company,
            order,
            shipment,
            currency,
            split_payment: annex_15 && must_be_split(totals.gross),
            totals,
            lines,
            on,
            due_on: payment_term.due_on(on),
            early: early.map(|(until, to_pay)| Early { until, to_pay }),
        }])
    }

    fn issue_credit_note(&self, number: Number, credit: Credit) -> Result<Vec<Event>, Error> {
        self.must_be_unissued()?;
        let Credit { company, corrects, currency, lines, totals, reason, on } = credit;
        let totals = match totals {
            Some(totals) => totals,
            None => {
                let totals = Totals::of(&lines, currency)?;
                totals.net.within_ceiling()?;
                totals
            }
        };
        Ok(vec![Event::CreditNoteIssued {
            number,
            company,
            corrects,
            currency,
            lines,
            totals,
            reason,
            on,
        }])
    }

    fn must_be_unissued(&self) -> Result<(), Error> {
        match self {
            Self::Unissued => Ok(()),
            Self::Issued { .. } | Self::CreditNote { .. } => Err(Error::AlreadyIssued),
        }
    }

    /// The open amount of a sales invoice.
    pub fn open(&self) -> Result<Balance, Error> {
        match self {
            Self::Unissued => Err(Error::Unissued),
            Self::Issued { open, .. } => Ok(Balance(*open)),
            Self::CreditNote { .. } => Err(Error::IsCreditNote),
        }
    }

    /// What a sales invoice charged, and what was credited of it.
    pub fn charged(&self) -> Result<&Charged, Error> {
        match self {
            Self::Unissued => Err(Error::Unissued),
            Self::Issued { charged, .. } => Ok(charged),
            Self::CreditNote { .. } => Err(Error::IsCreditNote),
        }
    }

    /// The unallocated amount of a credit note.
    pub fn unapplied(&self) -> Result<Balance, Error> {
        match self {
            Self::Unissued => Err(Error::Unissued),
            Self::Issued { .. } => Err(Error::NotCreditNote),
            Self::CreditNote { unapplied, .. } => Ok(Balance(*unapplied)),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Issued { company, order, shipment, lines, totals, on, .. } => Self::Issued {
                company,
                open: totals.gross,
                charged: Box::new(Charged::new((order, shipment), on, lines, totals)),
            },
            Event::CreditNoteIssued { company, totals, .. } => {
                Self::CreditNote { company, unapplied: totals.gross }
            }
            Event::Corrected { credit_note, items, totals } => match self {
                Self::Issued { company, open, charged } => {
                    let charged = Box::new(charged.with(credit_note, items, &totals));
                    Self::Issued { company, open, charged }
                }
                Self::Unissued | Self::CreditNote { .. } => self,
            },
            Event::PartPaid { amount, .. }
            | Event::Paid { amount, .. }
            | Event::Credited { amount, .. }
            | Event::CreditGiven { amount, .. } => self.reduced(amount),
        }
    }

    /// `decide` has checked currency and size, so the subtraction succeeds. If a stored event were
    /// ever inconsistent, the balance would stay unchanged and the next command would be refused.
    fn reduced(self, by: Money) -> Self {
        match self {
            Self::Unissued => Self::Unissued,
            Self::Issued { company, open, charged } => {
                Self::Issued { company, open: open.minus(by).unwrap_or(open), charged }
            }
            Self::CreditNote { company, unapplied } => {
                Self::CreditNote { company, unapplied: unapplied.minus(by).unwrap_or(unapplied) }
            }
        }
    }
}

/// Whether an invoice with goods of annex 15 must state "mechanizm podzielonej płatności": above
/// 15,000 PLN gross. In other currencies the seller must check the exchange rate of the day.
///
/// Source: ustawa o podatku od towarów i usług, art. 106e ust. 1 pkt 18a.
fn must_be_split(gross: Money) -> bool {
    gross.currency() == Currency::Pln && gross.amount() > rust_decimal::Decimal::from(15_000)
}

/// An amount from which only a positive part no larger than itself can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance(pub Money);

impl Balance {
    /// The rest after `amount`; `too_much` makes the error if `amount` is larger.
    pub fn less<E>(self, amount: Money, too_much: impl FnOnce(Money) -> E) -> Result<Money, E>
    where
        E: From<MoneyError> + From<NotPositive>,
    {
        if !amount.is_positive() {
            return Err(NotPositive.into());
        }
        let rest = self.0.minus(amount)?;
        if rest.amount() < rust_decimal::Decimal::ZERO {
            return Err(too_much(self.0));
        }
        Ok(rest)
    }
}

/// Refuses an amount that is not positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPositive;

impl From<NotPositive> for Error {
    fn from(_: NotPositive) -> Self {
        Self::NotPositive
    }
}

impl Event {
    /// The number series of the document that this event issues, if any.
    pub const fn series(&self) -> Option<Kind> {
        match self {
            Self::Issued { .. } => Some(Kind::Invoice),
            Self::CreditNoteIssued { .. } => Some(Kind::CreditNote),
            Self::Corrected { .. }
            | Self::PartPaid { .. }
            | Self::Paid { .. }
            | Self::Credited { .. }
            | Self::CreditGiven { .. } => None,
        }
    }
}

impl OfCompany for Invoice {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unissued => None,
            Self::Issued { company, .. } | Self::CreditNote { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
