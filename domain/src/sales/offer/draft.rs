//! What the seller is writing: the first revision of an offer, or the next one.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Event, Offer, Proposal, Stamp};
use crate::{
    kernel::{
        AgreementId, EmployeeId, Message, OfferId, OfferTemplateId, OrderId, Percent, ProductId,
        QuotationRequestId, UnitPrice,
    },
    sales::approval::{Pending, Request},
};

/// What is being written, and how far the seller's people stand behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// What is written.
    pub writing: Writing,
    /// Who stands behind it.
    pub stage: Stage,
}

/// How far the seller's people stand behind a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Nobody was asked.
    Written,
    /// Others at the seller must agree before it is sent.
    AwaitingApproval(Pending),
    /// They agreed.
    Approved,
}

/// What somebody at the seller writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Writing {
    /// What it says.
    pub proposal: Proposal,
    /// The largest discount of a line below what agreements and lists make.
    pub discount: Option<Percent>,
    /// Who looks after it at the seller.
    pub representative: Option<EmployeeId>,
    /// What it was made of.
    pub origin: Option<Origin>,
    /// What stays at the seller.
    pub inside: Inside,
}

/// What an offer was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "OfferOrigin")]
pub enum Origin {
    /// The company asked for it.
    Request {
        /// Which request.
        request: QuotationRequestId,
    },
    /// It is the copy of another.
    Offer {
        /// Which one.
        offer: OfferId,
    },
    /// Of what the company ordered once.
    Order {
        /// Which order.
        order: OrderId,
    },
    /// Of a template.
    Template {
        /// Which one.
        template: OfferTemplateId,
    },
    /// Of a price list or a contract.
    List {
        /// Which one.
        agreement: AgreementId,
    },
}

/// What the company never sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inside {
    /// What the seller's people have to say to one another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Message>,
    /// What one unit of a product costs the seller, as far as that was said. Whatever becomes of the
    /// lines, it stays what it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unit_costs: BTreeMap<ProductId, UnitPrice>,
}

impl Inside {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Draft {
    /// Written just now.
    pub(super) fn of(writing: Writing) -> Self {
        Self { writing, stage: Stage::Written }
    }

    fn send(
        &self,
        today: Date,
        number: u32,
        approval: Option<Box<Request>>,
    ) -> Result<Event, Error> {
        let Proposal { valid_until, .. } = self.writing.proposal;
        match (&self.stage, approval) {
            (Stage::AwaitingApproval(_), _) => Err(Error::AwaitingApproval),
            (Stage::Written | Stage::Approved, _) if valid_until < today => {
                Err(Error::Lapsed { valid_until })
            }
            (Stage::Written, Some(request)) => Ok(Event::ApprovalRequested { request: *request }),
            (Stage::Written, None) | (Stage::Approved, _) => {
                let revision = Some(Stamp::of(number, &self.writing.proposal));
                Ok(Event::Sent { on: today, revision })
            }
        }
    }
}

impl Offer {
    pub(super) fn draft(&self, writing: Writing) -> Result<Vec<Event>, Error> {
        let present = match self {
            Self::Undrafted => None,
            Self::Drafted(draft) => Some(draft.as_ref()),
            Self::Open(open) => {
                if open.negotiation.is_some() {
                    return Err(Error::InNegotiation);
                }
                if open.revision.negotiated {
                    return Err(Error::AgreedOn);
                }
                open.draft.as_deref()
            }
            Self::Accepted { .. } => return Err(Error::AlreadyAccepted),
            Self::Closed { .. } => return Err(Error::Closed),
        };
        if self.revision().is_some_and(|revision| revision.stamp.number >= Self::MOST_REVISIONS) {
            return Err(Error::TooManyRevisions);
        }
        let company = crate::kernel::OfCompany::company(self);
        if company.is_some_and(|company| company != writing.proposal.company) {
            return Err(Error::OtherCompany);
        }
        if present.is_some_and(|present| present.writing == writing) {
            return Ok(vec![]);
        }
        writing.proposal.checked()?;
        let Writing { proposal, discount, representative, origin, inside } = writing;
        // What was agreed to was another offer: whoever had to agree must again.
        Ok(vec![Event::Drafted { proposal, discount, representative, origin, inside }])
    }

    pub(super) fn send(
        &self,
        today: Date,
        approval: Option<Box<Request>>,
    ) -> Result<Vec<Event>, Error> {
        match self {
            Self::Undrafted => Err(Error::Undrafted),
            Self::Drafted(draft) => Ok(vec![draft.send(today, 1, approval)?]),
            Self::Open(open) => match &open.draft {
                None => Ok(vec![]),
                Some(_) if open.negotiation.is_some() => Err(Error::InNegotiation),
                Some(draft) => {
                    let next = open.revision.stamp.number + 1;
                    Ok(vec![draft.send(today, next, approval)?])
                }
            },
            Self::Accepted { .. } => Err(Error::AlreadyAccepted),
            Self::Closed { .. } => Err(Error::Closed),
        }
    }

    /// What is being written.
    pub fn being_written(&self) -> Option<&Draft> {
        match self {
            Self::Undrafted | Self::Accepted { .. } | Self::Closed { .. } => None,
            Self::Drafted(draft) => Some(draft),
            Self::Open(open) => open.draft.as_deref(),
        }
    }

    pub(super) fn being_written_mut(&mut self) -> Option<&mut Draft> {
        match self {
            Self::Undrafted | Self::Accepted { .. } | Self::Closed { .. } => None,
            Self::Drafted(draft) => Some(draft),
            Self::Open(open) => open.draft.as_deref_mut(),
        }
    }
}
