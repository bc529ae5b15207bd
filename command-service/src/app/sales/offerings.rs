//! What the products that rows name are to a company: whether it can order them, in which
//! quantities, at which prices by quantity. A fixed number of queries, however many rows there are.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    Claim, CompanyId, Name, Note, PricedBy, Product, ProductCode, ProductCodeId, ProductId,
    Quantity, Sku, UnitPrice, VatRate, assortment, claim,
    pricing::{ExplainedStep, Step},
    product::{Item, PackagingName, Packing, Unit},
    purchase_lines::Wanted,
    stock::Level,
};
use event_log::Work;
use projections::{
    ReadError,
    views::{catalogue::catalogue::near, inventory::stock},
};
use schemars::JsonSchema;
use serde::Serialize;
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::{
    app::{
        Services,
        catalogue::assortment_context::Requester,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, PricingContext, Sale},
        sales::purchase_rows::{Asked, Named, PurchaseRow, RowRefusal},
    },
    failure::{Failure, refusal},
};

/// A product that a company can order.
#[derive(Debug, Clone)]
pub(crate) struct Offering {
    pub(crate) product: ProductId,
    pub(crate) sku: Sku,
    pub(crate) name: Name,
    pub(crate) unit: Unit,
    pub(crate) vat_rate: VatRate,
    pub(crate) packing: Packing,
    /// By quantity, from the least that is ordered on; empty only where no price is asked for.
    pub(crate) steps: Vec<ExplainedStep>,
    /// What the warehouse said last.
    pub(crate) stock: Option<Level>,
}

/// What rows mean, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) rows: Vec<Result<Meant, Refused>>,
    pub(crate) offerings: HashMap<ProductId, Offering>,
}

/// A row that can be ordered.
#[derive(Debug, Clone)]
pub(crate) struct Meant {
    pub(crate) product: ProductId,
    /// In units of the product, as it was said.
    pub(crate) quantity: Quantity,
    pub(crate) packaging: Option<PackagingName>,
    pub(crate) note: Option<Note>,
}

/// A row that cannot be ordered, and what can be instead.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) why: RowRefusal,
    /// Products with nearly the same code.
    pub(crate) near: Vec<Alternative>,
    /// What is sold instead of it.
    pub(crate) instead: Vec<Alternative>,
}

/// A product that somebody may have meant, or take instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ProductAlternative")]
pub struct Alternative {
    /// Its id.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What it is called.
    pub name: Name,
}

impl From<RowRefusal> for Refused {
    fn from(why: RowRefusal) -> Self {
        Self { why, near: vec![], instead: vec![] }
    }
}

impl Offering {
    fn of(work: &Work, context: &PricingContext, item: &Item, sale: Sale) -> Option<Self> {
        let steps = context.steps(work, item, least(item));
        let description = item.description();
        // Where no price is asked for, none is needed.
        (sale.prices == Prices::Given || !steps.is_empty()).then(|| Self {
            product: item.id(),
            sku: description.sku.clone(),
            name: description.name.clone(),
            unit: description.unit,
            vat_rate: item.vat_rate(sale.on),
            packing: item.details().packing.quantities(),
            steps,
            stock: None,
        })
    }

    /// What one unit costs in some quantity, and what makes that.
    pub(crate) fn price(&self, quantity: Quantity) -> Option<(UnitPrice, PricedBy)> {
        let reached = self.steps.iter().rev().find(|step| step.at_least <= quantity)?;
        Some((reached.price, reached.made_by.clone().without_floor()))
    }

    /// From which quantity on a unit costs something else.
    pub(crate) fn next_step(&self, quantity: Quantity) -> Option<Step> {
        let (price, _) = self.price(quantity)?;
        let mut later = self.steps.iter().filter(|step| step.at_least > quantity);
        later.find(|step| step.price != price).map(step_of)
    }

