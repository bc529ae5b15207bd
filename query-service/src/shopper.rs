//! A company in front of the catalogue: where it looks, what it sees there, and what it pays.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{
    AgreementId, Assortment, AssortmentId, Audience, CategoryId, CompanyId, Currency,
    PriceAgreement, ProductId, Purchases, PurchasesId, Quantity, Selection,
    assortment::{self, Bounds, Verdict},
    discount::{self, Programme},
    price::Rule,
    pricing::{self, Candidate, Question, Step},
};
use event_log::{EventLog, Loaded};
use jiff::civil::Date;
use projections::{
    ReadError,
    views::{
        assortments,
        catalogue::{self, CatalogueItem, EVERYTHING, IN_STOCK, Line, Within},
        companies, discounts, price_agreements, prices,
    },
};
use uuid::Uuid;

/// What is on record for a company that decides what it sees and pays.
pub(crate) struct Shopper {
    currency: Currency,
    audiences: Vec<Audience>,
    /// The ids of its audiences' assortments, in the same order.
    ids: Vec<Uuid>,
    /// What those say of categories and everything.
    assortments: Vec<Assortment>,
    /// Those that have rules on products too.
    picky: Vec<Uuid>,
    agreements: BTreeMap<AgreementId, (usize, PriceAgreement)>,
    /// What is given to its audiences for purchases, the most specific first.
    programmes: Vec<Programme>,
    purchases: Option<Arc<Loaded<Purchases>>>,
}

/// What of the catalogue it wants to see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// What stands in a category or below it.
    pub category: Option<Uuid>,
    /// What is of a brand.
    pub brand: Option<Uuid>,
    /// Only what is there.
    pub in_stock: bool,
}

/// Where a company looks for products.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// In any of these places…
    pub places: Vec<Uuid>,
    /// …and in each of these.
    pub also: Vec<Uuid>,
}

impl Shopper {
    /// A company that buys in a currency; `None` when there is no such company.
    pub(crate) async fn of(
        (client, log): (&Object, &EventLog),
        company: Uuid,
        currency: Currency,
    ) -> Result<Option<Self>, ReadError> {
        let audiences = companies::audiences(client, company).await?;
        if !matches!(audiences.first(), Some(Audience::Company { .. })) {
            return Ok(None);
        }
        let ids: Vec<Uuid> =
            audiences.iter().map(|audience| AssortmentId::of(audience).0).collect();
        let (outline, agreements, programmes) = futures::try_join!(
            assortments::outline(client, &ids),
            price_agreements::active_for(client, &audiences, currency),
            discounts::offered_to(client, &audiences),
        )?;
        let purchases = match programmes.as_slice() {
            [] => None,
            _ => Some(log.load::<Purchases>(PurchasesId::of(CompanyId(company)).0).await?),
        };
        let assortments = gathered(&ids, outline.rules);
        let breadth = |audience: &Audience| audiences.iter().position(|one| one == audience);
        let agreements = agreements.into_iter().filter_map(|agreement| {
            let breadth = breadth(&agreement.header.audience)?;
            Some((agreement.id, (breadth, PriceAgreement::Active(agreement.header))))
        });
        let agreements = agreements.collect();
        let picky = outline.picky;
        let shopper = Self {
            currency,
            audiences,
            ids,
            assortments,
            picky,
            agreements,
            programmes,
            purchases,
        };
        Ok(Some(shopper))
    }

    /// Where it looks for products of a category, a brand, in stock.
    pub(crate) async fn range(&self, client: &Object, wish: Wish) -> Result<Range, ReadError> {
        let Wish { category, brand, in_stock } = wish;
        let in_stock = in_stock.then_some(IN_STOCK);
        let mut filters = category.into_iter().chain(brand).chain(in_stock);
        let Some(bounds) = assortment::bounds(&self.assortments) else {
            let places = vec![filters.next().unwrap_or(EVERYTHING)];
            return Ok(Range { places, also: filters.collect() });
        };
        let allowed = ids_of(&bounds);
        let mut places = match category {
            None => allowed,
            Some(category) => overlap(client, &allowed, category).await?,
        };
        places.extend(self.picks(&bounds));
        Ok(Range { places, also: filters.collect() })
    }

    /// Where it searches for words.
    pub(crate) fn within(&self, Wish { category, brand, in_stock }: Wish) -> Within {
        let bounds = assortment::bounds(&self.assortments);
        let (allowed, picks) = match &bounds {
            Some(bounds) => (Some(ids_of(bounds)), self.picks(bounds)),
            None => (None, vec![]),
        };
        Within { category, allowed, picks, brand, in_stock }
    }

    /// The places of what its assortments allow product by product.
    fn picks(&self, bounds: &Bounds) -> Vec<Uuid> {
        let speaking = self.ids[..bounds.picks].iter();
        speaking.filter(|id| self.picky.contains(id)).copied().collect()
    }

    /// Which of some products it sees.
    pub(crate) async fn sees(
        &self,
        client: &Object,
        lines: &[Arc<Line>],
    ) -> Result<Vec<bool>, ReadError> {
        let products: Vec<ProductId> = lines.iter().map(|line| line.item.id).collect();
        let whole = self.with_rules_on(client, &products).await?;
        let assortments = whole.as_ref().unwrap_or(&self.assortments);
        let sees = |line: &Arc<Line>| assortment::sees(assortments, line.item.id, &line.paths);
        Ok(lines.iter().map(sees).collect())
    }

