//! A goods return: what a company sends back of an invoice, or complains about without sending it back,
//! from the request to the credit note.

mod case;
mod error;
mod lines;

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    billing::invoice,
    kernel::{
        ActorId, Attachments, CompanyId, InvoiceId, Lines, Name, Note, OfCompany, OrderId,
        Reference, ShipmentId, aggregate::aggregate, day,
    },
    parties::Side,
};

pub use case::{Case, Progress};
pub use error::Error;
pub use lines::{AuthorisedLine, Finding, Item, Kind, Reason, RequestedLine, Transport};

/// The state of a return.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum GoodsReturn {
    /// Not requested.
    #[default]
    Unrequested,
    /// Waits for the seller's answer.
    Requested(Box<Case>),
    /// The seller authorised some of it.
    Authorised(Box<Case>),
    /// Nothing more happens to it.
    Ended {
        /// Who returned.
        company: CompanyId,
        /// Of which invoice.
        invoice: InvoiceId,
        /// How it ended.
        end: End,
        /// What it holds of the invoice for good, by the line of the invoice: goods that came back and
        /// are kept without a credit note.
        held: BTreeMap<u32, Decimal>,
    },
}

/// How a return ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The seller refused it.
    Refused,
    /// It was taken back.
    Withdrawn,
    /// All that was authorised is credited or sent back.
    Settled,
    /// The seller closed it before.
    Closed,
}

/// A request for a return, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GoodsReturnRequest")]
pub struct Request {
    /// Who returns.
    pub company: CompanyId,
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// The order behind the invoice.
    pub order: OrderId,
    /// The shipment behind the invoice.
    pub shipment: ShipmentId,
    /// Whether goods come back.
    pub kind: Kind,
    /// What, how much and why.
    pub lines: Lines<RequestedLine>,
    /// In the words of who requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Who requested it.
    pub by: ActorId,
    /// For which side: the seller enters what a company says by other means.
    pub side: Side,
    /// The day.
    #[schemars(with = "String", extend("format" = "date"))]
    pub on: Date,
}

/// The commands of a return.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Request it.
    Request {
        /// The whole request.
        request: Box<Request>,
        /// The last day on which a company can return a line, by the line of the invoice; none where
        /// the product has no such term.
        until: BTreeMap<u32, Date>,
    },
    /// Authorise it, whole or in part.
    Authorise {
        /// The answers; a line that is not named is authorised as requested.
        lines: Vec<AuthorisedLine>,
        /// How the goods are to come back.
        transport: Option<Transport>,
        /// Labels for the parcels.
        labels: Attachments,
        /// What the company is to know.
        note: Option<Note>,
    },
    /// Refuse all of it.
    Refuse {
        /// Why.
        reason: Note,
    },
    /// Take it back.
    Withdraw {
        /// Why.
        reason: Option<Note>,
    },
    /// Send a parcel.
    Send {
        /// How.
        transport: Transport,
        /// Who carries it.
        courier: Option<Name>,
        /// The courier's number of it.
        tracking: Option<Reference>,
        /// The day.
        on: Date,
    },
    /// Take goods in.
    Receive {
        /// What came.
        items: Vec<Item>,
        /// The day.
        on: Date,
    },
    /// Decide what becomes of goods that came.
    Inspect {
        /// By line.
        items: Vec<Finding>,
        /// For the seller's people only.
        note: Option<Note>,
    },
    /// Credit some of it; the credit note is issued in the same append.
    Credit {
        /// The credit note.
        credit_note: InvoiceId,
        /// What it credits.
        items: Vec<Item>,
        /// The order of the same goods that replaces them, placed in the same append.
        replacement: Option<OrderId>,
        /// The day of the credit note.
        on: Date,
    },
    /// Close it before all that was authorised is settled.
    Close {
        /// Why.
        reason: Note,
    },
}

