//! Approval rules of a company's orders and of the seller's offers.

use std::collections::BTreeSet;

use domain::{
    ApprovalRules, ApprovalRulesId, Category, Company, CompanyId, Employee, EmployeeId,
    approval::{Rule, Who},
    approval_rules::Command,
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{Services, deciding, parties::company_hierarchy},
    caller::Caller,
    failure::{Failure, given, names_nothing, refusal},
};

/// All rules, in order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdoptApprovalRules")]
pub struct Adopt {
    pub rules: Vec<Rule>,
}

/// Adopts the approval rules of the seller's offers.
pub async fn adopt_for_seller(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Adopt { rules }: Adopt,
) -> Result<Outcome, Problem> {
    let command = Command::Adopt { company: None, rules };
    decide(services, caller, None, digest, command).await
}

/// Adopts the approval rules of a company's orders.
pub async fn adopt(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Adopt { rules }: Adopt,
) -> Result<Outcome, Problem> {
    let company = Some(id);
    decide(services, caller, company, digest, Command::Adopt { company, rules }).await
}

/// Inherits the approval rules of the parent company.
pub async fn inherit(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
) -> Result<Outcome, Problem> {
    decide(services, caller, Some(id), digest, Command::Inherit).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    company: Option<CompanyId>,
    digest: [u8; 32],
    command: Command,
) -> Result<Outcome, Problem> {
    caller.must_see(company)?;
    if let Command::Adopt { rules, .. } = &command {
        for (index, rule) in rules.iter().enumerate() {
            for (nth, above) in rule.when.above.iter().enumerate() {
                given(&format!("/rules/{index}/when/above/{nth}"), *above)?;
            }
        }
    }
    let id = ApprovalRulesId::of(company);
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                if let Some(company) = company {
                    let known = work.load::<Company>(company).await?.customer();
                    known.map_err(|error| refusal(&error))?;
                }
                if let Command::Adopt { rules, .. } = &command {
                    exist(work, company, rules).await?;
                }
                work.decide::<ApprovalRules>(id, command.clone()).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Checks that the approvers that rules name belong to the company or to one above it, and that the
/// addresses and categories exist.
async fn exist(work: &mut Work, company: Option<CompanyId>, rules: &[Rule]) -> Result<(), Failure> {
    let line = match company {
        Some(company) => company_hierarchy::line_of(work, company).await?,
        None => vec![],
    };
    let asked = |rule: &Rule| -> Vec<Who> {
        let steps = rule.steps.iter();
        steps.flat_map(|step| [Some(step.by), step.escalation.map(|it| it.to)]).flatten().collect()
    };
    let person = |who: Who| match who {
        Who::Employee { employee } => Some(employee),
        Who::Role { .. } => None,
    };
    let people: BTreeSet<EmployeeId> = rules.iter().flat_map(asked).filter_map(person).collect();
    work.load_many::<Employee>(people.iter().map(|id| id.0)).await?;
    let categories: BTreeSet<Uuid> =
        rules.iter().flat_map(|rule| &rule.when.categories).map(|id| id.0).collect();
    work.load_many::<Category>(&categories).await?;
    for (index, rule) in rules.iter().enumerate() {
        let missing = |field: &str, what| names_nothing(format!("/rules/{index}/{field}"), what);
        let works_here = |id: EmployeeId| {
            let person = work.get::<Employee>(id).and_then(|employee| employee.person().ok());
            person.is_some_and(|person| match person.company {
                Some(company) => line.contains(&company),
                None => company.is_none(),
            })
        };
        if !asked(rule).into_iter().filter_map(person).all(works_here) {
            return Err(missing("steps", "employee").into());
        }
        let is_open = |id: &domain::CategoryId| {
            work.get::<Category>(*id).is_some_and(|category| category.branch().is_ok())
        };
        if !rule.when.categories.iter().all(is_open) {
            return Err(missing("when/categories", "category").into());
        }
        let is_place = |address| company_hierarchy::deliver_to(work, &line, address);
        if company.is_some() && !rule.when.addresses.iter().all(is_place) {
            return Err(missing("when/addresses", "address").into());
        }
    }
    Ok(())
}