    /// So much of it as a wish of a cart.
    pub(crate) fn wanted(
        &self,
        quantity: Quantity,
        packaging: Option<PackagingName>,
        note: Option<Note>,
    ) -> Wanted {
        Wanted {
            product: self.product,
            sku: self.sku.clone(),
            quantity,
            packaging,
            note,
            packing: self.packing.clone(),
            prices: self.steps.iter().map(step_of).collect(),
        }
    }
}

fn step_of(step: &ExplainedStep) -> Step {
    Step { at_least: step.at_least, price: step.price }
}

/// The least quantity of a product that is ordered.
fn least(item: &Item) -> Quantity {
    let packing = &item.details().packing;
    let divisible = item.description().unit.divisible();
    let least = if divisible { Quantity::LEAST } else { Quantity::ONE };
    packing.minimum.or(packing.multiple).unwrap_or(least)
}

/// Finds out what rows mean to a company.
pub(crate) async fn resolve(
    services: &Services,
    work: &mut Work,
    rows: &[PurchaseRow],
    sale: Sale,
    requester: Requester,
) -> Result<Resolved, Failure> {
    let named: Vec<Option<&Named>> =
        rows.iter().map(|row| row.asked.as_ref().ok().map(|asked| &asked.named)).collect();
    let products = named_products(work, &named, sale.company).await?;
    let near = near_codes(services, &named, &products).await?;
    let mut all: BTreeSet<ProductId> = products.iter().flatten().copied().collect();
    all.extend(near.values().flatten());
    let all: Vec<ProductId> = all.into_iter().collect();
    let context = open(work, sale, all).await?;
    let judge = Judge { work, context: &context, sale, requester };
    let mut offerings: HashMap<ProductId, Offering> = HashMap::new();
    let mut answers = Vec::with_capacity(rows.len());
    for (index, (row, product)) in rows.iter().zip(products).enumerate() {
        answers.push(match &row.asked {
            Err(why) => Err(why.clone().into()),
            Ok(asked) => {
                let near = near.get(&index).map_or(&[][..], Vec::as_slice);
                judge.row(asked, product, near, &mut offerings)
            }
        });
    }
    add_stock(services, &mut offerings).await?;
    Ok(Resolved { rows: answers, offerings })
}

/// What some products are to a company; those that it cannot order are missing.
pub(crate) async fn of_products(
    services: &Services,
    work: &mut Work,
    products: Vec<ProductId>,
    sale: Sale,
    requester: Requester,
) -> Result<HashMap<ProductId, Result<Offering, Refused>>, Failure> {
    work.load_many::<Product>(products.iter().map(|product| product.0)).await?;
    let context = open(work, sale, products.clone()).await?;
    let judge = Judge { work, context: &context, sale, requester };
    let judged = products.into_iter().map(|product| (product, judge.product(Some(product), &[])));
    let mut judged: HashMap<ProductId, Result<Offering, Refused>> = judged.collect();
    let good = judged.values().filter_map(|one| Some(one.as_ref().ok()?.product));
    let levels = levels(services, good.collect()).await?;
    for (product, one) in &mut judged {
        if let Ok(offering) = one {
            offering.stock = levels.get(product).copied().flatten();
        }
    }
    Ok(judged)
}

/// Opens the pricing context of some products, and of what is sold instead of those withdrawn.
async fn open(
    work: &mut Work,
    sale: Sale,
    products: Vec<ProductId>,
) -> Result<PricingContext, Failure> {
    work.load_many::<Product>(products.iter().map(|product| product.0)).await?;
    let mut all: BTreeSet<ProductId> = products.iter().copied().collect();
    let instead: Vec<ProductId> =
        products.iter().flat_map(|product| instead_of(work, *product)).collect();
    work.load_many::<Product>(instead.iter().map(|product| product.0)).await?;
    all.extend(instead);
    PricingContext::open(work, sale, all.into_iter().collect()).await
}

/// What is sold instead of a product that is not sold any more.
fn instead_of(work: &Work, product: ProductId) -> Vec<ProductId> {
    match work.get::<Product>(product) {
        Some(Product::Withdrawn(item)) => {
            let details = item.details();
            details.successor.into_iter().chain(details.substitutes.iter().copied()).collect()
        }
        Some(Product::Undrafted | Product::Drafted(_) | Product::Published(_)) | None => vec![],
    }
}