/// What happened to a return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Somebody wants to return goods, or complains.
    Requested {
        /// The whole request.
        request: Request,
    },
    /// The seller agreed, to all or a part.
    Authorised {
        /// The answer to each line, in their order.
        lines: Vec<AuthorisedLine>,
        /// How the goods are to come back, where that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transport: Option<Transport>,
        /// Labels for the parcels.
        #[serde(default, skip_serializing_if = "Attachments::is_empty")]
        labels: Attachments,
        /// What the company is to know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// The seller agreed to nothing.
    Refused {
        /// Why.
        reason: Note,
    },
    /// It was taken back.
    Withdrawn {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
    /// A parcel is on its way.
    Sent {
        /// How.
        transport: Transport,
        /// Who carries it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        courier: Option<Name>,
        /// The courier's number of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking: Option<Reference>,
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// Goods came back.
    Received {
        /// What came.
        items: Vec<Item>,
        /// The day.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// The seller decided what becomes of goods that came back. Companies do not see it.
    Inspected {
        /// By line.
        items: Vec<Finding>,
        /// For the seller's people only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Note>,
    },
    /// A credit note gives back some of it.
    Credited {
        /// The credit note.
        credit_note: InvoiceId,
        /// What it credits.
        items: Vec<Item>,
        /// The order of the same goods that replaces them, at the prices of the invoice.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replacement: Option<OrderId>,
        /// The day of the credit note.
        #[schemars(with = "String", extend("format" = "date"))]
        on: Date,
    },
    /// All that was authorised is credited or sent back.
    Settled {},
    /// The seller closed it before.
    Closed {
        /// Why.
        reason: Note,
    },
}

aggregate!(GoodsReturn, "goods_return", {
    Requested => "requested" v 1,
    Authorised => "authorised" v 1,
    Refused => "refused" v 1,
    Withdrawn => "withdrawn" v 1,
    Sent => "sent" v 1,
    Received => "received" v 1,
    Inspected => "inspected" v 1,
    Credited => "credited" v 1,
    Settled => "settled" v 1,
    Closed => "closed" v 1,
});

impl GoodsReturn {
    /// The most parcels of one return.
    pub const MOST_PARCELS: u32 = 100;

    /// Every rule of a return.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let events = match command {
            Command::Request { request, until } => self.request(*request, &until)?,
            Command::Authorise { lines, transport, labels, note } => {
                self.authorise(&lines, transport, labels, note)?
            }
            Command::Refuse { reason } => match self {
                Self::Requested(_) => vec![Event::Refused { reason }],
                Self::Ended { end: End::Refused, .. } => vec![],
                Self::Authorised(_) => return Err(Error::AlreadyAuthorised),
                Self::Unrequested | Self::Ended { .. } => return Err(self.not_open()),
            },
            Command::Withdraw { reason } => match self {
                Self::Authorised(case) if case.is_under_way() => return Err(Error::UnderWay),
                Self::Requested(_) | Self::Authorised(_) => vec![Event::Withdrawn { reason }],
                Self::Ended { end: End::Withdrawn, .. } => vec![],
                Self::Unrequested | Self::Ended { .. } => return Err(self.not_open()),
            },
            Command::Send { transport, courier, tracking, on } => {
                if self.coming_back()?.parcels >= Self::MOST_PARCELS {
                    return Err(Error::TooManyParcels);
                }
                vec![Event::Sent { transport, courier, tracking, on: day::checked(on)? }]
            }
            Command::Receive { items, on } => {
                self.coming_back()?.can_receive(&items)?;
                vec![Event::Received { items, on: day::checked(on)? }]
            }
            Command::Inspect { items, note } => {
                self.coming_back()?.can_inspect(&items)?;
                vec![Event::Inspected { items, note }]
            }
            Command::Credit { credit_note, items, replacement, on } => {
                let credits = self.authorised()?.credits(&items)?;
                let stays_sold = |credit: &invoice::Item| credit.price_reduction.is_some();
                if replacement.is_some() && credits.iter().any(stays_sold) {
                    return Err(Error::NothingToReplace);
                }
                vec![Event::Credited { credit_note, items, replacement, on: day::checked(on)? }]
            }
            Command::Close { reason } => match self {
                Self::Authorised(case) if case.awaits_inspection() => {
                    return Err(Error::NotInspected);
                }
                Self::Authorised(_) => vec![Event::Closed { reason }],
                Self::Ended { end: End::Closed, .. } => vec![],
                Self::Requested(_) => return Err(Error::NotAuthorised),
                Self::Unrequested | Self::Ended { .. } => return Err(self.not_open()),
            },
        };
        Ok(self.with_end(events))
    }

    fn request(&self, request: Request, until: &BTreeMap<u32, Date>) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unrequested => {}
            Self::Requested(_) | Self::Authorised(_) | Self::Ended { .. } => {
                return Err(Error::AlreadyRequested);
            }
        }
        day::checked(request.on)?;
        for (item, line) in request.lines.iter().enumerate() {
            if !line.reason.fits(request.kind) {
                return Err(Error::ReasonDoesNotFit { item, kind: request.kind });
            }
            let unit_price = line.unit_price;
            match (line.reason, line.claimed_price) {
                (Reason::WrongPrice, None) => return Err(Error::PriceMissing { item }),
                (Reason::WrongPrice, Some(price)) if price >= unit_price => {
                    return Err(Error::PriceNotLower { item, unit_price });
                }
                (Reason::WrongPrice, Some(_)) | (_, None) => {}
                (_, Some(_)) => return Err(Error::NoPrice { item, line: line.invoice_line }),
            }
            // The seller may take back what is late; a complaint is not about the term of return.
            let is_bound = request.side == Side::Buyer && request.kind == Kind::Return;
            match until.get(&line.invoice_line) {
                Some(&until) if is_bound && until < request.on => {
                    return Err(Error::TooLate { item, until });
                }
                Some(_) | None => {}
            }
        }
        Ok(vec![Event::Requested { request }])
    }

    fn authorise(
        &self,
        lines: &[AuthorisedLine],
        transport: Option<Transport>,
        labels: Attachments,
        note: Option<Note>,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Requested(case) => {
                if case.kind == Kind::Complaint && (transport.is_some() || !labels.is_empty()) {
                    return Err(Error::NothingComesBack);
                }
                let lines = case.answered(lines)?;
                if lines.iter().all(|line| line.quantity.is_none()) {
                    return Err(Error::NothingAuthorised);
                }
                Ok(vec![Event::Authorised { lines, transport, labels, note }])
            }
            Self::Authorised(case) if case.is_answered_so(lines) => Ok(vec![]),
            Self::Authorised(_) => Err(Error::AlreadyAuthorised),
            Self::Unrequested | Self::Ended { .. } => Err(self.not_open()),
        }
    }

    /// A return that was authorised.
    pub fn authorised(&self) -> Result<&Case, Error> {
        match self {
            Self::Authorised(case) => Ok(case),
            Self::Requested(_) => Err(Error::NotAuthorised),
            Self::Unrequested | Self::Ended { .. } => Err(self.not_open()),
        }
    }

    /// The same, when goods come back with it.
    fn coming_back(&self) -> Result<&Case, Error> {
        let case = self.authorised()?;
        match case.kind {
            Kind::Return => Ok(case),
            Kind::Complaint => Err(Error::NothingComesBack),
        }
    }

    fn not_open(&self) -> Error {
        match self {
            Self::Unrequested => Error::Unrequested,
            Self::Requested(_) | Self::Authorised(_) | Self::Ended { .. } => Error::Ended,
        }
    }

    /// The events, and the end of the return where all is settled with them.
    fn with_end(&self, mut events: Vec<Event>) -> Vec<Event> {
        if events.is_empty() {
            return events;
        }
        let after = events.iter().cloned().fold(self.clone(), Self::evolve);
        match after {
            Self::Authorised(case) if case.is_complete() => events.push(Event::Settled {}),
            Self::Unrequested | Self::Requested(_) | Self::Authorised(_) | Self::Ended { .. } => {}
        }
        events
    }

    /// The line of this number, while the return has not ended.
    pub fn line(&self, number: u32) -> Option<&Progress> {
        match self {
            Self::Requested(case) | Self::Authorised(case) => case.line(number),
            Self::Unrequested | Self::Ended { .. } => None,
        }
    }

    /// The invoice, and what the return holds of it, by the line of the invoice: no other return can
    /// have the same.
    pub fn held(&self) -> Option<(InvoiceId, BTreeMap<u32, Decimal>)> {
        match self {
            Self::Unrequested => None,
            Self::Requested(case) => Some((case.invoice, case.requested())),
            Self::Authorised(case) => Some((case.invoice, case.not_credited())),
            Self::Ended { invoice, held, .. } => Some((*invoice, held.clone())),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Requested { request } => Self::Requested(Box::new(Case::of(&request))),
            Event::Authorised { lines, .. } => match self {
                Self::Requested(mut case) | Self::Authorised(mut case) => {
                    case.authorise(&lines);
                    Self::Authorised(case)
                }
                Self::Unrequested | Self::Ended { .. } => self,
            },
            Event::Sent { .. } => self.with(|case| case.parcels = case.parcels.saturating_add(1)),
            Event::Received { items, .. } => self.with(|case| case.receive(&items)),
            Event::Inspected { items, .. } => self.with(|case| case.inspect(&items)),
            Event::Credited { items, .. } => self.with(|case| case.credit(&items)),
            Event::Refused { .. } => self.ended(End::Refused),
            Event::Withdrawn { .. } => self.ended(End::Withdrawn),
            Event::Settled {} => self.ended(End::Settled),
            Event::Closed { .. } => self.ended(End::Closed),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Case)) -> Self {
        match &mut self {
            Self::Requested(case) | Self::Authorised(case) => change(case),
            Self::Unrequested | Self::Ended { .. } => {}
        }
        self
    }

    fn ended(self, end: End) -> Self {
        match self {
            Self::Requested(case) | Self::Authorised(case) => {
                Self::Ended { company: case.company, invoice: case.invoice, end, held: case.kept() }
            }
            Self::Unrequested | Self::Ended { .. } => self,
        }
    }
}

impl OfCompany for GoodsReturn {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unrequested => None,
            Self::Requested(case) | Self::Authorised(case) => Some(case.company),
            Self::Ended { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