    /// It and the firms above it, nearest first.
    pub(crate) fn firms(&self) -> Vec<CompanyId> {
        let firm = |audience: &Audience| match audience {
            Audience::Company { company } => Some(*company),
            Audience::Everyone | Audience::Group { .. } => None,
        };
        self.audiences.iter().filter_map(firm).collect()
    }

    /// Its assortments without rules on products.
    pub(crate) fn assortments(&self) -> &[Assortment] {
        &self.assortments
    }

    /// The assortments that have rules on products too.
    pub(crate) fn picky(&self) -> &[Uuid] {
        &self.picky
    }

    /// Its assortments with their rules on some products, if any has rules on products.
    pub(crate) async fn with_rules_on(
        &self,
        client: &Object,
        products: &[ProductId],
    ) -> Result<Option<Vec<Assortment>>, ReadError> {
        if self.picky.is_empty() || products.is_empty() {
            return Ok(None);
        }
        let rules = assortments::on_products(client, &self.picky, products).await?;
        let mut whole = self.assortments.clone();
        for (id, selection, verdict) in rules {
            let at = self.ids.iter().position(|one| *one == id.0);
            let assortment = at.and_then(|at| whole.get_mut(at)).ok_or(ReadError::Malformed)?;
            assortment.extend([(selection, verdict)]);
        }
        Ok(Some(whole))
    }

    /// What one unit of each of some products costs on a day, from the least quantity on that is
    /// ordered.
    pub(crate) async fn prices(
        &self,
        client: &Object,
        lines: &[Arc<Line>],
        on: Date,
    ) -> Result<Vec<Vec<Step>>, ReadError> {
        let selections: Vec<Vec<(Selection, usize)>> =
            lines.iter().map(|line| pricing::selections(line.item.id, &line.paths)).collect();
        let rules = self.rules(client, &selections).await?;
        let earned = self
            .purchases
            .as_ref()
            .and_then(|purchases| discount::earned(&self.programmes, &purchases.state, on));
        let steps = |(line, selections): (&Arc<Line>, &Vec<(Selection, usize)>)| {
            let candidates = selections.iter().flat_map(|(selection, distance)| {
                let rules = rules.get(&prices::selected(*selection)).map_or(&[][..], Vec::as_slice);
                rules.iter().filter_map(|rule| self.candidate(rule, *selection, *distance))
            });
            pricing::steps(&Question {
                on,
                quantity: least(&line.item),
                base: line.item.base_prices.get(&self.currency).copied(),
                earned,
                floor: line.item.floors.get(&self.currency).copied(),
                candidates: candidates.collect(),
            })
        };
        Ok(lines.iter().zip(&selections).map(steps).collect())
    }

    /// What its agreements say of some selections.
    async fn rules(
        &self,
        client: &Object,
        selections: &[Vec<(Selection, usize)>],
    ) -> Result<HashMap<Uuid, Vec<Rule>>, ReadError> {
        let mut rules: HashMap<Uuid, Vec<Rule>> = HashMap::new();
        if self.agreements.is_empty() {
            return Ok(rules);
        }
        let agreements: Vec<Uuid> = self.agreements.keys().map(|id| id.0).collect();
        let of = selections.iter().flatten().map(|(selection, _)| prices::selected(*selection));
        let of: std::collections::BTreeSet<Uuid> = of.collect();
        let of: Vec<Uuid> = of.into_iter().collect();
        for (selected, rule) in prices::rules(client, &agreements, &of).await? {
            rules.entry(selected).or_default().push(rule);
        }
        Ok(rules)
    }

    fn candidate<'a>(
        &'a self,
        rule: &'a Rule,
        selection: Selection,
        distance: usize,
    ) -> Option<Candidate<'a>> {
        let (breadth, agreement) = self.agreements.get(&rule.agreement)?;
        let audience = &self.audiences[*breadth];
        Some(Candidate { audience, breadth: *breadth, selection, distance, rule, agreement })
    }
}

fn ids_of(bounds: &Bounds) -> Vec<Uuid> {
    bounds.categories.iter().map(|category| category.0).collect()
}

/// The least quantity of a product that is ordered.
fn least(item: &CatalogueItem) -> Quantity {
    let packing = &item.details.packing;
    packing.minimum.or(packing.multiple).unwrap_or(Quantity::ONE)
}

/// Rules by their assortments, in the order of these.
fn gathered(ids: &[Uuid], rules: Vec<(AssortmentId, Selection, Verdict)>) -> Vec<Assortment> {
    let mut assortments = vec![Assortment::default(); ids.len()];
    for (id, selection, verdict) in rules {
        if let Some(at) = ids.iter().position(|one| *one == id.0) {
            assortments[at].extend([(selection, verdict)]);
        }
    }
    assortments
}

/// What some categories and another have in common.
async fn overlap(client: &Object, these: &[Uuid], other: Uuid) -> Result<Vec<Uuid>, ReadError> {
    let all: Vec<Uuid> = these.iter().copied().chain([other]).collect();
    let paths = catalogue::paths(client, &all).await?;
    let below = |inner: &Uuid, outer: Uuid| {
        paths.get(inner).is_some_and(|path| path.contains(&CategoryId(outer)))
    };
    let whole = these.iter().any(|one| below(&other, *one)).then_some(other);
    Ok(these.iter().copied().filter(|one| below(one, other)).chain(whole).collect())
}
