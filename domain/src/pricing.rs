//! Pricing: what a product costs a company, and why.

pub mod discount;
pub mod price;
pub mod price_agreement;
pub mod purchases;
pub mod resolve;

use crate::kernel::events::events;

pub use discount::Discount;
pub use price::Price;
pub use price_agreement::PriceAgreement;
pub use purchases::Purchases;
pub use resolve::{
    Candidate, Considered, ExplainedStep, Place, Question, Resolution, Step, Verdict,
    explained_steps, places, resolve, selections, steps,
};

events! {
    /// Of a discount programme.
    Discount(discount),
    /// Of prices.
    Price(price),
    /// Of a price agreement.
    PriceAgreement(price_agreement),
    /// Of what a company buys.
    Purchases(purchases),
}
