//! A quotation request (RFQ): a company asks for prices. A representative of the seller takes it,
//! and answers with offers or declines.

mod requested_lines;

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    ActorId, AddressId, Attachments, CompanyId, Currency, EmployeeId, Message, Note, OfCompany,
    OfferId, aggregate::aggregate, day, refusal::refusals,
};

pub use self::requested_lines::{
    RequestedLine, RequestedLines, RequestedLinesError, RequestedProduct,
};

/// The state of a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum QuotationRequest {
    /// Not submitted.
    #[default]
    Unrequested,
    /// It waits for an answer.
    Open(Box<Asked>),
    /// Offers were made.
    Answered {
        /// The content.
        asked: Box<Asked>,
        /// The offers.
        offers: BTreeSet<OfferId>,
    },
    /// Closed without an offer.
    Closed {
        /// The company.
        company: CompanyId,
        /// Why it was closed.
        how: Closure,
    },
}

/// Why a request was closed without an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closure {
    /// The seller makes no offer.
    Declined,
    /// The company does not want one any more.
    Withdrawn,
}

/// The content and the representative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The content.
    pub inquiry: Inquiry,
    /// The representative; `None` until it is taken or assigned.
    pub representative: Option<EmployeeId>,
}

/// What a company asks, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    /// Who asks.
    pub company: CompanyId,
    /// In which currency it wants prices.
    pub currency: Currency,
    /// What it wants, and how much.
    pub lines: RequestedLines,
    /// What else it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// The day by which it wants the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// Where the goods would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<AddressId>,
    /// Drawings, lists and the like.
    #[serde(default, skip_serializing_if = "Attachments::is_empty")]
    pub attachments: Attachments,
}

/// The commands of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Submit a request.
    Request {
        /// What.
        inquiry: Box<Inquiry>,
        /// Who asks.
        by: ActorId,
        /// The day.
        today: Date,
    },
    /// Assign it to a representative. The caller has checked their role.
    Assign {
        /// To whom.
        representative: EmployeeId,
    },
    /// Take it over.
    Take {
        /// The employee.
        by: EmployeeId,
        /// Whether the present representative is unavailable.
        is_free: bool,
    },
    /// Record a sent offer as an answer.
    Answer {
        /// Which.
        offer: OfferId,
    },
    /// Decline it.
    Decline {
        /// Why, as the company reads it.
        reason: Note,
    },
    /// Withdraw it.
    Withdraw {
        /// Who says so.
        by: ActorId,
        /// Why.
        reason: Option<Note>,
    },
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A company asked for prices.
    Requested {
        /// What it asked.
        inquiry: Inquiry,
        /// Who asked.
        by: ActorId,
    },
    /// Somebody at the seller looks after it.
    Assigned {
        /// Who.
        representative: EmployeeId,
    },
    /// An offer answers it.
    Answered {
        /// Which.
        offer: OfferId,
    },
    /// The seller makes no offer.
    Declined {
        /// Why.
        reason: Note,
    },
    /// The company wants none any more.
    Withdrawn {
        /// Who said so.
        by: ActorId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Note>,
    },
}

aggregate!(QuotationRequest, "quotation_request", {
    Requested => "requested" v 1,
    Assigned => "assigned" v 1,
    Answered => "answered" v 1,
    Declined => "declined" v 1,
    Withdrawn => "withdrawn" v 1,
});

/// Why a request refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such request.
    #[error("there is no such request for quotation")]
    Unrequested,
    /// The id belongs to another one.
    #[error("the request for quotation was already made")]
    AlreadyRequested,
    /// The day of the answer is past or outside the supported range.
    #[error("the answer is wanted by a day that is over, or of no calendar of trade")]
    AnswerByOutOfRange,
    /// The delivery day of a line is past or outside the supported range.
    #[error("line {line} is wanted on a day that is over, or of no calendar of trade")]
    DeliveryOutOfRange {
        /// The line, counted from 1.
        line: usize,
    },
    /// Another employee is the representative.
    #[error("somebody else looks after the request for quotation")]
    InOtherHands,
    /// It was answered by an offer.
    #[error("the request for quotation was already answered")]
    AlreadyAnswered,
    /// Too many offers.
    #[error(
        "a request for quotation is answered by at most {} offers",
        QuotationRequest::MOST_OFFERS
    )]
    TooManyOffers,
    /// It was declined or withdrawn.
    #[error("the request for quotation is closed")]
    Closed,
}

refusals!(Error, {
    Unrequested => ("quotation_request.unrequested", Missing),
    AlreadyRequested => ("quotation_request.already_requested", State),
    AnswerByOutOfRange => ("quotation_request.answer_by_out_of_range", Invalid),
    DeliveryOutOfRange => ("quotation_request.delivery_out_of_range", Invalid),
    InOtherHands => ("quotation_request.in_other_hands", State),
    AlreadyAnswered => ("quotation_request.already_answered", State),
    TooManyOffers => ("quotation_request.too_many_offers", State),
    Closed => ("quotation_request.closed", State),
});

