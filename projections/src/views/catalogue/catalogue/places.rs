//! Access paths of the catalogue, and the number of products by category, brand and stock.

use std::collections::BTreeSet;

use domain::{Name, Selection, assortment};
use uuid::Uuid;

use crate::{Change, projection::change, words};

/// The access path of all products.
pub const EVERYTHING: Uuid = Uuid::nil();

/// The access path of products in stock.
pub const IN_STOCK: Uuid = Uuid::from_u128(0xe3a1_6d0c_4f27_4b98_8c55_71fe_029d_b648);

/// The access path of a brand, independent of its spelling.
pub fn brand(name: &str) -> Uuid {
    /// The namespace of these UUIDs: a random constant.
    const NAMESPACE: Uuid = Uuid::from_u128(0x51c8_3f0e_7b9d_4e26_a6d1_08f4_92eb_6c35);
    Uuid::new_v5(&NAMESPACE, words::spelled([name]).as_bytes())
}

const STAND: &str = "
    INSERT INTO catalogue_places (place_id, product_id, name, sku, created, published)
    SELECT $2, id, sort_name, sku, created, status = 'published' FROM catalogue
    WHERE id = $1 AND status <> 'withdrawn'
    ON CONFLICT DO NOTHING";
const LEAVE: &str = "DELETE FROM catalogue_places WHERE product_id = $1 AND place_id = $2";
const LEAVE_ALL: &str = "DELETE FROM catalogue_places WHERE product_id = $1";
const LEAVE_BRAND: &str = "
    DELETE FROM catalogue_places USING catalogue product
    WHERE product.id = $1 AND product_id = $1 AND place_id = product.brand_id";

/// One product.
macro_rules! itself {
    () => {
        "product.id = $1"
    };
}

/// The products of a category and its subcategories.
macro_rules! below {
    () => {
        "product.categories && ARRAY(SELECT id FROM catalogue_categories WHERE $1 = ANY(path))"
    };
}

/// Removes products from the access paths of their categories.
macro_rules! leave_categories {
    ($which:ident) => {
        concat!(
            "DELETE FROM catalogue_places
            USING catalogue_categories category, catalogue product
            WHERE place_id = category.id AND product_id = product.id AND ",
            $which!()
        )
    };
}

/// Updates the category paths of products.
macro_rules! learn_paths {
    ($which:ident) => {
        concat!(
            "UPDATE catalogue product SET paths = coalesce((
                SELECT jsonb_agg(path ORDER BY category.id) FROM catalogue_categories category
                WHERE category.id = ANY(product.categories)), '[]')
            WHERE ",
            $which!()
        )
    };
}

/// Adds products to the access paths of their categories and those above them.
macro_rules! enter_categories {
    ($which:ident) => {
        concat!(
            "INSERT INTO catalogue_places (place_id, product_id, name, sku, created, published)
            SELECT DISTINCT place, product.id, product.sort_name, product.sku, product.created,
                product.status = 'published'
            FROM catalogue product
            JOIN catalogue_categories category ON category.id = ANY(product.categories)
            CROSS JOIN unnest(category.path) AS place
            WHERE product.status <> 'withdrawn' AND ",
            $which!(),
            " ON CONFLICT DO NOTHING"
        )
    };
}

/// Counts a published product.
macro_rules! count {
    (as $in_stock:literal, if $condition:literal) => {
        concat!(
            "INSERT INTO catalogue_counts (categories, brand_id, in_stock, products)
            SELECT categories, brand_id, ",
            $in_stock,
            ", 1 FROM catalogue WHERE id = $1 AND status = 'published' AND ",
            $condition,
            " ON CONFLICT (categories, brand_id, in_stock)
                DO UPDATE SET products = catalogue_counts.products + 1"
        )
    };
}

/// Subtracts a product with the values of its row.
macro_rules! uncount {
    (if $condition:literal) => {
        concat!(
            "UPDATE catalogue_counts count SET products = products - 1 FROM catalogue product
            WHERE product.id = $1 AND product.status = 'published'
                AND count.categories = product.categories AND count.in_stock = product.in_stock
                AND count.brand_id IS NOT DISTINCT FROM product.brand_id AND ",
            $condition
        )
    };
}

