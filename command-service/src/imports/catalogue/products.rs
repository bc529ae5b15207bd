//! Products: rows with a known SKU change the product, other rows draft one.

use std::collections::HashSet;

use axum::http::StatusCode;
use domain::{
    Category, CategoryId, Claim, Currency, Gtin, Name, Product, ProductId, Quantity, Sku,
    UnitPrice, VatRate, claim,
    product::{Character, Command, Description, Naming, Packing, Unit},
};
use event_log::Work;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::imports::{Cells, Column, Import, cells::columns};
use crate::{app::catalogue::category_paths, failure::Failure};

/// A row; blank values stay unchanged.
pub(crate) struct Row {
    description: Description,
    brand: Option<Name>,
    price: Option<(Currency, UnitPrice)>,
    floor: Option<(Currency, UnitPrice)>,
    category: Option<CategoryId>,
    minimum: Option<Quantity>,
    multiple: Option<Quantity>,
    status: Option<Status>,
}

/// Whether the product is to be published or withdrawn.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Published,
    Withdrawn,
}

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![
        sku needed,
        name needed,
        gtin,
        unit needed,
        vat_rate needed,
        brand,
        price,
        floor,
        currency,
        category,
        minimum,
        multiple,
        status,
    ];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let (sku, name): (Option<Sku>, Option<Name>) = (cells.needed("sku"), cells.needed("name"));
        let gtin: Option<Gtin> = cells.given("gtin");
        let unit: Option<Unit> = one_of(cells, "unit");
        let vat_rate: Option<VatRate> = one_of(cells, "vat_rate");
        for column in ["unit", "vat_rate"] {
            if cells.text(column).is_none() {
                cells.refuse(column, "import.cell_missing", "is needed");
            }
        }
        let (price, floor) = (cells.number("price"), cells.number("floor"));
        let currency: Option<Currency> = match (price.is_some(), floor.is_some()) {
            (false, false) => None,
            (true, _) | (_, true) => cells.needed("currency"),
        };
        let (brand, status) = (cells.given("brand"), one_of(cells, "status"));
        let category = cells.given::<Uuid>("category").map(CategoryId);
        let (minimum, multiple) = (cells.number("minimum"), cells.number("multiple"));
        let (sku, name, unit, vat_rate) = (sku?, name?, unit?, vat_rate?);
        let description = Description { sku, name, gtin, unit, vat_rate };
        let (price, floor) = (currency.zip(price), currency.zip(floor));
        Some(Self { description, brand, price, floor, category, minimum, multiple, status })
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let claims = rows.iter().flat_map(|(_, row)| row.claims()).map(|claim| claim.id().0);
        let claims: Vec<Uuid> = claims.collect();
        let found = work.load_many::<Claim>(claims).await?;
        let holders = found.iter().filter_map(|(id, _)| work.get::<Claim>(*id)?.holder());
        let holders: Vec<Uuid> = holders.collect();
        work.load_many::<Product>(holders).await?;
        let categories = rows.iter().filter_map(|(_, row)| row.category);
        let categories: HashSet<Uuid> = categories.map(|category| category.0).collect();
        work.load_many::<Category>(categories).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        if let Some(category) = self.category {
            category_paths::takes(work, category)
                .map_err(|error| crate::failure::refusal(&error))?;
        }
        let claim = claim::Value::Sku(self.description.sku.clone()).id().0;
        let id = match work.get::<Claim>(claim).and_then(Claim::holder) {
            Some(id) => {
                self.change(work, ProductId(id)).await?;
                ProductId(id)
            }
            None => self.draft(work).await?,
        };
        for command in self.commands(work, id) {
            work.decide::<Product>(id, command).await?;
        }
        Ok(())
    }
}

impl Row {
    fn claims(&self) -> impl Iterator<Item = claim::Value> {
        let Description { sku, gtin, .. } = &self.description;
        std::iter::once(claim::Value::Sku(sku.clone())).chain(gtin.clone().map(claim::Value::Gtin))
    }

    async fn draft(&self, work: &mut Work) -> Result<ProductId, Failure> {
        let id = ProductId(Uuid::now_v7());
        for value in self.claims() {
            let command = claim::Command::Take { by: id.0, value: value.clone() };
            work.decide::<Claim>(value.id(), command).await?;
        }
        work.begin::<Product>(id);
        let command = Command::Draft { id, description: self.description.clone() };
        work.decide::<Product>(id, command).await?;
        Ok(id)
    }

    /// The unit, GTIN and VAT rate of an existing product cannot be changed; a row may repeat them.
    async fn change(&self, work: &mut Work, id: ProductId) -> Result<(), Failure> {
        let product = work.load::<Product>(id).await?;
        let item = product.item().map_err(|error| crate::failure::refusal(&error))?;
        let present = item.description();
        let asked = &self.description;
        let gtin_differs = asked.gtin.is_some() && asked.gtin != present.gtin;
        let rates = &item.details().vat_rates;
        let rate_differs = asked.vat_rate != present.vat_rate
            && rates.values().all(|rate| *rate != asked.vat_rate);
        if asked.unit != present.unit || rate_differs || gtin_differs {
            return Err(Problem::new(StatusCode::CONFLICT, "import.product_differs")
                .detail("unit, GTIN and VAT rate of a product cannot be changed by import; change the rate from a day on instead")
                .into());
        }
        let translations = item.details().translations.clone();
        let naming = Naming { name: asked.name.clone(), translations };
        Ok(work.decide::<Product>(id, Command::Rename(naming)).await?)
    }

    fn commands(&self, work: &Work, id: ProductId) -> Vec<Command> {
        let character = self.brand.clone().and_then(|brand| {
            let present = &work.get::<Product>(id)?.item().ok()?.details().character;
            Some(Character { brand: Some(brand), ..present.clone() })
        });
        let item = work.get::<Product>(id).and_then(|product| product.item().ok());
        let packing = item.map(|item| item.details().packing.clone()).unwrap_or_default();
        let packing = Packing {
            minimum: self.minimum.or(packing.minimum),
            multiple: self.multiple.or(packing.multiple),
            ..packing
        };
        let repacked = self.minimum.is_some() || self.multiple.is_some();
        [
            character.map(Command::Characterize),
            self.category.map(|category| Command::Categorize { categories: vec![category] }),
            repacked.then_some(Command::Pack(packing)),
            self.floor.map(|(currency, price)| Command::Floor { currency, price: Some(price) }),
            self.price.map(|(currency, price)| Command::Price { currency, price }),
            self.status.map(|status| match status {
                Status::Published => Command::Publish,
                Status::Withdrawn => Command::Withdraw { successor: None },
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A value of an enumeration, spelled as in JSON.
fn one_of<T: DeserializeOwned>(cells: &mut Cells<'_>, column: &'static str) -> Option<T> {
    let text = cells.text(column)?.to_lowercase();
    let parsed: Result<T, Error> = T::deserialize(text.into_deserializer());
    parsed.map_err(|error| cells.refuse(column, "import.cell_invalid", error)).ok()
}