impl QuotationRequest {
    /// The most offers for one request.
    pub const MOST_OFFERS: usize = 50;

    /// Every rule of a request.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Request { inquiry, by, today } => self.request(*inquiry, by, today),
            Command::Assign { representative } => self.assign(representative, |_| Ok(())),
            Command::Take { by, is_free } => self.assign(by, |holder| match holder {
                Some(_) if !is_free => Err(Error::InOtherHands),
                Some(_) | None => Ok(()),
            }),
            Command::Answer { offer } => self.answer(offer),
            Command::Decline { reason } => {
                self.close(Closure::Declined, || Event::Declined { reason })
            }
            Command::Withdraw { by, reason } => {
                self.close(Closure::Withdrawn, || Event::Withdrawn { by, reason })
            }
        }
    }

    fn request(&self, inquiry: Inquiry, by: ActorId, today: Date) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unrequested => {
                inquiry.check(today)?;
                Ok(vec![Event::Requested { inquiry, by }])
            }
            Self::Open(asked) | Self::Answered { asked, .. } if asked.inquiry == inquiry => {
                Ok(vec![])
            }
            Self::Open(_) | Self::Answered { .. } | Self::Closed { .. } => {
                Err(Error::AlreadyRequested)
            }
        }
    }

    fn assign(
        &self,
        representative: EmployeeId,
        lets_go: impl FnOnce(Option<EmployeeId>) -> Result<(), Error>,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unrequested => Err(Error::Unrequested),
            Self::Open(asked) | Self::Answered { asked, .. }
                if asked.representative == Some(representative) =>
            {
                Ok(vec![])
            }
            Self::Open(asked) => {
                lets_go(asked.representative)?;
                Ok(vec![Event::Assigned { representative }])
            }
            Self::Answered { .. } => Err(Error::AlreadyAnswered),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    fn answer(&self, offer: OfferId) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unrequested => Err(Error::Unrequested),
            Self::Open(_) => Ok(vec![Event::Answered { offer }]),
            Self::Answered { offers, .. } if offers.contains(&offer) => Ok(vec![]),
            Self::Answered { offers, .. } if offers.len() >= Self::MOST_OFFERS => {
                Err(Error::TooManyOffers)
            }
            Self::Answered { .. } => Ok(vec![Event::Answered { offer }]),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// Closes an open request; a repeat succeeds without events.
    fn close(&self, wanted: Closure, event: impl FnOnce() -> Event) -> Result<Vec<Event>, Error> {
        match self {
            Self::Unrequested => Err(Error::Unrequested),
            Self::Open(_) => Ok(vec![event()]),
            Self::Answered { .. } => Err(Error::AlreadyAnswered),
            Self::Closed { how, .. } if *how == wanted => Ok(vec![]),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// The request, while it can be answered by a first or a further offer.
    pub fn open(&self) -> Result<&Asked, Error> {
        match self {
            Self::Unrequested => Err(Error::Unrequested),
            Self::Open(asked) | Self::Answered { asked, .. } => Ok(asked),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Requested { inquiry, .. }) => {
                Self::Open(Box::new(Asked { inquiry, representative: None }))
            }
            (Self::Open(asked), Event::Assigned { representative }) => {
                Self::Open(Box::new(Asked { representative: Some(representative), ..*asked }))
            }
            (Self::Open(asked), Event::Answered { offer }) => {
                Self::Answered { asked, offers: [offer].into() }
            }
            (Self::Answered { asked, mut offers }, Event::Answered { offer }) => {
                offers.insert(offer);
                Self::Answered { asked, offers }
            }
            (Self::Open(asked), Event::Declined { .. }) => {
                Self::Closed { company: asked.inquiry.company, how: Closure::Declined }
            }
            (Self::Open(asked), Event::Withdrawn { .. }) => {
                Self::Closed { company: asked.inquiry.company, how: Closure::Withdrawn }
            }
            // `decide` records nothing more.
            (
                request @ (Self::Unrequested | Self::Answered { .. } | Self::Closed { .. }),
                Event::Assigned { .. }
                | Event::Answered { .. }
                | Event::Declined { .. }
                | Event::Withdrawn { .. },
            ) => request,
        }
    }
}

impl Inquiry {
    fn check(&self, today: Date) -> Result<(), Error> {
        let can_be =
            |wanted: Option<Date>| wanted.is_none_or(|on| today <= on && day::checked(on).is_ok());
        if !can_be(self.answer_by) {
            return Err(Error::AnswerByOutOfRange);
        }
        match self.lines.iter().position(|line| !can_be(line.delivery_on)) {
            Some(place) => Err(Error::DeliveryOutOfRange { line: place + 1 }),
            None => Ok(()),
        }
    }
}

impl OfCompany for QuotationRequest {
    fn company(&self) -> Option<CompanyId> {
        match self {
            Self::Unrequested => None,
            Self::Open(asked) | Self::Answered { asked, .. } => Some(asked.inquiry.company),
            Self::Closed { company, .. } => Some(*company),
        }
    }
}

#[cfg(test)]
mod tests;
