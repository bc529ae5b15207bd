//! Addresses, bank accounts and EU VAT number of a company.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::CompanyId;
use service_kit::permissions::{Addresses, Bookkeeping, CreditTerms, Sales};
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    app::{
        Services,
        parties::company::places::{
            self, Account, AddDeliveryAddress, DropDeliveryAddress, MoveBilling, NoteVatNumber,
        },
    },
    http::{Done, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route(
            "/v1/companies/{id}/billing-address",
            post_with(move_billing, |o| {
                o.id("company.move_billing").summary("Change the billing address of a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/delivery-addresses",
            post_with(add_delivery_address, |o| {
                o.id("company.add_delivery_address")
                    .summary("Add or change a delivery address of a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/delivery-addresses/drop",
            post_with(drop_delivery_address, |o| {
                o.id("company.drop_delivery_address")
                    .summary("Drop a delivery address of a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/bank-accounts",
            post_with(add_bank_account, |o| {
                o.id("company.add_bank_account").summary("Add a bank account to a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/bank-accounts/drop",
            post_with(drop_bank_account, |o| {
                o.id("company.drop_bank_account").summary("Drop a bank account of a company")
            }),
        )
        .api_route(
            "/v1/companies/{id}/bank-accounts/check",
            post_with(check_bank_account, |o| {
                o.id("company.check_bank_account")
                    .summary("Check a bank account of a company on the VAT white list")
            }),
        )
        .api_route(
            "/v1/companies/{id}/vat-number",
            post_with(note_vat_number, |o| {
                o.id("company.note_vat_number").summary("Record the EU VAT number of a company")
            }),
        )
}

async fn move_billing(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<MoveBilling>,
) -> Result<Done, Problem> {
    Ok(places::move_billing(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn add_delivery_address(
    State(services): State<Services>,
    By { who: caller, .. }: By<Addresses>,
    PathId(id): PathId,
    Body { value, digest }: Body<AddDeliveryAddress>,
) -> Result<Done, Problem> {
    Ok(places::add_delivery_address(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn drop_delivery_address(
    State(services): State<Services>,
    By { who: caller, .. }: By<Addresses>,
    PathId(id): PathId,
    Body { value, digest }: Body<DropDeliveryAddress>,
) -> Result<Done, Problem> {
    Ok(places::drop_delivery_address(&services, &caller, digest, CompanyId(id), value)
        .await?
        .into())
}

async fn add_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<Bookkeeping>,
    PathId(id): PathId,
    Body { value, digest }: Body<Account>,
) -> Result<Done, Problem> {
    Ok(places::add_bank_account(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn drop_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<Bookkeeping>,
    PathId(id): PathId,
    Body { value, digest }: Body<Account>,
) -> Result<Done, Problem> {
    Ok(places::drop_bank_account(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn check_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<CreditTerms>,
    PathId(id): PathId,
    Body { value, digest }: Body<Account>,
) -> Result<Done, Problem> {
    Ok(places::check_bank_account(&services, &caller, digest, CompanyId(id), value).await?.into())
}

async fn note_vat_number(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value, digest }: Body<NoteVatNumber>,
) -> Result<Done, Problem> {
    Ok(places::note_vat_number(&services, &caller, digest, CompanyId(id), value).await?.into())
}
