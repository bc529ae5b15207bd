//! Approval rules: under which conditions a company's orders, or the seller's offers, need others to
//! agree. They hold for the companies below it too, unless those have their own.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        ApprovalRulesId, CompanyId, OfCompany, aggregate::aggregate, money::MoneyError,
        refusal::refusals,
    },
    sales::approval::{Escalation, Rule, Who},
};

/// What decisions need to know of approval rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRules {
    company: Option<CompanyId>,
    /// Its own; `None` when those of the company above it hold.
    rules: Option<Vec<Rule>>,
}

/// What can be asked of approval rules.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Let these hold, instead of those before and of those of the company above.
    Adopt {
        /// Whose they are; `None` for the seller's.
        company: Option<CompanyId>,
        /// All of them, in their order.
        rules: Vec<Rule>,
    },
    /// Let those of the company above hold.
    Inherit,
}

/// What happened to approval rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// These hold from now on.
    Adopted {
        /// Whose they are; missing for the seller's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        company: Option<CompanyId>,
        /// All of them, in their order.
        rules: Vec<Rule>,
    },
    /// Those of the firm above hold from now on.
    Inherited {},
}

aggregate!(ApprovalRules, "approval_rules", {
    Adopted => "adopted" v 1,
    Inherited => "inherited" v 1,
});

/// Why rules are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than anybody overlooks.
    #[error("there are at most {} rules", ApprovalRules::MOST)]
    TooMany,
    /// A rule that asks nobody, or everybody.
    #[error("a rule has 1 to {} steps", Rule::MOST_STEPS)]
    StepCount,
    /// Such a role decides nothing, or is the other side's.
    #[error("a company asks company_admin or approver, the seller admin or sales_manager")]
    RoleDoesNotDecide,
    /// Discounts are the seller's own affair.
    #[error("only the seller's rules look at discounts")]
    DiscountOfBuyers,
    /// The seller's rules apply to offers.
    #[error("the seller's rules do not look at delivery addresses and cost centres")]
    DestinationOfSeller,
    /// A threshold beyond what any document may come to.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// One currency has one threshold.
    #[error("a rule names one sum in each currency")]
    TwoThresholds,
    /// No time, or more than a year.
    #[error("a step escalates after 1 to {} minutes", Escalation::MOST_MINUTES)]
    EscalationTime,
    /// More conditions than anybody overlooks.
    #[error("a condition names at most {} of each kind", ApprovalRules::MOST_NAMED)]
    ConditionTooWide,
}

refusals!(Error, {
    TooMany => ("approval_rules.too_many", Invalid),
    StepCount => ("approval_rules.step_count", Invalid),
    RoleDoesNotDecide => ("approval_rules.role_does_not_decide", Invalid),
    DiscountOfBuyers => ("approval_rules.discount_of_buyers", Invalid),
    DestinationOfSeller => ("approval_rules.destination_of_seller", Invalid),
    TwoThresholds => ("approval_rules.two_thresholds", Invalid),
    Money => (inner, Invalid),
    EscalationTime => ("approval_rules.escalation_time", Invalid),
    ConditionTooWide => ("approval_rules.condition_too_wide", Invalid),
});

impl ApprovalRules {
    /// How many rules there can be.
    pub const MOST: usize = 50;
    /// How many categories, addresses or cost centres a condition can name.
    pub const MOST_NAMED: usize = 200;

    /// Every rule of approval rules.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Adopt { company, rules } => {
                if rules.len() > Self::MOST {
                    return Err(Error::TooMany);
                }
                rules.iter().try_for_each(|rule| check(rule, company.is_some()))?;
                let is_so = self.rules.as_ref() == Some(&rules);
                Ok(if is_so { vec![] } else { vec![Event::Adopted { company, rules }] })
            }
            Command::Inherit if self.rules.is_none() => Ok(vec![]),
            Command::Inherit => Ok(vec![Event::Inherited {}]),
        }
    }

    fn evolve(self, event: Event) -> Self {
        match event {
            Event::Adopted { company, rules } => Self { company, rules: Some(rules) },
            Event::Inherited {} => Self { rules: None, ..self },
        }
    }

    /// Its own rules; `None` when those of the company above it hold.
    pub fn rules(&self) -> Option<&[Rule]> {
        self.rules.as_deref()
    }
}

fn check(rule: &Rule, is_buyers: bool) -> Result<(), Error> {
    let when = &rule.when;
    if is_buyers && when.discount_above.is_some() {
        return Err(Error::DiscountOfBuyers);
    }
    let names_places = !when.addresses.is_empty() || !when.cost_centres.is_empty();
    if !is_buyers && names_places {
        return Err(Error::DestinationOfSeller);
    }
    let currencies: BTreeSet<_> = when.above.iter().map(|above| above.currency()).collect();
    if currencies.len() < when.above.len() {
        return Err(Error::TwoThresholds);
    }
    for above in &when.above {
        above.within_ceiling()?;
    }
    let named = [when.categories.len(), when.addresses.len(), when.cost_centres.len()];
    if named.into_iter().any(|named| named > ApprovalRules::MOST_NAMED) {
        return Err(Error::ConditionTooWide);
    }
    if rule.steps.is_empty() || rule.steps.len() > Rule::MOST_STEPS {
        return Err(Error::StepCount);
    }
    for step in &rule.steps {
        decides(step.by, is_buyers)?;
        if let Some(Escalation { after_minutes, to }) = step.escalation {
            decides(to, is_buyers)?;
            if !(1..=Escalation::MOST_MINUTES).contains(&after_minutes) {
                return Err(Error::EscalationTime);
            }
        }
    }
    Ok(())
}

