//! Approval: the required approvers, their order, and who may substitute whom.
//!
//! The same rules serve a company (for its orders) and the seller (for discounts in its offers).
//! All functions are pure: people, companies and the time are parameters.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        AddressId, CategoryId, CompanyId, CostCentre, EmployeeId, Money, Name, Note, Percent,
        refusal::refusals,
    },
    parties::{
        Role,
        employee::{Period, Person},
    },
};

/// A rule: when it applies, these must agree, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalRule")]
pub struct Rule {
    /// What it is called.
    pub name: Name,
    /// To what it applies.
    #[serde(default)]
    pub when: Condition,
    /// Who must agree, in this order.
    #[schemars(length(min = 1, max = Rule::MOST_STEPS))]
    pub steps: Vec<Step>,
}

impl Rule {
    /// The most steps of a rule.
    pub const MOST_STEPS: usize = 8;
}

/// To what a rule applies: to what fits all that is said; where nothing is said, anything does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalCondition")]
pub struct Condition {
    /// A net sum above this one of its currency, and any sum in a currency that is not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<Money>,
    /// Products of one of these categories, or of those below them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<CategoryId>,
    /// Goods that go to one of these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<AddressId>,
    /// One of these cost centres.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cost_centres: BTreeSet<CostCentre>,
    /// For the seller's rules: a line whose price is more than this below what agreements and lists
    /// make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_above: Option<Percent>,
}

/// Somebody must agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalStep")]
pub struct Step {
    /// Who.
    pub by: Who,
    /// What happens when nobody does in time; without it, there is time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
}

/// Who is asked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Approver")]
pub enum Who {
    /// Anybody in this role, in the firm or in one above it.
    Role {
        /// Which.
        role: Role,
    },
    /// One person.
    Employee {
        /// Which.
        employee: EmployeeId,
    },
}

impl Who {
    fn is(self, person: &Person) -> bool {
        match self {
            Self::Role { role } => person.role.stands_for(role),
            Self::Employee { employee } => person.id == employee,
        }
    }
}

/// Whom to ask too, once it takes too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalEscalation")]
pub struct Escalation {
    /// After so many minutes.
    #[schemars(range(min = 1, max = Escalation::MOST_MINUTES))]
    pub after_minutes: u32,
    /// Whom.
    pub to: Who,
}

impl Escalation {
    /// A year.
    pub const MOST_MINUTES: u32 = 366 * 24 * 60;
}

/// The facts that rules are checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct Matter {
    /// The net sum.
    pub net: Money,
    /// The categories of the products, with their ancestors.
    pub categories: BTreeSet<CategoryId>,
    /// The delivery address.
    pub address: Option<AddressId>,
    /// The cost centre.
    pub cost_centre: Option<CostCentre>,
    /// The largest discount of a line.
    pub discount: Option<Percent>,
}

impl Condition {
    /// Whether a rule with this condition applies.
    pub fn fits(&self, matter: &Matter) -> bool {
        let net = matter.net;
        let above = self.above.iter().find(|above| above.currency() == net.currency());
        let fits = |is_said: bool, is_so: bool| !is_said || is_so;
        above.is_none_or(|above| above.amount() < net.amount())
            && fits(!self.categories.is_empty(), !self.categories.is_disjoint(&matter.categories))
            && fits(
                !self.addresses.is_empty(),
                matter.address.as_ref().is_some_and(|one| self.addresses.contains(one)),
            )
            && fits(
                !self.cost_centres.is_empty(),
                matter.cost_centre.as_ref().is_some_and(|one| one.is_among(&self.cost_centres)),
            )
            && self
                .discount_above
                .is_none_or(|most| matter.discount.is_some_and(|discount| discount > most))
    }
}

/// Why approval is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "ApprovalReason")]
pub enum Reason {
    /// A rule applies.
    Rule {
        /// Which.
        name: Name,
    },
    /// It goes beyond a limit of who asks.
    Limit {
        /// In one order, a day or a month.
        per: Period,
        /// How much there is.
        limit: Money,
    },
    /// A discount goes beyond the limit of who gives it.
    Discount {
        /// The largest of a line.
        percent: Percent,
    },
}

/// Something that goes on only when others agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalRequest")]
pub struct Request {
    /// Who asks; missing when a key that is nobody's did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EmployeeId>,
    /// When.
    pub at: Timestamp,
    /// The net sum.
    pub net: Money,
    /// The largest discount of a line, where the seller asks itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// Why it must be asked.
    pub reasons: Vec<Reason>,
    /// Who must agree, in this order.
    pub steps: Vec<Step>,
}

