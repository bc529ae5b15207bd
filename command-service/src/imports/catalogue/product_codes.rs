//! Product codes: each row has a company's code for a product.

use std::collections::HashSet;

use domain::{
    Claim, CompanyId, ProductCode, ProductCodeId, Reference, Sku, claim, product_code::Command,
};
use event_log::Work;
use uuid::Uuid;

use crate::failure::Failure;
use crate::imports::{Cells, Column, Import, cells::columns, company_of, product_of};

/// A row.
pub(crate) struct Row {
    company: Reference,
    code: Reference,
    sku: Sku,
}

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![company_reference needed, code needed, sku needed];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let company = cells.needed("company_reference");
        let (code, sku) = (cells.needed("code"), cells.needed("sku"));
        Some(Self { company: company?, code: code?, sku: sku? })
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let claims = rows.iter().flat_map(|(_, row)| {
            [
                claim::Value::Sku(row.sku.clone()),
                claim::Value::CompanyReference(row.company.clone()),
            ]
        });
        let claims: HashSet<Uuid> = claims.map(|claim| claim.id().0).collect();
        work.load_many::<Claim>(claims).await?;
        let streams = rows.iter().filter_map(|(_, row)| Some(row.stream(work)?.1.0));
        let streams: HashSet<Uuid> = streams.collect();
        work.load_many::<ProductCode>(streams).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        let product = product_of(work, &self.sku)?;
        let company = company_of(work, &self.company)?;
        let command = Command::Assign { company, code: self.code.clone(), product };
        let stream = ProductCodeId::of(company, &self.code);
        Ok(work.decide::<ProductCode>(stream, command).await?)
    }
}

impl Row {
    fn stream(&self, work: &Work) -> Option<(CompanyId, ProductCodeId)> {
        let company = company_of(work, &self.company).ok()?;
        Some((company, ProductCodeId::of(company, &self.code)))
    }
}
