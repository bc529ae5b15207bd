//! The assortment of one company: which products it sees.

use domain::{Assortment, AssortmentId, Audience, CompanyId, Product, ProductId, assortment};
use event_log::Work;

use crate::{
    app::{catalogue::category_paths, parties::company_hierarchy},
    failure::Failure,
};

/// Who says what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// The company: what it does not see, or was never for sale, does not exist.
    Company,
    /// The seller for it: what it does not see is said to be outside its assortment.
    Seller,
}

/// What decides on what one company sees; all of it is loaded, and asserted by the append.
pub(crate) struct AssortmentContext {
    pub(crate) audiences: Vec<Audience>,
}

impl AssortmentContext {
    /// Loads the facts for some products, which are loaded: a few queries, however many there are.
    pub(crate) async fn open(
        work: &mut Work,
        company: CompanyId,
        products: &[ProductId],
    ) -> Result<Self, Failure> {
        let audiences = company_hierarchy::audiences_of(work, company).await?;
        category_paths::load(work, products).await?;
        work.load_many::<Assortment>(audiences.iter().map(|one| AssortmentId::of(one).0)).await?;
        Ok(Self { audiences })
    }

    /// Whether a product can be spoken of.
    pub(crate) fn shows(&self, work: &Work, product: &Product, requester: Requester) -> bool {
        if requester == Requester::Company && !product.is_known() {
            return false;
        }
        let Ok(item) = product.item() else { return false };
        let rules = self.audiences.iter().map(AssortmentId::of);
        let rules = rules.filter_map(|id| work.get::<Assortment>(id));
        assortment::sees(rules, item.id(), &category_paths::paths(work, item.id()))
    }
}