impl Request {
    /// What must be asked about a matter under a company's rules: all steps of all rules that apply,
    /// in their order, each once. A limit alone asks `superior`. `None`: nobody needs to agree.
    pub fn about(
        matter: &Matter,
        rules: &[Rule],
        limits: Vec<Reason>,
        superior: Role,
        (by, at): (Option<EmployeeId>, Timestamp),
    ) -> Option<Self> {
        let applying = || rules.iter().filter(|rule| rule.when.fits(matter));
        let mut steps: Vec<Step> = Vec::new();
        for step in applying().flat_map(|rule| &rule.steps) {
            if !steps.contains(step) {
                steps.push(step.clone());
            }
        }
        if steps.is_empty() && !limits.is_empty() {
            steps.push(Step { by: Who::Role { role: superior }, escalation: None });
        }
        let named = applying().map(|rule| Reason::Rule { name: rule.name.clone() });
        let reasons = limits.into_iter().chain(named).collect();
        let Matter { net, discount, .. } = *matter;
        (!steps.is_empty()).then_some(Self { by, at, net, discount, reasons, steps })
    }
}

/// The state of an approval request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The request.
    pub request: Request,
    /// The decisions so far, one per step.
    pub decisions: Vec<Decision>,
    /// Since when the present step waits.
    pub since: Timestamp,
    /// Whether the present step was escalated.
    pub is_escalated: bool,
}

/// Somebody's answer to one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalDecision")]
pub struct Decision {
    /// Which step, counted from 1.
    pub step: u32,
    /// Who.
    pub by: EmployeeId,
    /// For whom, when that is somebody who is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_in_for: Option<EmployeeId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// A person who answers an approval request.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    /// Who.
    pub by: Person,
    /// The people who may have named them as substitute.
    pub absent: Vec<Person>,
    /// Those of [`Pending::named`] who have left.
    pub gone: Vec<EmployeeId>,
    /// The day, in the seller's time zone.
    pub today: Date,
}

/// An answer to an approval request.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The step, counted from 1, so that a repeated answer does not apply to the next step.
    pub step: u32,
    /// When the request that they have read was made, so that the answer does not apply to a later
    /// request. `None` where there can be only one.
    pub asked_at: Option<Timestamp>,
    /// Who.
    pub speaker: Box<Speaker>,
    /// The requesting company and the companies above it; empty for the seller.
    pub companies: Vec<CompanyId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: Option<Note>,
}

/// Why an answer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is their own request.
    #[error("nobody decides on a request of their own")]
    OwnRequest,
    /// They are not an approver of this step.
    #[error("step {step} waits for somebody else")]
    NotAsked {
        /// Which.
        step: u32,
    },
    /// It exceeds their own limits.
    #[error("this is beyond the limit of who would approve it")]
    BeyondTheirLimit,
    /// The step is decided already.
    #[error("step {step} was decided by somebody else")]
    StepDecided {
        /// Which.
        step: u32,
    },
    /// The step is not reached yet.
    #[error("the request is at step {at}, not yet at step {step}")]
    StepNotReached {
        /// The step they named.
        step: u32,
        /// The present step.
        at: u32,
    },
    /// The request was made again since they read it.
    #[error("something else was asked at {at}: read that")]
    OtherRequest {
        /// When.
        at: Timestamp,
    },
    /// The step is not overdue, or there is nobody to escalate to.
    #[error("the step is not overdue")]
    NotOverdue,
}

refusals!(Error, {
    OwnRequest => ("approval.own_request", State),
    NotAsked => ("approval.not_asked", State),
    BeyondTheirLimit => ("approval.beyond_limit", State),
    StepDecided => ("approval.step_decided", State),
    StepNotReached => ("approval.step_not_reached", State),
    OtherRequest => ("approval.other_request", State),
    NotOverdue => ("approval.not_overdue", State),
});

impl Pending {
    /// A request without decisions.
    pub fn new(request: Request) -> Self {
        let since = request.at;
        Self { request, decisions: Vec::new(), since, is_escalated: false }
    }