/// The products that rows name, in their order: two queries at most.
async fn named_products(
    work: &mut Work,
    named: &[Option<&Named>],
    company: CompanyId,
) -> Result<Vec<Option<ProductId>>, Failure> {
    let sku = |sku: &Sku| claim::Value::Sku(sku.clone()).id().0;
    let gtin = |gtin: &domain::Gtin| claim::Value::Gtin(gtin.clone()).id().0;
    let claims: HashSet<Uuid> = named
        .iter()
        .flatten()
        .flat_map(|one| one.sku.as_ref().map(sku).into_iter().chain(one.gtin.as_ref().map(gtin)))
        .collect();
    work.load_many::<Claim>(claims).await?;
    let held = |work: &Work, claim: Uuid| work.get::<Claim>(claim)?.holder().map(ProductId);
    let companies = if named.iter().flatten().any(|one| one.code.is_some()) {
        company_hierarchy::line_of(work, company).await?
    } else {
        vec![]
    };
    // Of what its SKU names, nobody asks what else it is called.
    let unnamed = |work: &Work, one: &Named| {
        one.sku.as_ref().is_none_or(|code| held(work, sku(code)).is_none())
    };
    let codes: HashSet<Uuid> = named
        .iter()
        .flatten()
        .filter(|one| unnamed(work, one))
        .filter_map(|one| one.code.as_ref())
        .flat_map(|code| companies.iter().map(move |company| ProductCodeId::of(*company, code).0))
        .collect();
    work.load_many::<ProductCode>(codes).await?;
    let work = &*work;
    let found = |one: &Named| {
        let by_sku = || held(work, sku(one.sku.as_ref()?));
        let by_code = || {
            let code = one.code.as_ref()?;
            companies.iter().find_map(|company| {
                work.get::<ProductCode>(ProductCodeId::of(*company, code))?.product()
            })
        };
        let by_gtin = || held(work, gtin(one.gtin.as_ref()?));
        one.product.or_else(by_sku).or_else(by_code).or_else(by_gtin)
    };
    Ok(named.iter().map(|one| one.and_then(found)).collect())
}

/// The products with codes near to those that mean nothing, by the index of their row. Of many such
/// codes the first are looked up.
async fn near_codes(
    services: &Services,
    named: &[Option<&Named>],
    products: &[Option<ProductId>],
) -> Result<HashMap<usize, Vec<ProductId>>, Failure> {
    let unknown = named.iter().zip(products).enumerate().filter_map(|(index, (one, product))| {
        let named = one.filter(|_| product.is_none())?;
        let sku = named.sku.as_ref().map(Sku::to_string);
        Some((index, sku.or_else(|| named.code.as_ref().map(ToString::to_string))?))
    });
    let (places, codes): (Vec<usize>, Vec<String>) = unknown.take(near::MOST_CODES).unzip();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let client = services.views.client().await.map_err(unread)?;
    let found = near::near(&client, &codes).await.map_err(unread)?;
    Ok(places.into_iter().zip(found).collect())
}

async fn add_stock(
    services: &Services,
    offerings: &mut HashMap<ProductId, Offering>,
) -> Result<(), Failure> {
    let levels = levels(services, offerings.keys().copied().collect()).await?;
    for (product, offering) in offerings {
        offering.stock = levels.get(product).copied().flatten();
    }
    Ok(())
}

async fn levels(
    services: &Services,
    products: Vec<ProductId>,
) -> Result<HashMap<ProductId, Option<Level>>, Failure> {
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let client = services.views.client().await.map_err(unread)?;
    stock::levels(&client, products).await.map_err(unread)
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
pub(super) fn unread(error: ReadError) -> Failure {
    tracing::warn!(error = &error as &dyn std::error::Error, "a read model is not read");
    Problem::unavailable("the read models do not answer").into()
}

/// What decides on rows, once it is loaded.
struct Judge<'a> {
    work: &'a Work,
    context: &'a PricingContext,
    sale: Sale,
    requester: Requester,
}

