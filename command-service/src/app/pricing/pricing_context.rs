//! The pricing context of a company: its assortment, price agreements and earned discounts.

use std::collections::HashMap;

use domain::{
    Audience, CompanyId, Currency, Discount, DiscountId, Percent, Price, PriceAgreement, PricedBy,
    Product, ProductId, Purchases, PurchasesId, Quantity, UnitPrice,
    discount::{self, Programme},
    pricing::{self, ExplainedStep, Place, Question, Resolution},
    product::Item,
};
use event_log::Work;
use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    app::catalogue::{
        assortment_context::{AssortmentContext, Requester},
        category_paths,
    },
    failure::Failure,
};

/// Which prices a request may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prices {
    /// None: prices come from agreements and price lists.
    Listed,
    /// Optional: missing prices come from agreements and price lists.
    Agreed,
    /// Optional prices that the company asks for; missing ones come from agreements and price
    /// lists.
    Requested,
    /// Required: every line must have a price.
    Given,
}

/// The purpose of the lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sale {
    /// The company.
    pub(crate) company: CompanyId,
    /// The currency.
    pub(crate) currency: Currency,
    /// Which prices the request may contain.
    pub(crate) prices: Prices,
    /// The day of the document, which determines the VAT rate.
    pub(crate) on: Date,
}

/// The facts that decide what one company sees and pays. All of them are loaded, and the append
/// asserts them.
pub(crate) struct PricingContext {
    sale: Sale,
    assortment_context: AssortmentContext,
    places: HashMap<ProductId, Vec<Place>>,
    /// The discounts that the company has earned.
    earned: Option<Percent>,
}

impl PricingContext {
    /// Loads the facts for products, with a constant number of queries.
    pub(crate) async fn open(
        work: &mut Work,
        sale: Sale,
        products: Vec<ProductId>,
    ) -> Result<Self, Failure> {
        let assortment_context = AssortmentContext::open(work, sale.company, &products).await?;
        let audiences = &assortment_context.audiences;
        let places: HashMap<ProductId, Vec<Place>> = products
            .into_iter()
            .map(|product| {
                let paths = category_paths::paths(work, product);
                (product, pricing::places(audiences, product, &paths, sale.currency))
            })
            .collect();
        let ids: Vec<Uuid> = places.values().flatten().map(|place| place.id().0).collect();
        let found = work.load_many::<Price>(ids).await?;
        let rules = found.iter().filter_map(|(id, _)| work.get::<Price>(*id));
        let agreements: Vec<Uuid> = rules.flat_map(Price::agreements).map(Uuid::from).collect();
        work.load_many::<PriceAgreement>(agreements).await?;
        let earned = earned(work, sale, audiences).await?;
        Ok(Self { sale, assortment_context, places, earned })
    }

    /// Whether the requester may name a product.
    pub(crate) fn shows(&self, work: &Work, product: &Product, requester: Requester) -> bool {
        self.assortment_context.shows(work, product, requester)
    }

    /// The price of one unit in a quantity, and the rules that made it.
    pub(crate) fn price(
        &self,
        work: &Work,
        item: &Item,
        quantity: Quantity,
    ) -> Option<(UnitPrice, PricedBy)> {
        let Resolution { price, made_by, .. } = self.resolve(work, item, quantity);
        price.zip(made_by.map(PricedBy::without_floor))
    }

    /// What the company pays for one unit from a quantity on, and what makes that.
    pub(crate) fn steps(&self, work: &Work, item: &Item, from: Quantity) -> Vec<ExplainedStep> {
        pricing::explained_steps(&self.question(work, item, from))
    }

    fn resolve(&self, work: &Work, item: &Item, quantity: Quantity) -> Resolution {
        pricing::resolve(&self.question(work, item, quantity))
    }

    fn question<'a>(&'a self, work: &'a Work, item: &Item, quantity: Quantity) -> Question<'a> {
        let places = self.places.get(&item.id()).map_or(&[][..], Vec::as_slice);
        let candidates = places
            .iter()
            .filter_map(|place| Some((place, work.get::<Price>(place.id())?)))
            .flat_map(|(place, price)| price.rules().iter().map(move |rule| (place, rule)))
            .filter_map(|(place, rule)| {
                Some(place.candidate(rule, work.get::<PriceAgreement>(rule.agreement)?))
            })
            .collect();
        let base = item.base_price(self.sale.currency);
        let (on, earned, floor) = (self.sale.on, self.earned, item.floor(self.sale.currency));
        Question { on, quantity, base, earned, floor, candidates }
    }
}

/// The discounts that a company has earned; purchases are loaded only if there is a programme.
async fn earned(
    work: &mut Work,
    sale: Sale,
    audiences: &[Audience],
) -> Result<Option<Percent>, Failure> {
    let kinds = [discount::Kind::Turnover, discount::Kind::Orders];
    let ids: Vec<Uuid> = audiences
        .iter()
        .flat_map(|audience| kinds.map(|kind| DiscountId::of(audience, kind).0))
        .collect();
    work.load_many::<Discount>(ids.iter().copied()).await?;
    let programme = |work: &Work, id: &Uuid| work.get::<Discount>(*id)?.programme().cloned();
    let programmes: Vec<Programme> = ids.iter().filter_map(|id| programme(work, id)).collect();
    if programmes.is_empty() {
        return Ok(None);
    }
    let purchases = work.load::<Purchases>(PurchasesId::of(sale.company)).await?;
    Ok(discount::earned(&programmes, purchases, sale.on))
}
