//! Addresses, bank accounts and EU VAT number of a company.

use domain::{
    Address, AddressId, Company, CompanyId, Iban, Name, VatNumber,
    company::{Command, DeliveryAddress},
};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::Problem;

use crate::{
    app::{Services, parties::white_list},
    caller::Caller,
    failure::{Failure, refusal},
};

/// An address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MoveBillingAddress")]
pub struct MoveBilling {
    pub address: Address,
}

/// Changes the billing address of a company.
pub async fn move_billing(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    MoveBilling { address }: MoveBilling,
) -> Result<Outcome, Problem> {
    let command = Command::MoveBilling { address };
    services.decide::<Company>(caller, digest, id, command).await
}

/// A delivery address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddDeliveryAddress {
    /// Its id: a new one to add an address, or that of the address to change.
    pub id: AddressId,
    /// The company's name for the address.
    pub label: Name,
    pub address: Address,
}

/// Adds or changes a delivery address of a company.
pub async fn add_delivery_address(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    AddDeliveryAddress { id: place, label, address }: AddDeliveryAddress,
) -> Result<Outcome, Problem> {
    let command =
        Command::AddDeliveryAddress { id: place, place: DeliveryAddress { label, address } };
    services.decide::<Company>(caller, digest, id, command).await
}

/// The delivery address to drop.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropDeliveryAddress {
    pub id: AddressId,
}

/// Drops a delivery address of a company.
pub async fn drop_delivery_address(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    DropDeliveryAddress { id: place }: DropDeliveryAddress,
) -> Result<Outcome, Problem> {
    let command = Command::DropDeliveryAddress { id: place };
    services.decide::<Company>(caller, digest, id, command).await
}

/// A bank account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BankAccount")]
pub struct Account {
    pub account: Iban,
}

/// Adds a bank account to a company.
pub async fn add_bank_account(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Account { account }: Account,
) -> Result<Outcome, Problem> {
    let command = Command::AddBankAccount { account };
    services.decide::<Company>(caller, digest, id, command).await
}

/// Drops a bank account of a company.
pub async fn drop_bank_account(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Account { account }: Account,
) -> Result<Outcome, Problem> {
    let command = Command::DropBankAccount { account };
    services.decide::<Company>(caller, digest, id, command).await
}

/// Checks a bank account of a company on the VAT white list.
pub async fn check_bank_account(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    Account { account }: Account,
) -> Result<Outcome, Problem> {
    let company = services.log.load::<Company>(id.0).await.map_err(Failure::from)?;
    let customer = company.state.customer().map_err(|error| refusal(&error))?;
    let (nip, nrb) = customer.listable(&account).map_err(|error| refusal(&error))?;
    let (list_of, listed) = white_list::find(services, nip, nrb).await?;
    let command = Command::CheckBankAccount { account, list_of, listed };
    services.decide::<Company>(caller, digest, id, command).await
}

/// An EU VAT number.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteVatNumber {
    pub vat_number: VatNumber,
}

/// Records the EU VAT number of a company.
pub async fn note_vat_number(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CompanyId,
    NoteVatNumber { vat_number }: NoteVatNumber,
) -> Result<Outcome, Problem> {
    let command = Command::NoteVatNumber { vat_number };
    services.decide::<Company>(caller, digest, id, command).await
}
