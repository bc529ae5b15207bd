//! `/v1/warehouses`: where the seller keeps goods.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::WarehouseId;
use service_kit::permissions::WarehouseAdministration;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        inventory::warehouse::{self, Open, Rename},
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/warehouses",
            post_with(open, |o| o.id("warehouse.open").summary("Open a warehouse")),
        )
        .api_route(
            "/v1/warehouses/{id}/rename",
            post_with(rename, |o| o.id("warehouse.rename").summary("Rename a warehouse")),
        )
        .api_route(
            "/v1/warehouses/{id}/close",
            post_with(close, |o| {
                o.id("warehouse.close").summary("Close a warehouse: it receives no more goods")
            }),
        )
        .api_route(
            "/v1/warehouses/{id}/reopen",
            post_with(reopen, |o| {
                o.id("warehouse.reopen").summary("Open a closed warehouse again")
            }),
        )
}

async fn open(
    State(services): State<Services>,
    By { who: caller, .. }: By<WarehouseAdministration>,
    Body { value, digest }: Body<Open>,
) -> Result<Created, Problem> {
    let outcome = warehouse::open(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/warehouses", outcome))
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<WarehouseAdministration>,
    PathId(id): PathId,
    Body { value, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    Ok(warehouse::rename(&services, &caller, digest, WarehouseId(id), value).await?.into())
}

async fn close(
    State(services): State<Services>,
    By { who: caller, .. }: By<WarehouseAdministration>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(warehouse::close(&services, &caller, digest, WarehouseId(id)).await?.into())
}

async fn reopen(
    State(services): State<Services>,
    By { who: caller, .. }: By<WarehouseAdministration>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(warehouse::reopen(&services, &caller, digest, WarehouseId(id)).await?.into())
}
