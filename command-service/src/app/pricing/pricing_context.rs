//! The pricing context at which a company buys: its assortment, and its prices.

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

/// Who says what a line costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prices {
    /// Agreements and lists alone.
    Listed,
    /// The request, and agreements and lists where it says nothing.
    Agreed,
    /// The same for a company that says what it wants to pay.
    Requested,
    /// The request alone: every line must have a price.
    Given,
}

/// What the lines are for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sale {
    /// To whom.
    pub(crate) company: CompanyId,
    /// In which currency.
    pub(crate) currency: Currency,
    /// Who says what they cost.
    pub(crate) prices: Prices,
    /// The day of the document: the tax is that of this day.
    pub(crate) on: Date,
}

/// What decides on what one company sees and pays; all of it is loaded, and asserted by the append.
pub(crate) struct PricingContext {
    sale: Sale,
    assortment_context: AssortmentContext,
    places: HashMap<ProductId, Vec<Place>>,
    /// What the company has earned by its purchases.
    earned: Option<Percent>,
}

impl PricingContext {
    /// Loads the facts for some products: a few queries, however many there are.
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

    /// Whether a product can be spoken of.
    pub(crate) fn shows(&self, work: &Work, product: &Product, requester: Requester) -> bool {
        self.assortment_context.shows(work, product, requester)
    }

    /// What the company pays for one unit when it buys so many, and what made that.
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

/// What a company has earned by its purchases; of these nothing is loaded without a programme.
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
