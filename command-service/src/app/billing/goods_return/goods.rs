//! Goods on their way back: sent by the company, received and inspected by the warehouse.

use domain::{
    GoodsReturnId, Name, Note, Reference,
    goods_return::{Command, Finding, Item, Transport},
};
use event_log::Outcome;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use super::{Part, are_whole, command, decided};
use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::happened,
};

/// A parcel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SendGoodsReturn")]
pub struct Send {
    pub transport: Transport,
    #[serde(default)]
    pub courier: Option<Name>,
    #[serde(default)]
    pub tracking: Option<Reference>,
    /// The day, when it is entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub sent_on: Option<Date>,
}

/// Records that a parcel of a return was sent.
pub async fn send(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    Send { transport, courier, tracking, sent_on }: Send,
) -> Result<Outcome, Problem> {
    let on = day(services, "/sent_on", sent_on)?;
    let sent = Command::Send { transport, courier, tracking, on };
    command(services, caller, digest, id, sent).await
}

/// What came.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReceiveGoodsReturn")]
pub struct Receive {
    pub lines: Vec<Item>,
    /// The day, when it is entered later; today when not given.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub received_on: Option<Date>,
}

/// Takes in goods of a return.
pub async fn receive(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    request: Receive,
) -> Result<Outcome, Problem> {
    let on = day(services, "/received_on", request.received_on)?;
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let items = request.lines.clone();
                let parts = items.iter().enumerate().map(|(index, item)| Part {
                    index,
                    line: item.line,
                    quantity: item.quantity,
                    field: "quantity",
                });
                are_whole(work, id, parts.collect()).await?;
                decided(work, caller, id, Command::Receive { items, on }).await
            })
        })
        .await
}

/// What becomes of goods that came.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "InspectGoodsReturn")]
pub struct Inspect {
    /// By line; the quantities of each add up to what came of it and was not inspected.
    pub lines: Vec<Finding>,
    /// For the seller's people only.
    #[serde(default)]
    pub note: Option<Note>,
}

/// Decides what becomes of goods that came back.
pub async fn inspect(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: GoodsReturnId,
    request: Inspect,
) -> Result<Outcome, Problem> {
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Inspect { lines, note } = request.clone();
                let parts = lines.iter().enumerate().flat_map(|(index, finding)| {
                    let Finding { line, restock, second_choice, scrap, send_back } = *finding;
                    [
                        (restock, "restock"),
                        (second_choice, "second_choice"),
                        (scrap, "scrap"),
                        (send_back, "send_back"),
                    ]
                    .into_iter()
                    .filter_map(move |(quantity, field)| {
                        Some(Part { index, line, quantity: quantity?, field })
                    })
                });
                are_whole(work, id, parts.collect()).await?;
                decided(work, caller, id, Command::Inspect { items: lines, note }).await
            })
        })
        .await
}

/// The day of something that has happened; today when none is given.
fn day(services: &Services, pointer: &str, given: Option<Date>) -> Result<Date, Problem> {
    let today = services.clock.today();
    given.map_or(Ok(today), |day| happened(pointer, day, today))
}