    /// The present step, counted from 1.
    pub fn step(&self) -> u32 {
        u32::try_from(self.decisions.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn waiting(&self) -> Option<&Step> {
        self.request.steps.get(self.decisions.len())
    }

    /// The present approvers: those of the rule, and after escalation also those to whom it
    /// escalates.
    fn asked(&self) -> impl Iterator<Item = Who> {
        let step = self.waiting();
        let escalation = step.and_then(|step| step.escalation).filter(|_| self.is_escalated);
        step.map(|step| step.by).into_iter().chain(escalation.map(|escalation| escalation.to))
    }

    /// The present approvers that are named as employees.
    pub fn named(&self) -> impl Iterator<Item = EmployeeId> {
        self.asked().filter_map(|who| match who {
            Who::Employee { employee } => Some(employee),
            Who::Role { .. } => None,
        })
    }

    /// Whether the present step is the last one.
    pub fn is_last(&self) -> bool {
        self.decisions.len() + 1 >= self.request.steps.len()
    }

    /// The decision of a verdict, in their own name or as substitute; `None` if they have approved
    /// this step before.
    pub fn answer(&self, verdict: Verdict) -> Result<Option<Decision>, Error> {
        let asked_at = self.request.at;
        if verdict.asked_at.is_some_and(|read| read != asked_at) {
            return Err(Error::OtherRequest { at: asked_at });
        }
        let (step, at) = (verdict.step, self.step());
        let index = usize::try_from(step).unwrap_or(usize::MAX).wrapping_sub(1);
        if let Some(decided) = self.decisions.get(index) {
            let is_theirs = decided.by == verdict.speaker.by.id;
            return if is_theirs { Ok(None) } else { Err(Error::StepDecided { step }) };
        }
        if step != at {
            return Err(Error::StepNotReached { step, at });
        }
        let standing_in_for = self.power_of(&verdict.speaker, &verdict.companies)?;
        let Verdict { speaker, at, note, .. } = verdict;
        Ok(Some(Decision { step, by: speaker.by.id, standing_in_for, at, note }))
    }

    /// The same for a refusal. Who has approved a step cannot refuse it any more.
    pub fn refusal(&self, verdict: Verdict) -> Result<Decision, Error> {
        let decided = Error::StepDecided { step: verdict.step };
        self.answer(verdict)?.ok_or(decided)
    }

    /// In whose name somebody may decide the present step of a request of these companies: their
    /// own (`None`) or that of an absent employee. A substitute has exactly the powers of the
    /// absent employee. Admins decide for an employee who has left.
    pub fn power_of(
        &self,
        Speaker { by, absent, gone, today }: &Speaker,
        companies: &[CompanyId],
    ) -> Result<Option<EmployeeId>, Error> {
        let asks = |person: &Person| self.request.by == Some(person.id);
        if asks(by) {
            return Err(Error::OwnRequest);
        }
        let away = absent.iter().filter(|absent| absent.is_replaced_by(by.id, *today));
        let admin = if companies.is_empty() { Role::Admin } else { Role::CompanyAdmin };
        let left_alone = self.named().any(|named| gone.contains(&named));
        let instead = left_alone.then_some(Who::Role { role: admin });
        let asked: Vec<Who> = self.asked().chain(instead).collect();
        let mut refusal = Error::NotAsked { step: self.step() };
        for (person, name) in
            std::iter::once((by, None)).chain(away.map(|absent| (absent, Some(absent.id))))
        {
            let is_asked = works_for(person, companies) && asked.iter().any(|who| who.is(person));
            if asks(person) || !is_asked {
                continue;
            }
            if self.is_within_limits_of(person) {
                return Ok(name);
            }
            refusal = Error::BeyondTheirLimit;
        }
        Err(refusal)
    }

    /// Nobody approves more than their own limit.
    fn is_within_limits_of(&self, person: &Person) -> bool {
        let Request { net, discount, .. } = &self.request;
        let limit = person.limit(Period::Order, net.currency());
        limit.is_none_or(|limit| net.amount() <= limit.amount())
            && discount.is_none_or(|discount| person.discount.allows(discount))
    }

    /// The additional approvers, if the step is overdue at this moment.
    pub fn escalate(&self, now: Timestamp) -> Result<Who, Error> {
        let escalation = self.waiting().and_then(|step| step.escalation);
        let is_over = |escalation: &Escalation| {
            let time = SignedDuration::from_mins(escalation.after_minutes.into());
            self.since.checked_add(time).is_ok_and(|over| over <= now)
        };
        let overdue = escalation.filter(is_over).filter(|_| !self.is_escalated);
        overdue.map(|escalation| escalation.to).ok_or(Error::NotOverdue)
    }

    /// The request after the present step was approved.
    #[must_use]
    pub fn after(mut self, decision: Decision) -> Self {
        self.since = decision.at;
        self.is_escalated = false;
        self.decisions.push(decision);
        self
    }

    /// The request after escalation of its step.
    #[must_use]
    pub fn escalated(self) -> Self {
        Self { is_escalated: true, ..self }
    }
}

/// Whether a person is an employee of one of these companies, or of the seller if there are none.
fn works_for(person: &Person, companies: &[CompanyId]) -> bool {
    person.company.map_or(companies.is_empty(), |company| companies.contains(&company))
}

#[cfg(test)]
mod tests;
