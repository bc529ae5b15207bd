//! What lists show of documents: everything but their lines, of which they tell the number and the
//! sum. Read models keep it beside the whole document, so that a list never reads lines.

use domain::{
    Attachments, CompanyId, Currency, DeliveryTerms, Destination, EmployeeId, Lines, Money, Name,
    OrderId, PaymentTerm, Percent, Reference, offer, offer_template, order, quotation_request,
    shipment,
    standing_order::{Plan, ReferencePattern, Schedule, UnavailableLines},
};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What lists show of what was ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderHead {
    /// By whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// How many lines it has; they are shown with the order alone, like its note.
    pub line_count: usize,
    /// The sum of their net amounts; missing where that is more than money holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Money>,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// Where it came from.
    pub source: order::Source,
    /// The company's own number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The company's employee who wants it; missing where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<EmployeeId>,
    /// Where it goes and who pays for it, as far as that was said.
    #[serde(default, skip_serializing_if = "Destination::is_unsaid")]
    pub destination: Destination,
    /// How the goods travel, where that was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
    /// The day on which the company would like to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub wished_on: Option<Date>,
}

impl From<&order::Terms> for OrderHead {
    fn from(terms: &order::Terms) -> Self {
        let order::Terms {
            company,
            currency,
            lines,
            payment_term,
            source,
            reference,
            placed_by,
            destination,
            delivery_terms,
            wished_on,
            note: _,
        } = terms.clone();
        let (line_count, net) = (lines.len(), lines.net(currency).ok());
        Self {
            company,
            currency,
            line_count,
            net,
            payment_term,
            source,
            reference,
            placed_by,
            destination,
            delivery_terms,
            wished_on,
        }
    }
}

/// What lists show of what is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfferHead {
    /// To whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// How many lines it has; they are shown with the offer alone, like its message.
    pub line_count: usize,
    /// The sum of the net amounts of those that are needed; missing where that is more than money
    /// holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Money>,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// The last day on which it can be accepted, in the seller's time zone.
    pub valid_until: Date,
    /// How the goods travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
    /// What has come off every price for taking the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// Whether the company may take some of the needed lines and leave others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub divisible: bool,
}

impl From<&offer::Proposal> for OfferHead {
    fn from(proposal: &offer::Proposal) -> Self {
        let net = proposal.net().ok();
        let offer::Proposal {
            company,
            currency,
            lines,
            payment_term,
            valid_until,
            delivery_terms,
            discount,
            divisible,
            message: _,
        } = proposal.clone();
        Self {
            company,
            currency,
            line_count: lines.len(),
            net,
            payment_term,
            valid_until,
            delivery_terms,
            discount,
            divisible,
        }
    }
}

/// What lists show of what left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentHead {
    /// To whom.
    pub company: CompanyId,
    /// Of which order.
    pub order: OrderId,
    /// In which currency its lines are priced.
    pub currency: Currency,
    /// How many lines it has; they are shown with the shipment alone.
    pub line_count: usize,
    /// The sum of their net amounts; missing where that is more than money holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Money>,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Name>,
    /// The courier's number of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Reference>,
    /// The day it left, which is the day of its invoice.
    pub on: Date,
}

impl From<&shipment::Dispatch> for ShipmentHead {
    fn from(dispatch: &shipment::Dispatch) -> Self {
        let shipment::Dispatch {
            company,
            order,
            currency,
            lines,
            payment_term,
            courier,
            tracking,
            on,
        } = dispatch.clone();
        let (line_count, net) = (lines.len(), lines.net(currency).ok());
        Self { company, order, currency, line_count, net, payment_term, courier, tracking, on }
    }
}

/// What lists show of what was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InquiryHead {
    /// Who asks.
    pub company: CompanyId,
    /// In which currency it wants prices.
    pub currency: Currency,
    /// How many lines it has; they are shown with the request alone, like its message.
    pub line_count: usize,
    /// The day by which it wants the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
    /// Where the goods would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<domain::AddressId>,
    /// Drawings, lists and the like.
    #[serde(default, skip_serializing_if = "Attachments::is_empty")]
    pub attachments: Attachments,
}

impl From<&quotation_request::Inquiry> for InquiryHead {
    fn from(inquiry: &quotation_request::Inquiry) -> Self {
        let quotation_request::Inquiry {
            company,
            currency,
            lines,
            message: _,
            answer_by,
            delivery_address,
            attachments,
        } = inquiry.clone();
        let line_count = lines.len();
        Self { company, currency, line_count, answer_by, delivery_address, attachments }
    }
}

/// What lists show of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateHead {
    /// What the seller calls it.
    pub name: Name,
    /// In which currency its prices are.
    pub currency: Currency,
    /// How many lines it has; they are shown with the template alone, like its message.
    pub line_count: usize,
    /// When the invoice will be due; the company's own term when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_term: Option<PaymentTerm>,
    /// For how many days the offer holds, the day on which it is drafted not counted.
    pub valid_days: u16,
}

impl From<&offer_template::Template> for TemplateHead {
    fn from(template: &offer_template::Template) -> Self {
        let offer_template::Template {
            name,
            currency,
            lines,
            message: _,
            payment_term,
            valid_days,
        } = template.clone();
        Self { name, currency, line_count: lines.len(), payment_term, valid_days }
    }
}

/// How many lines a document has, as a column keeps it.
pub(crate) fn line_count<L>(lines: &Lines<L>) -> i32 {
    i32::try_from(lines.len()).expect("a document has a few thousand lines at most")
}

/// What lists show of a standing order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StandingOrderHead {
    /// What the company calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// In which currency its orders are.
    pub currency: Currency,
    /// How many lines it has; they are shown with the standing order alone.
    pub line_count: usize,
    /// When it places orders.
    pub schedule: Schedule,
    /// Where the goods go and who pays for them, as far as that was said.
    #[serde(default, skip_serializing_if = "Destination::is_unsaid")]
    pub destination: Destination,
    /// The company's own number of its orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferencePattern>,
    /// The company's employee who orders; missing where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed_by: Option<EmployeeId>,
    /// What happens when a line cannot be had.
    pub unavailable_lines: UnavailableLines,
    /// How many days before a date it is announced; not at all when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_days: Option<u8>,
    /// The last day on which the fixed prices of lines hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub prices_fixed_until: Option<Date>,
}

impl From<&Plan> for StandingOrderHead {
    fn from(plan: &Plan) -> Self {
        let Plan {
            name,
            currency,
            lines,
            schedule,
            destination,
            reference,
            placed_by,
            unavailable_lines,
            notice_days,
            prices_fixed_until,
        } = plan.clone();
        Self {
            name,
            currency,
            line_count: lines.len(),
            schedule,
            destination,
            reference,
            placed_by,
            unavailable_lines,
            notice_days,
            prices_fixed_until,
        }
    }
}
