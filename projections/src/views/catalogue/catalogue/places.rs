//! Where products of the catalogue are found, and how many of them.

use std::collections::BTreeSet;

use domain::{Name, Selection, assortment};
use uuid::Uuid;

use crate::{Change, projection::change, words};

/// The place of all products.
pub const EVERYTHING: Uuid = Uuid::nil();

/// The place of what is there to be sold.
pub const IN_STOCK: Uuid = Uuid::from_u128(0xe3a1_6d0c_4f27_4b98_8c55_71fe_029d_b648);

/// The place of a brand's products, however it is written.
pub fn brand(name: &str) -> Uuid {
    /// Separates these from other name-based UUIDs: a random constant.
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

/// The products in a category or below it.
macro_rules! below {
    () => {
        "product.categories && ARRAY(SELECT id FROM catalogue_categories WHERE $1 = ANY(path))"
    };
}

/// Products leave their categories.
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

/// Products learn the paths of their categories.
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

/// Products stand in their categories and those above them.
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

/// A product for sale counts.
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

/// It counts no more where its row says.
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

/// A product stands in a place.
pub(super) fn stands(product: Uuid, place: Uuid) -> Change {
    change!(STAND, product, place)
}

/// It is found wherever it stands.
pub(super) fn opened_to_all(product: Uuid) -> Change {
    change!(PUBLISH, product)
}

/// It stands there no more.
pub(super) fn leaves(product: Uuid, place: Uuid) -> Change {
    change!(LEAVE, product, place)
}

/// It is found nowhere any more.
pub(super) fn left(product: Uuid) -> Change {
    change!(LEAVE_ALL, product)
}

/// Its categories are others; the row says which.
pub(super) fn categorized(product: Uuid) -> Vec<Change> {
    vec![
        change!(learn_paths!(itself), product),
        change!(leave_categories!(itself), product),
        change!(enter_categories!(itself), product),
    ]
}

/// The brand that the row says is its brand no more.
pub(super) fn unbranded(product: Uuid) -> Change {
    change!(LEAVE_BRAND, product)
}

/// It is of a brand.
pub(super) fn branded(product: Uuid, name: &Name) -> Vec<Change> {
    let id = brand(name.as_str());
    vec![stands(product, id), change!(NAME_BRAND, id, name.to_string())]
}

/// It is sorted by another name.
pub(super) fn renamed(product: Uuid, name: String) -> Change {
    change!(RENAME, product, name)
}

/// The row as it is now counts, if it is for sale.
pub(super) fn counted(product: Uuid) -> Change {
    change!(COUNT, product)
}

/// The row as it is now counts no more.
pub(super) fn uncounted(product: Uuid) -> Change {
    change!(UNCOUNT, product)
}

/// It counts among what is there or what is not from now on; the row does not say so yet.
pub(super) fn recounted(product: Uuid, in_stock: bool) -> [Change; 2] {
    [change!(UNCOUNT_UNLESS, product, in_stock), change!(COUNT_AS, product, in_stock)]
}

/// These are words of the catalogue, with a space between them.
pub(super) fn known(words: &str) -> Change {
    let words: BTreeSet<&str> = words.split_ascii_whitespace().collect();
    change!(KNOW, words.into_iter().map(ToOwned::to_owned).collect::<Vec<String>>())
}

/// A category grows from another.
pub(super) fn opened(id: Uuid, parent: Option<Uuid>) -> Vec<Change> {
    vec![change!(OPEN, id, parent)]
}

/// A category stands elsewhere, with all that is below it.
pub(super) fn moved(id: Uuid, parent: Option<Uuid>) -> Vec<Change> {
    vec![
        change!(leave_categories!(below), id),
        change!(MOVE, id, parent),
        change!(learn_paths!(below), id),
        change!(enter_categories!(below), id),
    ]
}

/// What an audience is allowed to see by itself is a place too.
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
