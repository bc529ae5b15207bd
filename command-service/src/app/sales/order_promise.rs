//! The promised day of delivery of an order.

use axum::http::StatusCode;
use domain::{OrderId, order};
use event_log::Outcome;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::refusal_at,
};

/// The day: either as it is promised, or as it follows from when the goods are available.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PromiseDelivery")]
pub struct Promise {
    /// The promised day.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub promised_on: Option<Date>,
    /// The day on which the goods are available; they leave on the first working day from then on.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub available_on: Option<Date>,
    /// How many working days the carrier takes; with `available_on` only.
    #[serde(default)]
    pub transit_days: Option<u8>,
}

impl Promise {
    fn day(&self) -> Result<(&'static str, Date), Problem> {
        match *self {
            Self { promised_on: Some(day), available_on: None, transit_days: None } => {
                Ok(("/promised_on", day))
            }
            Self { promised_on: None, available_on: Some(day), transit_days } => {
                let day = order::delivery_day(day, transit_days.unwrap_or(0));
                Ok(("/available_on", day))
            }
            Self { promised_on, .. } => {
                let field = if promised_on.is_some() { "/promised_on" } else { "/available_on" };
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "order.promise_ambiguous")
                    .field(FieldError::at(field, "give either promised_on or available_on")))
            }
        }
    }
}

/// Promises delivery of a confirmed order; a later promise replaces an earlier one.
pub async fn promise(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderId,
    request: Promise,
) -> Result<Outcome, Problem> {
    let ((field, on), today) = (request.day()?, services.clock.today());
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let command = order::Command::PromiseDelivery { on, today };
                work.decide::<domain::Order>(id, command)
                    .await
                    .map_err(|error| refusal_at(error, |error| place_of(error, field)))?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Where in the body the day stands that the order refuses.
fn place_of(error: &order::Error, field: &str) -> Option<String> {
    use order::Error as E;
    matches!(error, E::PromisedInPast { .. } | E::Day(_)).then(|| field.to_owned())
}
