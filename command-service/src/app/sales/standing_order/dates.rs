//! Single dates of a standing order: skipped, ordered on another day or with other lines, restored.

use domain::{OfCompany, StandingOrder, StandingOrderId, standing_order::Command};
use event_log::Outcome;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use super::{
    Day, checked_count,
    planning::{Planner, kept},
    refused,
};
use crate::{
    app::{
        Services, deciding,
        sales::{lines::LineRequest, ordering},
    },
    caller::Caller,
    failure::refusal,
};

/// Which date.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StandingOrderDate")]
pub struct OfDate {
    /// The date as the schedule has it.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
}

/// What is another on one date.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChangeStandingOrderDate")]
pub struct ChangeDate {
    /// The date as the schedule has it.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// On which day it is ordered; on its own when missing. It lies between the dates before and after.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub on: Option<Date>,
    /// What is ordered: 1 to 500 lines; as usual when missing.
    #[serde(default)]
    pub lines: Option<Vec<LineRequest>>,
}

/// Orders nothing on one date.
pub async fn skip(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    OfDate { date }: OfDate,
) -> Result<Outcome, Problem> {
    let command = Command::Skip { date, today: services.clock.today() };
    decide(services, caller, digest, id, command).await
}

/// Takes back what was changed of one date.
pub async fn restore(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    OfDate { date }: OfDate,
) -> Result<Outcome, Problem> {
    let command = Command::Restore { date, today: services.clock.today() };
    decide(services, caller, digest, id, command).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                caller.must_see(work.load::<StandingOrder>(id).await?.company())?;
                let decided = work.decide::<StandingOrder>(id, command.clone()).await;
                decided.map_err(refused)
            })
        })
        .await
}

/// Orders on another day, or other lines, for one date. Whoever changes the lines orders them.
pub async fn change_date(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: StandingOrderId,
    request: ChangeDate,
) -> Result<Outcome, Problem> {
    let (day, request) = (Day::of(services), &request);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let state = work.load::<StandingOrder>(id).await?;
                caller.must_see(state.company())?;
                let ongoing = state.ongoing().map_err(|error| refusal(&error))?;
                let (company, plan) = (ongoing.company, ongoing.plan.clone());
                let ChangeDate { date, on, lines } = request;
                let (mut own, mut placed_by) = (None, None);
                if let Some(lines) = lines {
                    checked_count(lines)?;
                    placed_by = caller.buying_employee();
                    ordering::admit(work, company, placed_by, &plan.destination).await?;
                    let planner = Planner { caller, day, company };
                    let found = planner.lines(work, lines, plan.currency).await?;
                    own = Some(kept(found, &plan));
                }
                let (date, on, today) = (*date, *on, day.today);
                let command = Command::ChangeDate { date, on, lines: own, placed_by, today };
                let decided = work.decide::<StandingOrder>(id, command).await;
                decided.map_err(refused)
            })
        })
        .await
}