fn decides(who: Who, is_buyers: bool) -> Result<(), Error> {
    match who {
        Who::Role { role } if role.decides() && role.is_buyer() == is_buyers => Ok(()),
        Who::Role { .. } => Err(Error::RoleDoesNotDecide),
        // Whether somebody is one of the company's is for those to say who know its people.
        Who::Employee { .. } => Ok(()),
    }
}

impl ApprovalRulesId {
    /// Those of a company, or of the seller.
    pub fn of(company: Option<CompanyId>) -> Self {
        let company = company.map(uuid::Uuid::from).unwrap_or_default();
        Self(uuid::Uuid::new_v5(&company, b"approval_rules"))
    }
}

impl OfCompany for ApprovalRules {
    fn company(&self) -> Option<CompanyId> {
        self.company
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixtures::{answer, company, pln},
        parties::Role,
        sales::approval::{Condition, Step},
    };

    fn step(role: Role) -> Step {
        Step { by: Who::Role { role }, escalation: None }
    }

    fn rule(when: Condition, steps: Vec<Step>) -> Rule {
        Rule { name: "Powyżej tysiąca".parse().unwrap(), when, steps }
    }

    fn adopt(rules: &[Rule]) -> Command {
        Command::Adopt { company: Some(company()), rules: rules.to_vec() }
    }

    #[test]
    fn are_adopted_and_inherited() {
        let above = Condition { above: vec![pln("1000.00")], ..Condition::default() };
        let rules = [rule(above, vec![step(Role::Approver), step(Role::CompanyAdmin)])];
        let adopted = Event::Adopted { company: Some(company()), rules: rules.to_vec() };
        let none = Event::Adopted { company: Some(company()), rules: vec![] };
        let check = |given: &[Event], when, then: Vec<Event>| {
            assert_eq!(answer::<ApprovalRules>(given, when), Ok(then));
        };
        check(&[], adopt(&rules), vec![adopted.clone()]);
        check(std::slice::from_ref(&adopted), adopt(&rules), vec![]);
        // None at all is something else than those of the company above.
        check(&[], adopt(&[]), vec![none.clone()]);
        check(&[none], Command::Inherit, vec![Event::Inherited {}]);
        check(&[adopted, Event::Inherited {}], Command::Inherit, vec![]);
        check(&[], Command::Inherit, vec![]);
    }

    #[test]
    fn ask_those_who_decide_on_their_side() {
        let any = Condition::default;
        let escalating = |after_minutes| {
            let to = Who::Role { role: Role::CompanyAdmin };
            let escalation = Some(Escalation { after_minutes, to });
            rule(any(), vec![Step { escalation, ..step(Role::Approver) }])
        };
        let discount = Condition { discount_above: Some("5".parse().unwrap()), ..any() };
        let twice = Condition { above: vec![pln("1.00"), pln("2.00")], ..any() };
        let many = Condition {
            cost_centres: (0..=ApprovalRules::MOST_NAMED)
                .map(|number| number.to_string().parse().unwrap())
                .collect(),
            ..any()
        };
        for (rule, then) in [
            (rule(any(), vec![]), Error::StepCount),
            (rule(any(), vec![step(Role::Approver); 9]), Error::StepCount),
            (rule(any(), vec![step(Role::Purchaser)]), Error::RoleDoesNotDecide),
            (rule(any(), vec![step(Role::SalesManager)]), Error::RoleDoesNotDecide),
            (escalating(0), Error::EscalationTime),
            (escalating(Escalation::MOST_MINUTES + 1), Error::EscalationTime),
            (rule(discount, vec![step(Role::Approver)]), Error::DiscountOfBuyers),
            (rule(twice, vec![step(Role::Approver)]), Error::TwoThresholds),
            (rule(many, vec![step(Role::Approver)]), Error::ConditionTooWide),
        ] {
            assert_eq!(answer::<ApprovalRules>(&[], adopt(&[rule])), Err(then));
        }
        let rules = vec![rule(any(), vec![step(Role::Approver)]); ApprovalRules::MOST + 1];
        assert_eq!(answer::<ApprovalRules>(&[], adopt(&rules)), Err(Error::TooMany));
        let sellers = |rule: Rule| Command::Adopt { company: None, rules: vec![rule] };
        let place = Condition { cost_centres: ["A".parse().unwrap()].into(), ..any() };
        for (rule, then) in [
            (rule(any(), vec![step(Role::Approver)]), Error::RoleDoesNotDecide),
            (rule(place, vec![step(Role::SalesManager)]), Error::DestinationOfSeller),
        ] {
            assert_eq!(answer::<ApprovalRules>(&[], sellers(rule)), Err(then));
        }
    }
}
