//! Codes of products that are near to a code that no product has: its neighbours in the order of
//! codes, and those that differ only in case or in what separates their parts.

use std::collections::BTreeSet;

use domain::ProductId;
use tokio_postgres::Client;
use uuid::Uuid;

use super::EVERYTHING;
use crate::{ReadError, words};

const NEIGHBOURS: &str = "
    SELECT wanted.number, near.product_id, near.sku
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (code, number)
    CROSS JOIN LATERAL (
        (SELECT product_id, sku FROM view.catalogue_places
            WHERE place_id = $2 AND published AND sku >= wanted.code
            ORDER BY place_id, sku, created LIMIT 25)
        UNION ALL
        (SELECT product_id, sku FROM view.catalogue_places
            WHERE place_id = $2 AND published AND sku < wanted.code
            ORDER BY place_id DESC, sku DESC, created DESC LIMIT 25)) AS near";
const ALIKE: &str = "
    SELECT wanted.number, near.id, near.sku
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (query, number)
    CROSS JOIN LATERAL (
        SELECT id, sku FROM view.catalogue
        WHERE status = 'published' AND words @@ wanted.query::tsquery LIMIT 25) AS near";

/// How many codes are looked up at most.
pub const MOST_CODES: usize = 20;
/// How many products are near to a code at most.
const MOST: usize = 5;

/// For each of some codes the products with the nearest codes, the nearest first. Of further codes
/// than [`MOST_CODES`] none is found.
pub async fn near(client: &Client, codes: &[String]) -> Result<Vec<Vec<ProductId>>, ReadError> {
    let asked: Vec<&str> = codes.iter().map(String::as_str).take(MOST_CODES).collect();
    let folded: Vec<String> = asked.iter().map(|code| words::whole(code)).collect();
    // What is folded to nothing is like nothing; no code has this word.
    let queries: Vec<String> = folded
        .iter()
        .map(|code| if code.is_empty() { "'-'".to_owned() } else { format!("'{code}':*A") })
        .collect();
    let mut found: Vec<BTreeSet<(usize, String, Uuid)>> = vec![BTreeSet::new(); codes.len()];
    if asked.is_empty() {
        return Ok(vec![]);
    }
    let neighbours = client.query(NEIGHBOURS, &[&asked, &EVERYTHING]).await?;
    let alike = client.query(ALIKE, &[&queries]).await?;
    for row in neighbours.iter().chain(&alike) {
        let (number, id, sku): (i64, Uuid, String) = (row.get(0), row.get(1), row.get(2));
        let Some(place) = usize::try_from(number - 1).ok() else { continue };
        let Some(code) = folded.get(place) else { continue };
        let distance = strsim::osa_distance(code, &words::whole(&sku));
        // One wrong letter in three is a slip; more is another code.
        if distance <= (code.len() / 3).min(3) {
            found[place].insert((distance, sku, id));
        }
    }
    let nearest = |set: BTreeSet<(usize, String, Uuid)>| {
        set.into_iter().take(MOST).map(|(_, _, id)| ProductId(id)).collect()
    };
    Ok(found.into_iter().map(nearest).collect())
}
