//! Warehouses: where the seller keeps goods.

use domain::{
    Address, Claim, Name, Warehouse, WarehouseCode, WarehouseId, claim,
    warehouse::{self, Command},
};
use event_log::{Outcome, Work};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::{Failure, names_nothing, refusal},
};

/// A new warehouse.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenWarehouse")]
pub struct Open {
    /// Its unique code, such as `WAW`.
    pub code: WarehouseCode,
    pub name: Name,
    #[serde(default)]
    pub address: Option<Address>,
}

/// Opens a warehouse.
pub async fn open(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    request: Open,
) -> Result<Outcome, Problem> {
    let id = WarehouseId(Uuid::now_v7());
    let request = &request;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Open { code, name, address } = request.clone();
                let value = claim::Value::WarehouseCode(code.clone());
                let take = claim::Command::Take { value: value.clone(), by: id.0 };
                work.decide::<Claim>(value.id(), take).await?;
                work.decide::<Warehouse>(id, Command::Open { id, code, name, address }).await?;
                work.answer(id);
                Ok(())
            })
        })
        .await
}

/// Another name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RenameWarehouse")]
pub struct Rename {
    pub name: Name,
}

/// Renames a warehouse.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: WarehouseId,
    Rename { name }: Rename,
) -> Result<Outcome, Problem> {
    services.decide::<Warehouse>(caller, digest, id, Command::Rename { name }).await
}

/// Closes a warehouse to further goods.
pub async fn close(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: WarehouseId,
) -> Result<Outcome, Problem> {
    services.decide::<Warehouse>(caller, digest, id, Command::Close).await
}

/// Opens a closed warehouse again.
pub async fn reopen(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: WarehouseId,
) -> Result<Outcome, Problem> {
    services.decide::<Warehouse>(caller, digest, id, Command::Reopen).await
}

/// Refuses a field that names a warehouse that does not exist.
pub(crate) async fn must_exist(
    work: &mut Work,
    pointer: &str,
    warehouse: WarehouseId,
) -> Result<(), Failure> {
    let known = work.load::<Warehouse>(warehouse).await?;
    known.exists().map_err(|_| names_nothing(pointer, "warehouse").into())
}

/// Refuses a field that names a warehouse that takes no goods in.
pub(crate) async fn must_receive(
    work: &mut Work,
    pointer: &str,
    warehouse: WarehouseId,
) -> Result<(), Failure> {
    let known = work.load::<Warehouse>(warehouse).await?;
    known.receives().map_err(|error| match error {
        warehouse::Error::Unopened | warehouse::Error::AlreadyOpen => {
            names_nothing(pointer, "warehouse").into()
        }
        warehouse::Error::Closed { .. } => {
            refusal(&error).field(FieldError::at(pointer, error.to_string())).into()
        }
    })
}
