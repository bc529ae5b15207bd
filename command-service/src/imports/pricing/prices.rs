//! Prices: each row is a quantity break. It is added to the price of its agreement and days, or
//! replaces the one with the same quantity.

use std::collections::BTreeSet;

use domain::{
    AgreementId, Category, CategoryId, Claim, Price, PriceAgreement, PriceId, Quantity, Selection,
    Sku, claim,
    price::{Break, Command, Days, Rule, Subject, Value},
    price_agreement::Header,
};
use event_log::Work;
use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    app::pricing::price_agreement::agreements_aside,
    failure::{Failure, refusal},
    imports::{Cells, Column, Import, cells::columns, product_of, refused},
};

/// A row.
pub(crate) struct Row {
    agreement: AgreementId,
    of: Of,
    days: Days,
    price: Break,
}

/// The selection; the SKU of a product is looked up.
enum Of {
    Product(Sku),
    Category(CategoryId),
    Everything,
}

impl Import for Row {
    const COLUMNS: &'static [Column] = columns![
        agreement needed,
        sku,
        category,
        at_least,
        price,
        percent_off,
        amount_off,
        from,
        until,
    ];

    fn read(cells: &mut Cells<'_>) -> Option<Self> {
        let agreement: Option<Uuid> = cells.needed("agreement");
        let of = of(cells);
        let days = Days { from: cells.given::<Date>("from"), until: cells.given("until") };
        let at_least: Option<Quantity> = cells.number("at_least");
        let value = value(cells);
        let price = Break { at_least, value: value? };
        Some(Self { agreement: AgreementId(agreement?), of: of?, days, price })
    }

    async fn load(work: &mut Work, rows: &[(u32, Self)]) -> Result<(), Failure> {
        let named: BTreeSet<Uuid> = rows.iter().map(|(_, row)| row.agreement.0).collect();
        work.load_many::<PriceAgreement>(&named).await?;
        let codes = rows.iter().filter_map(|(_, row)| match &row.of {
            Of::Product(sku) => Some(claim::Value::Sku(sku.clone()).id().0),
            Of::Category(_) | Of::Everything => None,
        });
        let codes: Vec<Uuid> = codes.collect();
        work.load_many::<Claim>(codes).await?;
        let categories = rows.iter().filter_map(|(_, row)| match row.of {
            Of::Category(category) => Some(category.0),
            Of::Product(_) | Of::Everything => None,
        });
        let categories: Vec<Uuid> = categories.collect();
        work.load_many::<Category>(categories).await?;
        // A row with unknown references is refused when it is decided.
        let subjects = rows.iter().filter_map(|(_, row)| row.subject(work).ok());
        let streams: Vec<Uuid> = subjects.map(|(_, of)| PriceId::of(&of).0).collect();
        let found = work.load_many::<Price>(streams).await?;
        let rules = found.iter().filter_map(|(id, _)| work.get::<Price>(*id));
        let others: BTreeSet<Uuid> = rules.flat_map(Price::agreements).map(Uuid::from).collect();
        work.load_many::<PriceAgreement>(&others).await?;
        Ok(())
    }

    async fn decide(&self, work: &mut Work) -> Result<(), Failure> {
        let (header, of) = self.subject(work)?;
        let days = self.days.within(header.days()).ok_or_else(|| {
            refused("price.outside_agreement", "the agreement is not valid on any of these days")
        })?;
        let stream = PriceId::of(&of);
        let present = work.get::<Price>(stream).map_or(&[][..], Price::rules);
        let is_ours = |rule: &&Rule| rule.agreement == self.agreement && rule.days == days;
        let breaks = present.iter().find(is_ours).map_or(&[][..], |rule| &rule.breaks);
        let others = breaks.iter().filter(|other| other.at_least != self.price.at_least);
        let breaks = others.chain([&self.price]).cloned().collect();
        let aside = agreements_aside(work, &header, present.iter().map(|rule| rule.agreement));
        let rule = Rule { agreement: self.agreement, days, breaks };
        Ok(work.decide::<Price>(stream, Command::Agree { of, rule, aside }).await?)
    }
}

impl Row {
    /// The agreement and the price stream of the row, all loaded.
    fn subject(&self, work: &Work) -> Result<(Header, Subject), Failure> {
        let missing = || refused("import.agreement_missing", "no price agreement has this id");
        let agreement = work.get::<PriceAgreement>(self.agreement).ok_or_else(missing)?;
        let header = agreement.open().map_err(|error| refusal(&error))?.clone();
        let selection = match &self.of {
            Of::Product(sku) => Selection::Product { product: product_of(work, sku)? },
            Of::Category(category) => {
                let found = work.get::<Category>(*category).map(Category::branch);
                let missing = || refused("import.category_missing", "no category has this id");
                found.and_then(Result::ok).ok_or_else(missing)?;
                Selection::Category { category: *category }
            }
            Of::Everything => Selection::Everything,
        };
        let (audience, currency) = (header.audience.clone(), header.currency);
        Ok((header, Subject { audience, selection, currency }))
    }
}

fn of(cells: &mut Cells<'_>) -> Option<Of> {
    match (cells.text("sku"), cells.text("category")) {
        (Some(_), Some(_)) => {
            cells.refuse(
                "category",
                "import.cell_invalid",
                "a row has at most one of sku and category",
            );
            None
        }
        (Some(_), None) => cells.given("sku").map(Of::Product),
        (None, Some(_)) => cells.given("category").map(|id| Of::Category(CategoryId(id))),
        (None, None) => Some(Of::Everything),
    }
}

/// One of the three kinds of price.
fn value(cells: &mut Cells<'_>) -> Option<Value> {
    let ways = ["price", "percent_off", "amount_off"];
    let said: Vec<&'static str> =
        ways.into_iter().filter(|column| cells.text(column).is_some()).collect();
    match said.as_slice() {
        ["price"] => cells.number("price").map(|price| Value::Fixed { price }),
        ["percent_off"] => {
            cells.percent("percent_off").map(|percent| Value::PercentOff { percent })
        }
        ["amount_off"] => cells.number("amount_off").map(|amount| Value::AmountOff { amount }),
        _ => {
            let detail = "a row must have exactly one of price, percent_off and amount_off";
            cells.refuse("price", "import.cell_invalid", detail);
            None
        }
    }
}
