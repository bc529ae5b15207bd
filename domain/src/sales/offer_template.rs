//! An offer template: what the seller offers again and again. A draft begins with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CompanyId, Currency, Message, Name, OfCompany, PaymentTerm, ProductId, Quantity, Sku,
    UnitPrice, aggregate::aggregate, refusal::refusals,
};

/// What decisions need to know of a template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum OfferTemplate {
    /// Nothing yet.
    #[default]
    Unkept,
    /// Drafts can begin with it.
    Kept(Box<Template>),
    /// Nobody uses it any more.
    Dropped,
}

/// With what a draft begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// What the seller calls it.
    pub name: Name,
    /// In which currency its prices are.
    pub currency: Currency,
    /// What is offered: 1 to 500 lines.
    pub lines: Vec<TemplateLine>,
    /// What is written to the company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// When the invoice will be due; the company's own term when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_term: Option<PaymentTerm>,
    /// For how many days the offer holds, the day on which it is drafted not counted.
    pub valid_days: u16,
}

/// So much of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateLine {
    /// Which product.
    pub product: ProductId,
    /// Its code when the template was kept.
    pub sku: Sku,
    /// Its name when the template was kept.
    pub name: Name,
    /// How much of it.
    pub quantity: Quantity,
    /// Net price of one unit; what agreements and lists make when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<UnitPrice>,
    /// Whether the company may leave it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// What can be asked of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Keep it like this.
    Keep {
        /// The whole template.
        template: Box<Template>,
    },
    /// Use it no more.
    Drop,
}

/// What happened to a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It is kept like this.
    Kept {
        /// The whole template.
        template: Template,
    },
    /// Nobody uses it any more.
    Dropped {},
}

aggregate!(OfferTemplate, "offer_template", {
    Kept => "kept" v 1,
    Dropped => "dropped" v 1,
});

/// Why a template refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such template.
    #[error("there is no such offer template")]
    Unkept,
    /// It was dropped for good.
    #[error("the offer template was dropped")]
    Dropped,
    /// Nothing, or more than an offer holds.
    #[error("an offer template has 1 to {} lines", Template::MOST_LINES)]
    LineCount,
    /// Lapsed at once, or open for ever.
    #[error("an offer holds for 1 to {} days", Template::MOST_DAYS)]
    ValidDays,
}

refusals!(Error, {
    Unkept => ("offer_template.unkept", Missing),
    Dropped => ("offer_template.dropped", State),
    LineCount => ("offer_template.line_count", Invalid),
    ValidDays => ("offer_template.valid_days", Invalid),
});

impl OfferTemplate {
    /// Every rule of a template.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match (self, command) {
            (Self::Kept(present), Command::Keep { template }) if *present == template => Ok(vec![]),
            (Self::Unkept | Self::Kept(_), Command::Keep { template }) => {
                template.check()?;
                Ok(vec![Event::Kept { template: *template }])
            }
            (Self::Dropped, Command::Keep { .. }) => Err(Error::Dropped),
            (Self::Unkept, Command::Drop) => Err(Error::Unkept),
            (Self::Kept(_), Command::Drop) => Ok(vec![Event::Dropped {}]),
            (Self::Dropped, Command::Drop) => Ok(vec![]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Kept { template } => Self::Kept(Box::new(template)),
            Event::Dropped {} => Self::Dropped,
        }
    }

    /// With what a draft begins.
    pub fn template(&self) -> Result<&Template, Error> {
        match self {
            Self::Unkept => Err(Error::Unkept),
            Self::Kept(template) => Ok(template),
            Self::Dropped => Err(Error::Dropped),
        }
    }
}

impl Template {
    /// How many lines there can be.
    pub const MOST_LINES: usize = 500;
    /// How long an offer can hold.
    pub const MOST_DAYS: u16 = 366;

    fn check(&self) -> Result<(), Error> {
        if !(1..=Self::MOST_LINES).contains(&self.lines.len()) {
            return Err(Error::LineCount);
        }
        if !(1..=Self::MOST_DAYS).contains(&self.valid_days) {
            return Err(Error::ValidDays);
        }
        Ok(())
    }
}

impl OfCompany for OfferTemplate {
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{TERM, answer};

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<OfferTemplate>(given, when), then);
    }

    fn line() -> TemplateLine {
        TemplateLine {
            product: ProductId(Uuid::from_u128(0x9)),
            sku: "HK-1".parse().unwrap(),
            name: "Kawa".parse().unwrap(),
            quantity: "10".parse().unwrap(),
            unit_price: None,
            optional: true,
        }
    }

    fn template() -> Template {
        Template {
            name: "Pakiet startowy".parse().unwrap(),
            currency: Currency::Pln,
            lines: vec![line()],
            message: None,
            payment_term: Some(TERM),
            valid_days: 14,
        }
    }

    fn keep(template: Template) -> Command {
        Command::Keep { template: Box::new(template) }
    }

    fn kept() -> Event {
        Event::Kept { template: template() }
    }

    #[test]
    fn is_kept_anew_and_dropped_for_good() {
        let other = || Template { valid_days: 30, ..template() };
        let anew = Event::Kept { template: other() };
        check(&[], keep(template()), Ok(vec![kept()]));
        check(&[kept()], keep(template()), Ok(vec![]));
        check(&[kept()], keep(other()), Ok(vec![anew]));
        check(&[], Command::Drop, Err(Error::Unkept));
        check(&[kept()], Command::Drop, Ok(vec![Event::Dropped {}]));
        check(&[kept(), Event::Dropped {}], Command::Drop, Ok(vec![]));
        check(&[kept(), Event::Dropped {}], keep(template()), Err(Error::Dropped));
    }

    #[test]
    fn makes_an_offer_that_can_be_sent() {
        let lines = |count| Template { lines: vec![line(); count], ..template() };
        let days = |valid_days| Template { valid_days, ..template() };
        for (template, then) in [
            (lines(0), Some(Error::LineCount)),
            (lines(Template::MOST_LINES), None),
            (lines(Template::MOST_LINES + 1), Some(Error::LineCount)),
            (days(0), Some(Error::ValidDays)),
            (days(1), None),
            (days(Template::MOST_DAYS), None),
            (days(Template::MOST_DAYS + 1), Some(Error::ValidDays)),
        ] {
            let kept = vec![Event::Kept { template: template.clone() }];
            check(&[], keep(template), then.map_or(Ok(kept), Err));
        }
    }

    #[test]
    fn begins_drafts_while_it_is_kept() {
        let after = |events: &[Event]| {
            events.iter().cloned().fold(OfferTemplate::default(), OfferTemplate::evolve)
        };
        assert_eq!(after(&[]).template(), Err(Error::Unkept));
        assert_eq!(after(&[kept()]).template(), Ok(&template()));
        assert_eq!(after(&[kept(), Event::Dropped {}]).template(), Err(Error::Dropped));
    }
}
