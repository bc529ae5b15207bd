//! Catalogue context of one company: its search places, visible products and prices.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use deadpool_postgres::Object;
use domain::{
    AgreementId, Assortment, AssortmentId, Audience, CategoryId, CompanyId, Currency,
    PriceAgreement, ProductId, Purchases, PurchasesId, Quantity, Reference, Selection,
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
        catalogue::{
            assortments,
            catalogue::{CatalogueItem, EVERYTHING, IN_STOCK, Line, Within},
            product_codes,
        },
        parties::companies,
        pricing::{discounts, price_agreements},
    },
};
use uuid::Uuid;

use crate::reading::Reading;

/// A company with the facts that decide what it sees and pays.
pub(crate) struct CatalogueContext {
    terms: Arc<CompanyTerms>,
    purchases: Option<Arc<Loaded<Purchases>>>,
}

/// The relation of the seller to a company that buys in a currency.
#[derive(Debug)]
pub(crate) struct CompanyTerms {
    currency: Currency,
    audiences: Vec<Audience>,
    /// The ids of its audiences' assortments, in the same order.
    ids: Vec<Uuid>,
    /// Their rules for categories and for all products.
    assortments: Vec<Assortment>,
    /// Those that have rules for products too.
    picky: Vec<Uuid>,
    agreements: BTreeMap<AgreementId, (usize, PriceAgreement)>,
    /// The discount programmes of its audiences, the most specific first.
    programmes: Vec<Programme>,
    /// Whether it, or a company above it, has product codes.
    names_products: bool,
}

/// A restriction of the products of a catalogue query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatalogueFilter {
    /// Products of a category and its subcategories.
    pub category: Option<Uuid>,
    /// Products of a brand.
    pub brand: Option<Uuid>,
    /// Products in stock.
    pub in_stock: bool,
}

/// The access paths that a company reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// Any of these paths…
    pub places: Vec<Uuid>,
    /// …and all of these.
    pub also: Vec<Uuid>,
}

impl CatalogueContext {
    /// A company that buys in a currency; `None` if it does not exist.
    pub(crate) async fn of(
        reading: &Reading,
        log: &EventLog,
        company: Uuid,
        currency: Currency,
    ) -> Result<Option<Self>, ReadError> {
        let (terms, now) = (&reading.memory.terms, &reading.changed.terms);
        let terms = match terms.get(&(company, currency), now) {
            Some(terms) => terms,
            None => {
                let read = CompanyTerms::read(&reading.client, company, currency).await?;
                let Some(read) = read.map(Arc::new) else { return Ok(None) };
                terms.put((company, currency), *now, Arc::clone(&read));
                read
            }
        };
        let purchases = match terms.programmes.as_slice() {
            [] => None,
            _ => Some(log.newest::<Purchases>(PurchasesId::of(CompanyId(company)).0).await?),
        };
        Ok(Some(Self { terms, purchases }))
    }

    /// The access paths for a category, a brand, or products in stock.
    pub(crate) async fn range(
        &self,
        reading: &Reading,
        filter: CatalogueFilter,
    ) -> Result<Range, ReadError> {
        let CatalogueFilter { category, brand, in_stock } = filter;
        let in_stock = in_stock.then_some(IN_STOCK);
        let mut filters = category.into_iter().chain(brand).chain(in_stock);
        let Some(bounds) = assortment::bounds(&self.terms.assortments) else {
            let places = vec![filters.next().unwrap_or(EVERYTHING)];
            return Ok(Range { places, also: filters.collect() });
        };
        let allowed = ids_of(&bounds);
        let mut places = match category {
            None => allowed,
            Some(category) => overlap(reading, &allowed, category).await?,
        };
        places.extend(self.picks(&bounds));
        Ok(Range { places, also: filters.collect() })
    }

    /// The access paths of a word search.
    pub(crate) fn within(
        &self,
        CatalogueFilter { category, brand, in_stock }: CatalogueFilter,
    ) -> Within {
        let bounds = assortment::bounds(&self.terms.assortments);
        let (allowed, picks) = match &bounds {
            Some(bounds) => (Some(ids_of(bounds)), self.picks(bounds)),
            None => (None, vec![]),
        };
        Within { category, allowed, picks, brand, in_stock }
    }

    /// The access paths of products that its assortments allow individually.
    fn picks(&self, bounds: &Bounds) -> Vec<Uuid> {
        let speaking = self.terms.ids[..bounds.picks].iter();
        speaking.filter(|id| self.picky().contains(id)).copied().collect()
    }

    /// Which of some products it sees.
    pub(crate) async fn sees(
        &self,
        client: &Object,
        lines: &[Arc<Line>],
    ) -> Result<Vec<bool>, ReadError> {
        let products: Vec<ProductId> = lines.iter().map(|line| line.item.id).collect();
        let whole = self.with_rules_on(client, &products).await?;
        let assortments = whole.as_deref().unwrap_or(self.assortments());
        let sees = |line: &Arc<Line>| assortment::sees(assortments, line.item.id, &line.paths);
        Ok(lines.iter().map(sees).collect())
    }

    /// The products whose codes, of the company or of a company above it, have this prefix; see
    /// [`projections::words::SearchWords::code`].
    pub(crate) async fn means(&self, client: &Object, code: &str) -> Result<Vec<Uuid>, ReadError> {
        if !self.terms.names_products {
            return Ok(vec![]);
        }
        product_codes::meant(client, &companies(&self.terms.audiences), code).await
    }

