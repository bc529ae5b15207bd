//! A cache of price rules.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{AgreementId, ProductId, Selection, price::Rule};
use event_log::Position;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{changes::Changes, selected};
use crate::{ReadError, Remembered, row::json};

const OF_MANY: &str = "
    SELECT selected, agreement_id, days, breaks FROM view.prices
    WHERE agreement_id = ANY($1) AND NOT of_product AND breaks <> '[]'";
const OF_PRODUCTS: &str = "
    SELECT selected, agreement_id, days, breaks FROM view.prices
    WHERE agreement_id = ANY($1) AND selected = ANY($2) AND breaks <> '[]'";

/// Cached rules by agreement and product, and by agreement for selections of more than one product.
/// A change of a price invalidates only its own key.
#[derive(Debug)]
pub struct Rules {
    changes: Changes,
    of_many: Remembered<AgreementId, Arc<OfMany>>,
    of_products: Remembered<Pair, Option<Arc<[Rule]>>>,
}

type Pair = (AgreementId, ProductId);
/// The rules of an agreement for categories and all products, by [`selected`].
type OfMany = HashMap<Uuid, Vec<Rule>>;

/// The rules of some agreements for some products.
#[derive(Debug)]
pub struct Said {
    of_many: Vec<Arc<OfMany>>,
    /// In the order of the products.
    of_products: Vec<Vec<Arc<[Rule]>>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            changes: Changes::default(),
            of_many: Remembered::at_most(Self::MOST_AGREEMENTS),
            of_products: Remembered::at_most(Self::MOST),
        }
    }
}

impl Rules {
    /// The maximum number of pairs of agreement and product, with or without a rule: about 100
    /// bytes each, and as much again for a rule.
    const MOST: usize = 1_000_000;
    const MOST_AGREEMENTS: usize = 10_000;

    /// The rules of some agreements for some products; `changed` is the position of the last change
    /// of the read model.
    pub async fn of(
        &self,
        client: &Object,
        changed: Position,
        agreements: &[AgreementId],
        products: &[ProductId],
    ) -> Result<Said, ReadError> {
        let known = self.changes.up_to(client, changed).await?;
        let wanted: Vec<_> = agreements.iter().map(|id| (*id, known.last((*id, None)))).collect();
        let pairs = agreements.iter().flat_map(|id| products.iter().map(|product| (*id, *product)));
        let pairs: Vec<_> =
            pairs.map(|(id, product)| ((id, product), known.last((id, Some(product))))).collect();
        drop(known);
        let of_many = self.of_many.all(&wanted, |missing| of_many(client, missing)).await?;
        let rules = self.of_products.all(&pairs, |missing| of_pairs(client, missing)).await?;
        let mut of_products = vec![Vec::new(); products.len()];
        for (rules, at) in rules.into_iter().zip((0..products.len()).cycle()) {
            of_products[at].extend(rules);
        }
        Ok(Said { of_many, of_products })
    }
}

impl Said {
    /// The rules of a selection to which the product at this index belongs.
    pub fn on(&self, product: usize, selection: Selection) -> impl Iterator<Item = &Rule> {
        let (of_product, many) = match selection {
            Selection::Product { .. } => (self.of_products.get(product), None),
            Selection::Category { .. } | Selection::Everything => (None, Some(selected(selection))),
        };
        let of_product = of_product.into_iter().flatten().flat_map(|rules| rules.iter());
        let of_many = many.into_iter().flat_map(|selected| {
            self.of_many.iter().filter_map(move |rules| rules.get(&selected)).flatten()
        });
        of_product.chain(of_many)
    }
}

async fn of_many(
    client: &Object,
    agreements: Vec<AgreementId>,
) -> Result<HashMap<AgreementId, Arc<OfMany>>, ReadError> {
    let statement = client.prepare_cached(OF_MANY).await?;
    let mut read: HashMap<AgreementId, OfMany> = HashMap::new();
    for row in client.query(&statement, &[&ids(agreements)]).await? {
        let rule = rule_of(&row)?;
        read.entry(rule.agreement).or_default().entry(row.get(0)).or_default().push(rule);
    }
    Ok(read.into_iter().map(|(id, rules)| (id, Arc::new(rules))).collect())
}

async fn of_pairs(
    client: &Object,
    pairs: Vec<Pair>,
) -> Result<HashMap<Pair, Option<Arc<[Rule]>>>, ReadError> {
    let agreements: BTreeSet<Uuid> = pairs.iter().map(|(agreement, _)| agreement.0).collect();
    let products: BTreeSet<Uuid> = pairs.iter().map(|(_, product)| product.0).collect();
    let (agreements, products) = (Vec::from_iter(agreements), Vec::from_iter(products));
    let statement = client.prepare_cached(OF_PRODUCTS).await?;
    let mut read: HashMap<Pair, Vec<Rule>> = HashMap::new();
    for row in client.query(&statement, &[&agreements, &products]).await? {
        let rule = rule_of(&row)?;
        read.entry((rule.agreement, ProductId(row.get(0)))).or_default().push(rule);
    }
    Ok(read.into_iter().map(|(pair, rules)| (pair, Some(rules.into()))).collect())
}

fn ids(agreements: Vec<AgreementId>) -> Vec<Uuid> {
    agreements.into_iter().map(|agreement| agreement.0).collect()
}

/// A row of a selection and its rules.
fn rule_of(row: &Row) -> Result<Rule, ReadError> {
    Ok(Rule { agreement: AgreementId(row.get(1)), days: json(row, 2)?, breaks: json(row, 3)? })
}
