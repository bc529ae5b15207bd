//! What agreements say of products, remembered while they stay as they are.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{AgreementId, ProductId, Selection, price::Rule};
use event_log::Position;
use tokio_postgres::Row;
use uuid::Uuid;

use super::selected;
use crate::{ReadError, Remembered, row::json};

/// When anything in some agreements was agreed on or withdrawn last.
const LATEST: &str = "
    SELECT id, coalesce((SELECT max(agreed) FROM view.prices WHERE agreement_id = id), 0)
    FROM unnest($1::uuid[]) AS of (id)";
const OF_MANY: &str = "
    SELECT selected, agreement_id, days, breaks FROM view.prices
    WHERE agreement_id = ANY($1) AND NOT of_product AND breaks <> '[]'";
const OF_PRODUCTS: &str = "
    SELECT selected, agreement_id, days, breaks FROM view.prices
    WHERE agreement_id = ANY($1) AND selected = ANY($2) AND breaks <> '[]'";

/// Rules that were read lately: of a product in an agreement, and of whatever is more than one
/// product. A price that is agreed on or withdrawn has those of its agreement read again, and no others.
#[derive(Debug)]
pub struct Rules {
    latest: Remembered<AgreementId, Position>,
    of_many: Remembered<AgreementId, Arc<HashMap<Uuid, Vec<Rule>>>>,
    of_products: Remembered<(AgreementId, ProductId), Option<Arc<[Rule]>>>,
}

/// What some agreements say of some products.
#[derive(Debug)]
pub struct Said {
    of_many: Vec<Arc<HashMap<Uuid, Vec<Rule>>>>,
    /// In the order of the products.
    of_products: Vec<Vec<Arc<[Rule]>>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            latest: Remembered::at_most(Self::MOST_AGREEMENTS),
            of_many: Remembered::at_most(Self::MOST_AGREEMENTS),
            of_products: Remembered::at_most(Self::MOST),
        }
    }
}

impl Rules {
    /// How many pairs of an agreement and a product are remembered, with a rule or without one: some
    /// 100 bytes each, and as much again for a rule.
    const MOST: usize = 1_000_000;
    const MOST_AGREEMENTS: usize = 10_000;

    /// What some agreements say of some products; the read model changed last at `changed`.
    pub async fn of(
        &self,
        client: &Object,
        changed: Position,
        agreements: &[AgreementId],
        products: &[ProductId],
    ) -> Result<Said, ReadError> {
        let latest = self.latest(client, changed, agreements).await?;
        let of_many = self.of_many(client, &latest).await?;
        let mut of_products = vec![Vec::new(); products.len()];
        let mut missing = Missing::default();
        for (agreement, latest) in &latest {
            for (at, product) in products.iter().enumerate() {
                match self.of_products.get(&(*agreement, *product), latest) {
                    Some(rules) => of_products[at].extend(rules),
                    None => missing.add((*agreement, *latest), (at, *product)),
                }
            }
        }
        for (pair, latest, at, rules) in missing.read(client).await? {
            self.of_products.put(pair, latest, rules.clone());
            of_products[at].extend(rules);
        }
        Ok(Said { of_many, of_products })
    }

    async fn latest(
        &self,
        client: &Object,
        changed: Position,
        agreements: &[AgreementId],
    ) -> Result<Vec<(AgreementId, Position)>, ReadError> {
        let known = |id: &AgreementId| Some((*id, self.latest.get(id, &changed)?));
        let mut latest: Vec<(AgreementId, Position)> =
            agreements.iter().filter_map(known).collect();
        if latest.len() == agreements.len() {
            return Ok(latest);
        }
        let ids: Vec<Uuid> = agreements.iter().map(|id| id.0).collect();
        let statement = client.prepare_cached(LATEST).await?;
        let rows = client.query(&statement, &[&ids]).await?;
        let read =
            |row: &Row| (AgreementId(row.get(0)), Position(row.get::<_, i64>(1).unsigned_abs()));
        latest = rows.iter().map(read).collect();
        for (id, position) in &latest {
            self.latest.put(*id, changed, *position);
        }
        Ok(latest)
    }

    async fn of_many(
        &self,
        client: &Object,
        latest: &[(AgreementId, Position)],
    ) -> Result<Vec<Arc<HashMap<Uuid, Vec<Rule>>>>, ReadError> {
        let known = |(id, latest): &(AgreementId, Position)| self.of_many.get(id, latest);
        let remembered: Vec<_> = latest.iter().filter_map(known).collect();
        if remembered.len() == latest.len() {
            return Ok(remembered);
        }
        let ids: Vec<Uuid> = latest.iter().map(|(id, _)| id.0).collect();
        let statement = client.prepare_cached(OF_MANY).await?;
        let mut read: HashMap<AgreementId, HashMap<Uuid, Vec<Rule>>> = HashMap::new();
        for row in client.query(&statement, &[&ids]).await? {
            let rule = rule_of(&row)?;
            let of = read.entry(rule.agreement).or_default();
            of.entry(row.get(0)).or_default().push(rule);
        }
        let remember = |(id, latest): &(AgreementId, Position)| {
            let rules = Arc::new(read.remove(id).unwrap_or_default());
            self.of_many.put(*id, *latest, Arc::clone(&rules));
            rules
        };
        Ok(latest.iter().map(remember).collect())
    }
}

impl Said {
    /// What is said of a selection to which the product at this place belongs.
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

type Pair = (AgreementId, ProductId);

/// Pairs that are not remembered, each with what says that its agreement stays and the place of its
/// product.
#[derive(Default)]
struct Missing {
    pairs: Vec<(Pair, Position, usize)>,
    agreements: HashSet<Uuid>,
    products: HashSet<Uuid>,
}

impl Missing {
    fn add(
        &mut self,
        (agreement, latest): (AgreementId, Position),
        (at, product): (usize, ProductId),
    ) {
        self.pairs.push(((agreement, product), latest, at));
        self.agreements.insert(agreement.0);
        self.products.insert(product.0);
    }

    /// What is said in each pair.
    async fn read(
        self,
        client: &Object,
    ) -> Result<Vec<(Pair, Position, usize, Option<Arc<[Rule]>>)>, ReadError> {
        if self.pairs.is_empty() {
            return Ok(vec![]);
        }
        let agreements: Vec<Uuid> = self.agreements.into_iter().collect();
        let products: Vec<Uuid> = self.products.into_iter().collect();
        let statement = client.prepare_cached(OF_PRODUCTS).await?;
        let mut read: HashMap<Pair, Vec<Rule>> = HashMap::new();
        for row in client.query(&statement, &[&agreements, &products]).await? {
            let rule = rule_of(&row)?;
            read.entry((rule.agreement, ProductId(row.get(0)))).or_default().push(rule);
        }
        let said = |(pair, latest, at)| (pair, latest, at, read.remove(&pair).map(Arc::from));
        Ok(self.pairs.into_iter().map(said).collect())
    }
}

/// A row of a selection and what is said of it.
fn rule_of(row: &Row) -> Result<Rule, ReadError> {
    Ok(Rule { agreement: AgreementId(row.get(1)), days: json(row, 2)?, breaks: json(row, 3)? })
}
