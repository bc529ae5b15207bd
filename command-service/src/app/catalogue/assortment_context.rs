//! The assortment of one company: which products it sees.

use domain::{Assortment, AssortmentId, Audience, CompanyId, Product, ProductId, assortment};
use event_log::Work;

use crate::{
    app::{catalogue::category_paths, parties::company_hierarchy},
    failure::Failure,
};

/// Who requests the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// The company: a product outside its assortment does not exist for it.
    Company,
    /// The seller on behalf of the company: the error says that a product is outside the
    /// assortment.
    Seller,
}

/// The facts that decide what one company sees. All of them are loaded, and the append asserts
/// them.
pub(crate) struct AssortmentContext {
    pub(crate) audiences: Vec<Audience>,
}

impl AssortmentContext {
    /// Loads the facts for products that are loaded, with a constant number of queries.
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

    /// Whether the requester may name a product.
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
