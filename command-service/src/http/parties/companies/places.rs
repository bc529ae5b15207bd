//! Where a company is found: its addresses, accounts and EU VAT number.

use aide::axum::{ApiRouter, routing::post_with};
use axum::extract::State;
use domain::{
    Address, AddressId, Company, Iban, Name, VatNumber,
    company::{Command, DeliveryAddress},
};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::{
    input::{Body, PathId},
    problem::Problem,
};

use crate::{
    Services,
    app::parties::white_list,
    failure::{Failure, refusal},
    http::access::{AddressBook, Books, By, Sales, Trust},
    http::{Done, decide},
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

/// Where.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MoveBillingAddress")]
struct MoveBilling {
    address: Address,
}

async fn move_billing(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: MoveBilling { address }, digest }: Body<MoveBilling>,
) -> Result<Done, Problem> {
    let command = Command::MoveBilling { address };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// A place to which goods go.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddDeliveryAddress {
    /// Its name from now on: a new one, or that of the place to change.
    id: AddressId,
    /// What the company calls it.
    label: Name,
    address: Address,
}

async fn add_delivery_address(
    State(services): State<Services>,
    By { who: caller, .. }: By<AddressBook>,
    PathId(id): PathId,
    Body { value: AddDeliveryAddress { id: place, label, address }, digest }: Body<
        AddDeliveryAddress,
    >,
) -> Result<Done, Problem> {
    let command =
        Command::AddDeliveryAddress { id: place, place: DeliveryAddress { label, address } };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// Which place.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DropDeliveryAddress {
    id: AddressId,
}

async fn drop_delivery_address(
    State(services): State<Services>,
    By { who: caller, .. }: By<AddressBook>,
    PathId(id): PathId,
    Body { value: DropDeliveryAddress { id: place }, digest }: Body<DropDeliveryAddress>,
) -> Result<Done, Problem> {
    let command = Command::DropDeliveryAddress { id: place };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// An account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BankAccount")]
struct Account {
    account: Iban,
}

async fn add_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    PathId(id): PathId,
    Body { value: Account { account }, digest }: Body<Account>,
) -> Result<Done, Problem> {
    let command = Command::AddBankAccount { account };
    decide::<Company>(&services, &caller, id, digest, command).await
}

async fn drop_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<Books>,
    PathId(id): PathId,
    Body { value: Account { account }, digest }: Body<Account>,
) -> Result<Done, Problem> {
    let command = Command::DropBankAccount { account };
    decide::<Company>(&services, &caller, id, digest, command).await
}

async fn check_bank_account(
    State(services): State<Services>,
    By { who: caller, .. }: By<Trust>,
    PathId(id): PathId,
    Body { value: Account { account }, digest }: Body<Account>,
) -> Result<Done, Problem> {
    let company = services.log.load::<Company>(id).await.map_err(Failure::from)?;
    let customer = company.state.customer().map_err(|error| refusal(&error))?;
    let (nip, nrb) = customer.listable(&account).map_err(|error| refusal(&error))?;
    let (list_of, listed) = white_list::find(&services, nip, nrb).await?;
    let command = Command::CheckBankAccount { account, list_of, listed };
    decide::<Company>(&services, &caller, id, digest, command).await
}

/// Its number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteVatNumber {
    vat_number: VatNumber,
}

async fn note_vat_number(
    State(services): State<Services>,
    By { who: caller, .. }: By<Sales>,
    PathId(id): PathId,
    Body { value: NoteVatNumber { vat_number }, digest }: Body<NoteVatNumber>,
) -> Result<Done, Problem> {
    let command = Command::NoteVatNumber { vat_number };
    decide::<Company>(&services, &caller, id, digest, command).await
}
