//! Assortments: each row allows or denies products for an audience, or removes a rule.

use std::collections::HashSet;

use domain::{
    Assortment, AssortmentId, Audience, Category, CategoryId, Claim, GroupCode, Reference,
    Selection, Sku, assortment::Command, claim,
};
use event_log::Work;
use uuid::Uuid;

use crate::failure::Failure;
use crate::imports::{Cells, Column, Import, cells::columns, company_of, product_of, refused};

/// A row. Without company and group it applies to everyone; without product and category, to all
/// products.
pub(crate) struct Row {
    company: Option<Reference>,
    group: Option<GroupCode>,
    sku: Option<Sku>,
    category: Option<CategoryId>,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    Allowed,
    Denied,
    Lifted,
}

impl std::str::FromStr for Verdict {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "allowed" => Ok(Self::Allowed),
            "denied" => Ok(Self::Denied),
            "lifted" => Ok(Self::Lifted),
            _ => Err("must be one of allowed, denied, lifted"),
        }
    }
}

impl Import for Row {
    const COLUMNS: &'static [Column] =
        columns![company_reference, group, sku, category, verdict needed];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        for (one, other) in [("company_reference", "group"), ("sku", "category")] {
            if cells.text(one).is_some() && cells.text(other).is_some() {
                let detail = format!("a row has at most one of {one} and {other}");
                cells.refuse(other, "import.cell_invalid", detail);
            }
        }
        let verdict = cells.needed("verdict");
        Some(Self {
            company: cells.given("company_reference"),
            group: cells.given("group"),
            sku: cells.given("sku"),
            category: cells.given::<Uuid>("category").map(CategoryId),
            verdict: verdict?,
        })
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let claims = rows.iter().flat_map(|(_, row)| {
            let company = row.company.clone().map(claim::Value::CompanyReference);
            [row.sku.clone().map(claim::Value::Sku), company].into_iter().flatten()
        });
        let claims: HashSet<Uuid> = claims.map(|claim| claim.id().0).collect();
        work.load_many::<Claim>(claims).await?;
        let categories = rows.iter().filter_map(|(_, row)| row.category);
        let categories: HashSet<Uuid> = categories.map(|category| category.0).collect();
        work.load_many::<Category>(categories).await?;
        // A row with unknown references is refused when it is decided.
        let audiences = rows.iter().filter_map(|(_, row)| row.audience(work).ok());
        let streams: HashSet<Uuid> = audiences.map(|one| AssortmentId::of(&one).0).collect();
        work.load_many::<Assortment>(streams).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        let (audience, selection) = (self.audience(work)?, self.selection(work)?);
        let stream = AssortmentId::of(&audience);
        let command = match self.verdict {
            Verdict::Allowed => Command::Allow { audience, selection },
            Verdict::Denied => Command::Deny { audience, selection },
            Verdict::Lifted => Command::Lift { audience, selection },
        };
        Ok(work.decide::<Assortment>(stream, command).await?)
    }
}

impl Row {
    fn audience(&self, work: &Work) -> Result<Audience, Failure> {
        match (&self.company, &self.group) {
            (Some(company), _) => {
                company_of(work, company).map(|company| Audience::Company { company })
            }
            (None, Some(group)) => Ok(Audience::Group { group: group.clone() }),
            (None, None) => Ok(Audience::Everyone),
        }
    }

    fn selection(&self, work: &Work) -> Result<Selection, Failure> {
        match (&self.sku, self.category) {
            (Some(sku), _) => product_of(work, sku).map(|product| Selection::Product { product }),
            (None, Some(category)) => {
                let found = work.get::<Category>(category).map(Category::branch);
                let missing = || refused("import.category_missing", "no category has this id");
                found.and_then(Result::ok).ok_or_else(missing)?;
                Ok(Selection::Category { category })
            }
            (None, None) => Ok(Selection::Everything),
        }
    }
}