impl Judge<'_> {
    fn row(
        &self,
        asked: &Asked,
        product: Option<ProductId>,
        near: &[ProductId],
        offerings: &mut HashMap<ProductId, Offering>,
    ) -> Result<Meant, Refused> {
        let known = product.and_then(|product| offerings.get(&product));
        let product = match known {
            Some(offering) => offering.product,
            None => {
                let offering = self.product(product, near)?;
                let id = offering.product;
                offerings.insert(id, offering);
                id
            }
        };
        let loaded = self.work.get::<Product>(product).and_then(|product| product.item().ok());
        let item = loaded.expect("an offering is of a product that was loaded");
        let packaging = asked.packaging.or_else(|| packaging_of(item, &asked.named));
        let broken = |error: domain::product::Error| {
            Refused::from(RowRefusal::new(refusal(&error).code().to_owned(), error.to_string()))
        };
        let quantity = match packaging {
            Some(packaging) => item.unpacked(asked.quantity, packaging).map_err(broken)?,
            None => asked.quantity,
        };
        if !item.description().unit.divisible() && !quantity.units().is_integer() {
            return Err(broken(domain::product::Error::Indivisible { sku: item.sku().clone() }));
        }
        Ok(Meant { product, quantity, packaging, note: asked.note.clone() })
    }

    /// A product as something to order, or why it is not.
    fn product(&self, product: Option<ProductId>, near: &[ProductId]) -> Result<Offering, Refused> {
        let unknown = || Refused {
            why: RowRefusal::new("row.product_unknown", "there is no such product"),
            near: self.alternatives(near),
            instead: vec![],
        };
        let product = product.and_then(|id| self.work.get::<Product>(id)).ok_or_else(unknown)?;
        if !self.context.shows(self.work, product, self.requester) {
            return Err(match self.requester {
                Requester::Company => unknown(),
                Requester::Seller => {
                    let error = assortment::Error::Outside;
                    RowRefusal::new(refusal(&error).code().to_owned(), error.to_string()).into()
                }
            });
        }
        let item = match product {
            Product::Published(item) => item,
            Product::Withdrawn(item) => {
                let instead = self.alternatives(&instead_of(self.work, item.id()));
                let detail = "the product is no longer sold";
                let why = RowRefusal::new("row.product_withdrawn", detail);
                return Err(Refused { why, near: vec![], instead });
            }
            Product::Undrafted | Product::Drafted(_) => {
                let detail = "the product is not for sale yet";
                return Err(RowRefusal::new("row.product_not_for_sale", detail).into());
            }
        };
        Offering::of(self.work, self.context, item, self.sale).ok_or_else(|| {
            let (sku, currency) = (item.sku().clone(), self.sale.currency);
            let error = domain::product::Error::NoPriceIn { sku, currency };
            RowRefusal::new(refusal(&error).code().to_owned(), error.to_string()).into()
        })
    }

    /// Those of some products that the company sees and can order.
    fn alternatives(&self, products: &[ProductId]) -> Vec<Alternative> {
        let alternative = |id: &ProductId| {
            let product = self.work.get::<Product>(*id)?;
            let item = product.on_sale().ok()?;
            let shown = self.context.shows(self.work, product, self.requester);
            shown.then(|| Alternative {
                product: item.id(),
                sku: item.sku().clone(),
                name: item.description().name.clone(),
            })
        };
        products.iter().filter_map(alternative).collect()
    }
}

/// The packaging whose bar code names a product.
fn packaging_of(item: &Item, named: &Named) -> Option<PackagingName> {
    let gtin = named.gtin.as_ref()?;
    let mut packagings = item.details().packing.packagings.iter();
    let is_it = |known: &domain::Gtin| known.shortest() == gtin.shortest();
    Some(packagings.find(|packaging| packaging.gtin.as_ref().is_some_and(is_it))?.name)
}
