//! A catalogue as large as one gets: written straight into the read models as their events would have
//! left them.

use domain::{AssortmentId, Audience, CompanyId};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::Failure;

/// How large it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) products: i64,
    pub(crate) companies: i64,
    pub(crate) lists: i64,
    pub(crate) prices_of_each: i64,
}

const CATEGORIES: &str = "
    INSERT INTO view.categories (id, title, parent_id, created)
    SELECT md5('c' || n)::uuid, jsonb_build_object('name', 'Kategoria ' || n),
        CASE WHEN n > 104 THEN md5('c' || 9 + (n - 105) / 12)::uuid
            WHEN n > 8 THEN md5('c' || 1 + (n - 9) / 12)::uuid END, n
    FROM generate_series(1, 1256) AS n;
    INSERT INTO view.catalogue_categories (id, path)
    SELECT one.id, ARRAY[one.id] || array_remove(ARRAY[two.id, three.id], NULL)
    FROM view.categories one LEFT JOIN view.categories two ON two.id = one.parent_id
    LEFT JOIN view.categories three ON three.id = two.parent_id;
    INSERT INTO view.catalogue_brands (id, name)
    SELECT md5('b' || n)::uuid, 'Marka ' || n FROM generate_series(1, 2000) AS n";

/// What is sold.
pub(crate) const NOUNS: [&str; 40] = [
    "kawa",
    "herbata",
    "kubek",
    "filizanka",
    "talerz",
    "noz",
    "widelec",
    "lyzka",
    "garnek",
    "patelnia",
    "czajnik",
    "mydlo",
    "szampon",
    "recznik",
    "poduszka",
    "koldra",
    "przescieradlo",
    "lampa",
    "zarowka",
    "kabel",
    "gniazdko",
    "wtyczka",
    "srub",
    "nakretka",
    "wkret",
    "mlotek",
    "wiertlo",
    "pila",
    "szczypce",
    "klucz",
    "farba",
    "pedzel",
    "walek",
    "tasma",
    "klej",
    "zeszyt",
    "dlugopis",
    "olowek",
    "segregator",
    "papier",
];
/// Of what kind it is.
pub(crate) const ADJECTIVES: [&str; 40] = [
    "czarna",
    "biala",
    "zielona",
    "niebieska",
    "czerwona",
    "zolta",
    "mala",
    "duza",
    "srednia",
    "lekka",
    "ciezka",
    "mocna",
    "slaba",
    "gruba",
    "cienka",
    "dluga",
    "krotka",
    "szeroka",
    "waska",
    "miekka",
    "twarda",
    "gladka",
    "szorstka",
    "mokra",
    "sucha",
    "zimna",
    "ciepla",
    "nowa",
    "stara",
    "tania",
    "droga",
    "prosta",
    "krzywa",
    "okragla",
    "kwadratowa",
    "stalowa",
    "drewniana",
    "szklana",
    "plastikowa",
    "bawelniana",
];

/// Names of three words out of some hundreds, a series and a model; from number $1 to $2.
const PRODUCTS: &str = "
    INSERT INTO view.catalogue (id, sku, name, gtin, unit, vat_rate, status, base_prices, details,
        paths, categories, brand_id, sort_name, code_words, name_words, character_words, created)
    SELECT md5('p' || n)::uuid, 'SKU-' || n, initcap(named.name), NULL, 'piece', '23',
        'published', jsonb_build_object('PLN', (10 + n % 900)::text || '.50'),
        jsonb_build_object('categories', jsonb_build_array(md5('c' || 105 + n % 1152)::uuid),
            'character', jsonb_build_object('brand', 'Marka ' || 1 + n % 2000),
            'images', jsonb_build_array('https://img.example/' || n || '.jpg')),
        (SELECT jsonb_build_array(path) FROM view.catalogue_categories
            WHERE id = md5('c' || 105 + n % 1152)::uuid),
        ARRAY[md5('c' || 105 + n % 1152)::uuid], md5('b' || 1 + n % 2000)::uuid, named.name,
        'sku ' || n || ' sku' || n || ' ' || lpad(n::text, 13, '0'), named.name,
        'marka ' || 1 + n % 2000, n
    FROM generate_series($1::bigint, $2::bigint) AS n CROSS JOIN LATERAL (
        SELECT nouns[1 + h % 40] || substr(md5('x' || h % 7), 1, 2 + h % 3) || ' '
            || adjectives[1 + h / 40 % 40] || ' ' || adjectives[1 + h / 1600 % 40] || ' '
            || nouns[1 + h / 64000 % 40] || ' ' || translate(substr(md5('s' || h % 20011), 1, 6),
                '0123456789', 'ghijklmnop') AS name
        FROM (SELECT hashint8(n) & 2147483647 AS h,
            string_to_array($3, ' ') AS nouns, string_to_array($4, ' ') AS adjectives) AS words) AS named";
