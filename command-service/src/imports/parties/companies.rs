//! Companies: rows with a known reference or tax number change the company, other rows register
//! one.

use domain::{
    Address, Claim, Company, CompanyId, Currency, GroupCode, Iban, Money, Name, PaymentTerm,
    Reference, TaxId, VatNumber, claim,
    company::{Command, Profile},
};
use event_log::Work;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::imports::{Cells, Column, Import, cells::columns};
use crate::{
    app::{parties::company_hierarchy, sales::credit_account::holders},
    failure::Failure,
};

/// A row; blank values stay unchanged.
pub(crate) struct Row {
    profile: Profile,
    payment_term: Option<PaymentTerm>,
    parent: Option<Reference>,
    group: Option<GroupCode>,
    vat_number: Option<VatNumber>,
    billing_address: Option<Address>,
    bank_account: Option<Iban>,
    credit_limit: Option<Money>,
}

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![
        reference,
        tax_id needed,
        name needed,
        payment_term,
        parent_reference,
        group,
        vat_number,
        street,
        postal_code,
        city,
        country,
        bank_account,
        credit_limit,
        credit_currency,
    ];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let tax_id: Option<TaxId> = cells.needed("tax_id");
        let name: Option<Name> = cells.needed("name");
        let reference = cells.given("reference");
        let row = Self {
            payment_term: cells.given("payment_term"),
            parent: cells.given("parent_reference"),
            group: cells.given("group"),
            vat_number: cells.given("vat_number"),
            billing_address: address(cells),
            bank_account: cells.given("bank_account"),
            credit_limit: credit_limit(cells),
            profile: Profile { name: name?, tax_id: tax_id?, reference },
        };
        Some(row)
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let claims = rows.iter().flat_map(|(_, row)| row.claims()).map(|claim| claim.id().0);
        let found = work.load_many::<Claim>(claims).await?;
        let holders: Vec<Uuid> =
            found.iter().filter_map(|(id, _)| work.get::<Claim>(*id)?.holder()).collect();
        work.load_many::<Company>(holders).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        let id = match self.known(work)? {
            Some(id) => {
                self.command(work, id, Command::Rename { name: self.profile.name.clone() }).await?;
                if let Some(payment_term) = self.payment_term {
                    self.command(work, id, Command::AgreePaymentTerm { payment_term }).await?;
                }
                id
            }
            None => self.register(work).await?,
        };
        for command in self.changes() {
            self.command(work, id, command).await?;
        }
        if let Some(limit) = self.credit_limit {
            holders::grant(work, id, limit).await?;
        }
        if let Some(reference) = &self.parent {
            let value = claim::Value::CompanyReference(reference.clone());
            let parent = holder(work, &value).ok_or_else(|| {
                refused(
                    "import.parent_missing",
                    format!("no company has the reference {reference}"),
                )
            })?;
            holders::join(work, id, Some(parent)).await?;
        }
        Ok(())
    }
}

impl Row {
    /// The claims and references of a row.
    fn claims(&self) -> impl Iterator<Item = claim::Value> {
        let names = [&self.profile.reference, &self.parent].into_iter().flatten();
        let tax_id = claim::Value::TaxId(self.profile.tax_id.clone());
        std::iter::once(tax_id).chain(names.cloned().map(claim::Value::CompanyReference))
    }

    /// The company of the row, if it exists.
    fn known(&self, work: &Work) -> Result<Option<CompanyId>, Failure> {
        let by_tax_id = holder(work, &claim::Value::TaxId(self.profile.tax_id.clone()));
        let Some(reference) = self.profile.reference.clone() else { return Ok(by_tax_id) };
        let by_reference = holder(work, &claim::Value::CompanyReference(reference));
        if by_reference != by_tax_id {
            return Err(refused(
                "import.company_ambiguous",
                "the reference and the tax number belong to different companies".to_owned(),
            ));
        }
        Ok(by_tax_id)
    }

    async fn register(&self, work: &mut Work) -> Result<CompanyId, Failure> {
        let payment_term = self.payment_term.ok_or_else(|| {
            refused("import.cell_missing", "payment_term is required for a new company".to_owned())
        })?;
        let id = CompanyId(Uuid::now_v7());
        company_hierarchy::register(work, id, self.profile.clone(), payment_term).await?;
        Ok(id)
    }

    fn changes(&self) -> Vec<Command> {
        let Self { group, vat_number, billing_address, bank_account, .. } = self;
        [
            group.clone().map(|group| Command::JoinGroup { group: Some(group) }),
            vat_number.clone().map(|vat_number| Command::NoteVatNumber { vat_number }),
            billing_address.clone().map(|address| Command::MoveBilling { address }),
            bank_account.clone().map(|account| Command::AddBankAccount { account }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    async fn command(&self, work: &mut Work, id: CompanyId, what: Command) -> Result<(), Failure> {
        Ok(work.decide::<Company>(id, what).await?)
    }
}

fn holder(work: &Work, value: &claim::Value) -> Option<CompanyId> {
    Some(CompanyId(work.get::<Claim>(value.id().0)?.holder()?))
}

fn refused(code: &'static str, detail: String) -> Failure {
    Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, code).detail(detail).into()
}

/// An address is complete or absent.
fn address(cells: &mut Cells<'_>) -> Option<Address> {
    let columns = ["street", "postal_code", "city", "country"];
    columns.into_iter().find(|column| cells.text(column).is_some())?;
    let (street, code) = (cells.needed("street"), cells.needed("postal_code"));
    let (city, country) = (cells.needed("city"), cells.needed("country"));
    Address::new(street?, code?, city?, country?)
        .map_err(|error| cells.refuse("postal_code", "import.cell_invalid", error))
        .ok()
}

fn credit_limit(cells: &mut Cells<'_>) -> Option<Money> {
    let amount = cells.decimal("credit_limit")?;
    let currency: Currency = cells.needed("credit_currency")?;
    Money::parse(&amount, currency)
        .map_err(|error| cells.refuse("credit_limit", "import.cell_invalid", error))
        .ok()
}