const PUBLISH: &str = "UPDATE catalogue_places SET published = true WHERE product_id = $1";
const RENAME: &str = "UPDATE catalogue_places SET name = $2 WHERE product_id = $1";
const NAME_BRAND: &str = "
    INSERT INTO catalogue_brands (id, name) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET name = $2";
const OPEN: &str = "
    INSERT INTO catalogue_categories (id, path)
    SELECT $1, $1::uuid || coalesce((SELECT path FROM catalogue_categories WHERE id = $2), '{}')
    ON CONFLICT DO NOTHING";
const MOVE: &str = "
    UPDATE catalogue_categories SET path = path[:array_position(path, $1)]
        || coalesce((SELECT path FROM catalogue_categories WHERE id = $2), '{}')
    WHERE $1 = ANY(path)";
const COUNT: &str = count!(as "in_stock", if "true");
const UNCOUNT: &str = uncount!(if "true");
const COUNT_AS: &str = count!(as "$2", if "in_stock <> $2");
const UNCOUNT_UNLESS: &str = uncount!(if "product.in_stock <> $2");
const KNOW: &str = "
    INSERT INTO catalogue_words (word) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING";

/// Adds a product to an access path.
pub(super) fn stands(product: Uuid, place: Uuid) -> Change {
    change!(STAND, product, place)
}

/// Publishes a product in its access paths.
pub(super) fn opened_to_all(product: Uuid) -> Change {
    change!(PUBLISH, product)
}

/// Removes a product from an access path.
pub(super) fn leaves(product: Uuid, place: Uuid) -> Change {
    change!(LEAVE, product, place)
}

/// Hides a product from its access paths.
pub(super) fn left(product: Uuid) -> Change {
    change!(LEAVE_ALL, product)
}

/// Updates the access paths after a change of its categories.
pub(super) fn categorized(product: Uuid) -> Vec<Change> {
    vec![
        change!(learn_paths!(itself), product),
        change!(leave_categories!(itself), product),
        change!(enter_categories!(itself), product),
    ]
}

/// Removes the product from the access path of its brand.
pub(super) fn unbranded(product: Uuid) -> Change {
    change!(LEAVE_BRAND, product)
}

/// Adds the product to the access path of a brand.
pub(super) fn branded(product: Uuid, name: &Name) -> Vec<Change> {
    let id = brand(name.as_str());
    vec![stands(product, id), change!(NAME_BRAND, id, name.to_string())]
}

/// Updates the sort key of a product.
pub(super) fn renamed(product: Uuid, name: String) -> Change {
    change!(RENAME, product, name)
}

/// Counts the product with the current values of its row, if it is published.
pub(super) fn counted(product: Uuid) -> Change {
    change!(COUNT, product)
}

/// Subtracts the product with the current values of its row.
pub(super) fn uncounted(product: Uuid) -> Change {
    change!(UNCOUNT, product)
}

/// Moves the product between in stock and out of stock, before its row changes.
pub(super) fn recounted(product: Uuid, in_stock: bool) -> [Change; 2] {
    [change!(UNCOUNT_UNLESS, product, in_stock), change!(COUNT_AS, product, in_stock)]
}

/// Adds words to the dictionary of the catalogue.
pub(super) fn known(words: &str) -> Change {
    let words: BTreeSet<&str> = words.split_ascii_whitespace().collect();
    change!(KNOW, words.into_iter().map(ToOwned::to_owned).collect::<Vec<String>>())
}

/// Adds a category below another.
pub(super) fn opened(id: Uuid, parent: Option<Uuid>) -> Vec<Change> {
    vec![change!(OPEN, id, parent)]
}

/// Moves a category with its subcategories.
pub(super) fn moved(id: Uuid, parent: Option<Uuid>) -> Vec<Change> {
    vec![
        change!(leave_categories!(below), id),
        change!(MOVE, id, parent),
        change!(learn_paths!(below), id),
        change!(enter_categories!(below), id),
    ]
}

/// The access path of products that an audience is allowed individually.
pub(super) fn ruled(assortment: Uuid, event: &assortment::Event) -> Vec<Change> {
    use assortment::Event as E;
    let (E::Allowed { selection, .. } | E::Denied { selection, .. } | E::Lifted { selection, .. }) =
        event;
    let Selection::Product { product } = selection else { return vec![] };
    vec![match event {
        E::Allowed { .. } => stands(product.0, assortment),
        E::Denied { .. } | E::Lifted { .. } => leaves(product.0, assortment),
    }]
}