const PLACES: &str = "
    INSERT INTO view.catalogue_places (place_id, product_id, name, sku, created, published)
    SELECT place, product.id, sort_name, sku, created, true
    FROM view.catalogue product JOIN view.catalogue_categories category
        ON category.id = product.categories[1]
    CROSS JOIN unnest(category.path || ARRAY['00000000-0000-0000-0000-000000000000'::uuid, brand_id])
        AS place;
    INSERT INTO view.catalogue_counts (categories, brand_id, in_stock, products)
    SELECT categories, brand_id, in_stock, count(*) FROM view.catalogue
    GROUP BY categories, brand_id, in_stock;
    INSERT INTO view.catalogue_words
    SELECT DISTINCT regexp_split_to_table('sku ' || name_words || ' ' || character_words, ' ')
    FROM view.catalogue";
/// A company in five belongs to another; each group has a list, every tenth company a contract.
const COMPANIES: &str = "
    INSERT INTO view.companies (id, name, tax_id, standing, parent_id, group_code, created)
    SELECT md5('f' || n)::uuid, 'Firma ' || n, '{}', '{}',
        CASE WHEN n % 5 = 0 THEN md5('f' || n - 1)::uuid END, 'g' || n % $2::bigint, n
    FROM generate_series(1, $1::bigint) AS n";
const LISTS: &str = "
    INSERT INTO view.price_agreements (id, header, status, created)
    SELECT md5('a' || n)::uuid, jsonb_build_object('name', 'Cennik ' || n, 'currency', 'PLN',
        'yields', false, 'audience', CASE WHEN n = 0 THEN '{\"kind\": \"everyone\"}'::jsonb
            WHEN n <= $2::bigint THEN jsonb_build_object('kind', 'group', 'group', 'g' || n % $2::bigint)
            ELSE jsonb_build_object('kind', 'company', 'company', md5('f' || (n - $2::bigint) * 10)::uuid)
        END), 'active', n
    FROM generate_series(0, $1::bigint - 1) AS n";
/// Agreed on before anything that the log has.
const PRICES: &str = "
    INSERT INTO view.prices (agreement_id, selected, days, selection, of_product, breaks, agreed)
    SELECT md5('a' || $1::bigint)::uuid, id, '{}', jsonb_build_object('kind', 'product', 'product', id),
        true,
        CASE WHEN n % 3 = 0 THEN jsonb_build_array(
                jsonb_build_object('value', jsonb_build_object('kind', 'fixed', 'price', price || '.40')),
                jsonb_build_object('at_least', '100', 'value',
                    jsonb_build_object('kind', 'fixed', 'price', price || '.20')))
            ELSE jsonb_build_array(jsonb_build_object('value',
                jsonb_build_object('kind', 'percent_off', 'percent', (1 + n % 30)::text))) END,
        -($1::bigint + 1) * 1000000 - n
    FROM (SELECT n, n % 900 AS price, md5('p' || 1 + (n * 7919 + $1::bigint) % $3::bigint)::uuid AS id
        FROM generate_series(1, $2::bigint) AS n) AS priced";
const CATEGORY_PRICES: &str = "
    INSERT INTO view.prices (agreement_id, selected, days, selection, of_product, breaks, agreed)
    SELECT md5('a' || list)::uuid, id, '{}',
        jsonb_build_object('kind', 'category', 'category', id), false,
        '[{\"value\": {\"kind\": \"percent_off\", \"percent\": \"5\"}}]',
        -(list + 1) * 1000000 - 900000 - n
    FROM generate_series(1, $1::bigint - 1) AS list, generate_series(1, 20) AS n
    CROSS JOIN LATERAL (SELECT md5('c' || 9 + (list * 31 + n) % 1000)::uuid AS id) AS category
    ON CONFLICT DO NOTHING";

const COMPANY: &str = "SELECT md5('f' || $1::bigint)::uuid";
const DENY_ALL: &str = "
    INSERT INTO view.assortments
        (assortment_id, selected, audience, selection, verdict, of_product, ruled)
    VALUES ($1, 'everything', '{}', '{\"kind\": \"everything\"}', 'denied', false, $2::bigint)";