    /// The product codes of the company, or of the nearest company above it.
    pub(crate) async fn names(
        &self,
        client: &Object,
        products: &[ProductId],
    ) -> Result<HashMap<ProductId, Reference>, ReadError> {
        if !self.terms.names_products {
            return Ok(HashMap::new());
        }
        product_codes::of_products(client, &companies(&self.terms.audiences), products).await
    }

    /// Its assortments without rules for products.
    pub(crate) fn assortments(&self) -> &[Assortment] {
        &self.terms.assortments
    }

    /// The ids of its assortments, the most specific first.
    pub(crate) fn assortment_ids(&self) -> &[Uuid] {
        &self.terms.ids
    }

    /// The assortments that have rules for products too.
    pub(crate) fn picky(&self) -> &[Uuid] {
        &self.terms.picky
    }

    /// Its assortments with their rules for some products, if any has rules for products.
    pub(crate) async fn with_rules_on(
        &self,
        client: &Object,
        products: &[ProductId],
    ) -> Result<Option<Vec<Assortment>>, ReadError> {
        if self.picky().is_empty() || products.is_empty() {
            return Ok(None);
        }
        let rules = assortments::on_products(client, self.picky(), products).await?;
        let mut whole = self.assortments().to_vec();
        for (id, selection, verdict) in rules {
            let at = self.terms.ids.iter().position(|one| *one == id.0);
            let assortment = at.and_then(|at| whole.get_mut(at)).ok_or(ReadError::Malformed)?;
            assortment.extend([(selection, verdict)]);
        }
        Ok(Some(whole))
    }

    /// The prices of some products on a day, each for one unit at the minimum order quantity.
    pub(crate) async fn prices(
        &self,
        reading: &Reading,
        lines: &[Arc<Line>],
        on: Date,
    ) -> Result<Vec<Vec<Step>>, ReadError> {
        let CompanyTerms { currency, agreements, programmes, .. } = &*self.terms;
        let agreements: Vec<AgreementId> = agreements.keys().copied().collect();
        let products: Vec<ProductId> = lines.iter().map(|line| line.item.id).collect();
        let rules = &reading.memory.rules;
        let rules =
            rules.of(&reading.client, reading.changed.prices, &agreements, &products).await?;
        let purchases = self.purchases.as_ref();
        let earned =
            purchases.and_then(|purchases| discount::earned(programmes, &purchases.state, on));
        let steps = |(at, line): (usize, &Arc<Line>)| {
            let candidates = line.selections.iter().flat_map(|(selection, distance)| {
                let rules = rules.on(at, *selection);
                rules.filter_map(|rule| self.terms.candidate(rule, *selection, *distance))
            });
            pricing::steps(&Question {
                on,
                quantity: least(&line.item),
                base: line.item.base_prices.get(currency).copied(),
                earned,
                floor: line.item.floors.get(currency).copied(),
                candidates: candidates.collect(),
            })
        };
        Ok(lines.iter().enumerate().map(steps).collect())
    }
}

impl CompanyTerms {
    async fn read(
        client: &Object,
        company: Uuid,
        currency: Currency,
    ) -> Result<Option<Self>, ReadError> {
        let audiences = companies::audiences(client, company).await?;
        if !matches!(audiences.first(), Some(Audience::Company { .. })) {
            return Ok(None);
        }
        let ids: Vec<Uuid> =
            audiences.iter().map(|audience| AssortmentId::of(audience).0).collect();
        let companies = companies(&audiences);
        let (outline, agreements, programmes, names_products) = futures::try_join!(
            assortments::outline(client, &ids),
            price_agreements::active_for(client, &audiences, currency),
            discounts::offered_to(client, &audiences),
            product_codes::any(client, &companies),
        )?;
        let assortments = gathered(&ids, outline.rules);
        let breadth = |audience: &Audience| audiences.iter().position(|one| one == audience);
        let agreements = agreements.into_iter().filter_map(|agreement| {
            let breadth = breadth(&agreement.header.audience)?;
            Some((agreement.id, (breadth, PriceAgreement::Active(agreement.header))))
        });
        let agreements = agreements.collect();
        let picky = outline.picky;
        Ok(Some(Self {
            currency,
            audiences,
            ids,
            assortments,
            picky,
            agreements,
            programmes,
            names_products,
        }))
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

/// A company and the companies above it, nearest first.
fn companies(audiences: &[Audience]) -> Vec<CompanyId> {
    let company = |audience: &Audience| match audience {
        Audience::Company { company } => Some(*company),
        Audience::Everyone | Audience::Group { .. } => None,
    };
    audiences.iter().filter_map(company).collect()
}

fn ids_of(bounds: &Bounds) -> Vec<Uuid> {
    bounds.categories.iter().map(|category| category.0).collect()
}

/// The minimum order quantity of a product.
fn least(item: &CatalogueItem) -> Quantity {
    let packing = &item.details.packing;
    let unit = item.description.unit;
    let least = if unit.divisible() { Quantity::LEAST } else { Quantity::ONE };
    packing.minimum.or(packing.multiple).unwrap_or(least)
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

/// The common part of two sets of categories.
async fn overlap(reading: &Reading, these: &[Uuid], other: Uuid) -> Result<Vec<Uuid>, ReadError> {
    let all: Vec<Uuid> = these.iter().copied().chain([other]).collect();
    let (memory, changed) = (&reading.memory.catalogue, reading.changed.catalogue);
    let paths = memory.paths(&reading.client, changed, &all).await?;
    let below = |inner: &Uuid, outer: Uuid| {
        paths.get(inner).is_some_and(|path| path.contains(&CategoryId(outer)))
    };
    let whole = these.iter().any(|one| below(&other, *one)).then_some(other);
    Ok(these.iter().copied().filter(|one| below(one, other)).chain(whole).collect())
}
