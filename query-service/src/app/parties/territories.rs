//! Assignment of representatives to companies.

use domain::territories::Map;
use projections::views::parties::territories;
use service_kit::permissions::Sales;
use service_kit::problem::Problem;

use crate::{
    Queries,
    asker::{Asker, problem},
};

/// The assignment of representatives to companies.
pub async fn show(queries: &Queries, asker: &Asker) -> Result<Map, Problem> {
    asker.require::<Sales>()?;
    let client = asker.client(queries, &[territories::PROJECTION.name]).await?;
    territories::holding(&client).await.map_err(problem)
}