const ON_CATEGORIES: &str = "
    INSERT INTO view.assortments
        (assortment_id, selected, audience, selection, verdict, of_product, ruled)
    SELECT $1, id, '{}', jsonb_build_object('kind', 'category', 'category', id), $3::text, false, $2::bigint + n
    FROM generate_series(1, $4::bigint) AS n CROSS JOIN LATERAL (
        SELECT md5('c' || 105 + ($2::bigint / 1000 * 37 + n * 11) % 1152)::uuid::text AS id) AS category";
const PICK: &str = "
    INSERT INTO view.assortments
        (assortment_id, selected, audience, selection, verdict, of_product, ruled)
    SELECT $1, id, '{}', jsonb_build_object('kind', 'product', 'product', id), 'allowed', true,
        $2::bigint + row_number() OVER ()
    FROM (SELECT id FROM view.catalogue WHERE created % 1000 = $2::bigint / 1000 % 1000 LIMIT 500) AS product";
const STAND: &str = "
    INSERT INTO view.catalogue_places (place_id, product_id, name, sku, created, published)
    SELECT $1, id, sort_name, sku, created, true FROM view.catalogue
    JOIN view.assortments ON assortment_id = $1 AND selected = id::text";

/// Fills the read models, without their indexes, and makes these again.
pub(crate) async fn fill(client: &Client, size: Size) -> Result<(), Failure> {
    let Size { products, companies, lists, prices_of_each } = size;
    client
        .batch_execute(
            "SET maintenance_work_mem = '1GB'; SET work_mem = '256MB';
            SET synchronous_commit = off; SET max_parallel_maintenance_workers = 2",
        )
        .await?;
    let indexes = without_indexes(client).await?;
    let groups = lists * 3 / 4;
    client.batch_execute(CATEGORIES).await?;
    let (nouns, adjectives) = (NOUNS.join(" "), ADJECTIVES.join(" "));
    for from in (1..=products).step_by(100_000) {
        client
            .execute(PRODUCTS, &[&from, &products.min(from + 99_999), &nouns, &adjectives])
            .await?;
    }
    client.batch_execute(PLACES).await?;
    client.execute(COMPANIES, &[&companies, &groups]).await?;
    client.execute(LISTS, &[&lists, &groups]).await?;
    for list in 0..lists {
        client.execute(PRICES, &[&list, &prices_of_each, &products]).await?;
    }
    client.execute(CATEGORY_PRICES, &[&lists]).await?;
    assortments(client, groups, companies).await?;
    for index in indexes {
        client.batch_execute(&index).await?;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

/// A group in four sees some categories only, and another in four not all; the hundredth company
/// sees five hundred products only.
async fn assortments(client: &Client, groups: i64, companies: i64) -> Result<(), Failure> {
    for n in 0..groups {
        let group = format!("g{n}").parse()?;
        let id = AssortmentId::of(&Audience::Group { group }).0;
        match n % 4 {
            0 => {
                client.execute(DENY_ALL, &[&id, &(n * 1_000)]).await?;
                client.execute(ON_CATEGORIES, &[&id, &(n * 1_000), &"allowed", &60_i64]).await?;
            }
            1 => {
                client.execute(ON_CATEGORIES, &[&id, &(n * 1_000), &"denied", &20_i64]).await?;
            }
            _ => {}
        }
    }
    for n in (100..=companies).step_by(100) {
        let company: Uuid = client.query_one(COMPANY, &[&n]).await?.get(0);
        let id = AssortmentId::of(&Audience::Company { company: CompanyId(company) }).0;
        let number = (n + 1_000) * 1_000;
        client.execute(DENY_ALL, &[&id, &number]).await?;
        client.execute(PICK, &[&id, &number]).await?;
        client.execute(STAND, &[&id]).await?;
    }
    Ok(())
}

/// Drops the indexes that no constraint needs; says how to make them again.
async fn without_indexes(client: &Client) -> Result<Vec<String>, Failure> {
    const INDEXES: &str = "
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'view'::regnamespace AND NOT indisunique";
    let mut definitions = Vec::new();
    for row in client.query(INDEXES, &[]).await? {
        client.batch_execute(&format!("DROP INDEX {}", row.get::<_, &str>(0))).await?;
        definitions.push(row.get(1));
    }
    Ok(definitions)
}
