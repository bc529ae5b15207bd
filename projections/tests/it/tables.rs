//! The tables of all read models as PostgreSQL has them: nothing that grows without a bound is in an
//! index, and no key is unique unless something makes it so.

use std::collections::BTreeMap;

use projections::views;
use tokio_postgres::Client;

use crate::trade::Instance;

/// The longest entry of a btree: a third of a page of 8 kB. It is refused, not shortened.
const BTREE: usize = 2_704;
/// What all words of a tsvector may take.
const TSVECTOR: usize = 1 << 20;
/// How much longer than its words a tsvector may be, in tenths: see `Bounds` of the catalogue.
const TENTHS_OF_WORDS: usize = 25;

/// What makes a key unique: every statement that inserts one meets the row that is there
/// (`ON CONFLICT`), or a rule of commands lets it be made once.
const UNIQUE: &[(&str, Guard)] = &[
    ("account_balances(company_id, currency)", Guard::Merged),
    ("approval_rules(company_id)", Guard::Derived("ApprovalRulesId::of the company")),
    ("approval_rules(id)", Guard::Merged),
    ("approvals(created)", Guard::Position),
    ("assortments(assortment_id, selected)", Guard::Merged),
    ("assortments(ruled)", Guard::Position),
    ("bought_products(company_id, product_id)", Guard::Merged),
    ("cart_lines(cart_id, line)", Guard::Merged),
    ("carts(created)", Guard::Position),
    ("carts(id)", Guard::Stream),
    ("backorders(created)", Guard::Position),
    ("backorders(order_id, line, product_id)", Guard::Merged),
    ("catalogue(created)", Guard::Position),
    ("catalogue(id)", Guard::Stream),
    ("catalogue(sku)", Guard::Claimed("Claim on the SKU, in the append that drafts the product")),
    ("catalogue_brands(id)", Guard::Merged),
    ("catalogue_categories(id)", Guard::Merged),
    ("catalogue_counts(categories, brand_id, in_stock)", Guard::Merged),
    ("catalogue_places(product_id, place_id)", Guard::Merged),
    ("catalogue_words(word)", Guard::Merged),
    ("categories(created)", Guard::Position),
    ("categories(id)", Guard::Stream),
    ("companies(created)", Guard::Position),
    ("companies(id)", Guard::Stream),
    ("conversation_messages(conversation_id, number)", Guard::Numbered("Conversation counts")),
    ("conversation_notes(conversation_id, \"position\")", Guard::Position),
    ("conversation_reads(conversation_id, by_id, up_to)", Guard::Merged),
    ("conversations(id)", Guard::Merged),
    ("conversations(newest)", Guard::Position),
    ("credit_account_holders(account_id)", Guard::Merged),
    ("credit_accounts(company_id, currency)", Guard::Merged),
    ("credit_holds(order_id)", Guard::Merged),
    ("discounts(id)", Guard::Merged),
    ("discounts(offered)", Guard::Position),
    ("employees(created)", Guard::Position),
    ("employees(id)", Guard::Stream),
    ("goods_return_lines(goods_return_id, line)", Guard::Numbered("the lines of one request")),
    ("goods_returns(created)", Guard::Position),
    ("goods_returns(id)", Guard::Stream),
    ("inboxes(id)", Guard::Stream),
    ("inboxes(\"position\")", Guard::Position),
    ("invoice_buyers(company_id)", Guard::Stream),
    ("invoices(created)", Guard::Position),
    ("invoices(id)", Guard::Stream),
    ("invoices(number)", Guard::Claimed("Series, in the append that issues the document")),
    ("negotiations(created)", Guard::Position),
    ("negotiations(id)", Guard::Stream),
    ("offer_revisions(offer_id, number)", Guard::Numbered("Offer counts its revisions")),
    ("offer_statistics(id)", Guard::Merged),
    ("offer_statistics_lines(offer_id, stage, number)", Guard::Numbered("the offer's lines")),
    ("offer_templates(created)", Guard::Position),
    ("offer_templates(id)", Guard::Merged),
    ("offers(created)", Guard::Position),
    ("offers(id)", Guard::Merged),
    ("open_invoices(invoice_id)", Guard::Stream),
    ("order_buyers(company_id)", Guard::Stream),
    ("order_timeline(order_id, \"position\")", Guard::Position),
    ("order_timeline_subjects(subject_id, order_id)", Guard::Merged),
    ("order_list_lines(list_id, line)", Guard::Merged),
    ("order_lists(created)", Guard::Position),
    ("order_lists(id)", Guard::Stream),
    ("order_shipments(order_id, shipment_id, line)", Guard::Numbered("a shipment adds up by line")),
    ("orders(created)", Guard::Position),
    ("orders(id)", Guard::Stream),
    ("payment_allocations(\"position\")", Guard::Position),
    ("payments(created)", Guard::Position),
    ("payments(id)", Guard::Stream),
    ("pick_list_items(order_id, pick_list_id, line)", Guard::Merged),
    ("pick_lists(created)", Guard::Position),
    ("pick_lists(id)", Guard::Stream),
    ("picked_items(order_id, line)", Guard::Merged),
    ("price_agreements(created)", Guard::Position),
    ("price_agreements(id)", Guard::Stream),
    ("prices(agreed)", Guard::Position),
    ("prices(agreement_id, selected, days)", Guard::Merged),
    ("product_codes(assigned)", Guard::Position),
    ("product_codes(id)", Guard::Merged),
    ("quotation_requests(created)", Guard::Position),
    ("quotation_requests(id)", Guard::Stream),
    ("shipment_buyers(company_id)", Guard::Stream),
    ("shipment_contents(shipment_id, order_id)", Guard::Merged),
    ("shipment_orders(order_id)", Guard::Merged),
    ("shipments(created)", Guard::Position),
    ("shipments(id)", Guard::Stream),
    (
        "standing_order_runs(standing_order_id, date)",
        Guard::Numbered("StandingOrder deals with a date once"),
    ),
    ("standing_orders(created)", Guard::Position),
    ("standing_orders(id)", Guard::Stream),
    ("stock(product_id)", Guard::Merged),
    ("stock(reported)", Guard::Position),
    ("stock_expected(product_id, receipt)", Guard::Merged),
    ("stock_levels(product_id, warehouse_id)", Guard::Merged),
    ("stock_lots(product_id, warehouse_id, code)", Guard::Merged),
    ("stock_movements(\"position\", warehouse_id)", Guard::Merged),
    ("territories(id)", Guard::Merged),
    ("unused_credits(id)", Guard::Stream),
    ("warehouses(created)", Guard::Position),
    ("warehouses(id)", Guard::Stream),
];

/// Why a key is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "the rules are named for whoever reads the table")]
enum Guard {
    /// The statement says what becomes of a second row: `ON CONFLICT`.
    Merged,
    /// The stream, whose first event alone inserts the row; no aggregate begins twice.
    Stream,
    /// The position of the event, which inserts one such row at most.
    Position,
    /// Numbers that an aggregate counts, each once.
    Numbered(&'static str),
    /// A stream of its own that lets one command win.
    Claimed(&'static str),
    /// An id that is computed from the key.
    Derived(&'static str),
}

const INDEXES: &str = "
    SELECT relation.relname, method.amname, index.indisunique, index.indexrelid,
        array_agg(pg_get_indexdef(index.indexrelid, place, true) ORDER BY place),
        array_agg(format_type(key.atttypid, NULL) ORDER BY place),
        bool_and(true) FILTER (WHERE place > index.indnkeyatts), index.indnkeyatts
    FROM pg_index index
    JOIN pg_class relation ON relation.oid = index.indrelid
    JOIN pg_class own ON own.oid = index.indexrelid
    JOIN pg_am method ON method.oid = own.relam
    CROSS JOIN LATERAL generate_series(1, index.indnatts) AS place
    JOIN pg_attribute key ON key.attrelid = index.indexrelid AND key.attnum = place
    WHERE relation.relnamespace = 'view'::regnamespace AND relation.relname = ANY($1)
    GROUP BY 1, 2, 3, 4, index.indnkeyatts ORDER BY 1, 4";
const CHECKS: &str = "
    SELECT relation.relname, pg_get_constraintdef(con.oid)
    FROM pg_constraint con JOIN pg_class relation ON relation.oid = con.conrelid
    WHERE con.contype = 'c' AND relation.relnamespace = 'view'::regnamespace";
const GENERATED: &str = "
    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE adrelid = ('view.' || $1)::regclass AND attname = $2 AND attgenerated = 's'";

struct Index {
    table: String,
    method: String,
    unique: bool,
    /// What is in it, keys first, and of which types.
    columns: Vec<(String, String)>,
    keys: usize,
}

async fn indexes(client: &Client) -> Vec<Index> {
    let tables: Vec<&str> = views::ALL.iter().flat_map(|view| view.tables).copied().collect();
    let rows = client.query(INDEXES, &[&tables]).await.unwrap();
    let index = |row: &tokio_postgres::Row| Index {
        table: row.get(0),
        method: row.get(1),
        unique: row.get(2),
        columns: std::iter::zip(row.get::<_, Vec<String>>(4), row.get::<_, Vec<String>>(5))
            .collect(),
        keys: usize::try_from(row.get::<_, i16>(7)).unwrap(),
    };
    rows.iter().map(index).collect()
}

/// What CHECK constraints bound, by table and by what they measure, such as `octet_length sku`.
async fn bounds(client: &Client) -> BTreeMap<(String, String), usize> {
    let rows = client.query(CHECKS, &[]).await.unwrap();
    let bound = |row: &tokio_postgres::Row| {
        let definition = plain(row.get(1));
        let (measured, most) = definition.strip_prefix("CHECK")?.split_once("<=")?;
        Some(((row.get(0), measured.to_owned()), most.parse().ok()?))
    };
    rows.iter().filter_map(bound).collect()
}

/// SQL without what PostgreSQL puts around its parts.
fn plain(sql: &str) -> String {
    sql.replace("::text", "").replace(['(', ')', ' '], "")
}

#[tokio::test]
async fn no_index_holds_what_grows_without_a_bound() {
    let instance = Instance::new().await;
    instance.views().await;
    let bounds = bounds(&instance.client).await;
    let bound = |table: &str, measure: &str, of: &str| {
        let key = (table.to_owned(), format!("{measure}{}", plain(of)));
        bounds.get(&key).copied()
    };
    let mut wrong = Vec::new();
    let indexes = indexes(&instance.client).await;
    assert!(indexes.len() > 80, "only {} indexes", indexes.len());
    for Index { table, method, columns, .. } in &indexes {
        let mut width = 0;
        for (column, of) in columns {
            let longest = match (method.as_str(), of.as_str()) {
                (_, "uuid") => Some(16),
                (_, "bigint" | "timestamp with time zone") => Some(8),
                (_, "integer" | "date") => Some(4),
                (_, "boolean") => Some(1),
                ("btree", "text") => bound(table, "octet_length", column).map(|most| most + 4),
                // Its parts have heads of their own.
                ("btree", "jsonb") => bound(table, "octet_length", column).map(|most| most * 2),
                ("btree", "uuid[]") => {
                    bound(table, "cardinality", column).map(|most| most * 16 + 32)
                }
                // Each of its elements by itself: ids, trigrams.
                ("gin", "uuid[]" | "text") => Some(0),
                ("gin", "tsvector") => words(&instance.client, table, column, &bounds).await,
                _ => None,
            };
            match longest {
                Some(longest) => width += longest.next_multiple_of(8),
                None => wrong.push(format!("{table}: {column} {of} in a {method} has no bound")),
            }
        }
        if width > BTREE {
            wrong.push(format!("{table}: {columns:?} may be {width} bytes"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Nothing, as each lexeme is an entry of its own and no longer than a word; `None` when all together
/// might be too many for a tsvector.
async fn words(
    client: &Client,
    table: &str,
    column: &str,
    bounds: &BTreeMap<(String, String), usize>,
) -> Option<usize> {
    const { assert!(projections::words::LONGEST <= 2_046) };
    let made: String = client.query_opt(GENERATED, &[&table, &column]).await.unwrap()?.get(0);
    let mut all = 0;
    for part in made.split("to_tsvector(").skip(1) {
        let source = part.split_once(", ")?.1.split(')').next()?;
        all += bounds.get(&(table.to_owned(), format!("octet_length{source}")))?;
    }
    (all * TENTHS_OF_WORDS / 10 < TSVECTOR).then_some(0)
}

#[tokio::test]
async fn every_unique_key_is_guarded() {
    let instance = Instance::new().await;
    instance.views().await;
    let indexes = indexes(&instance.client).await;
    let unique: Vec<String> = indexes
        .iter()
        .filter(|index| index.unique)
        .map(|Index { table, columns, keys, .. }| {
            let keys = columns[..*keys].iter().map(|(column, _)| column.as_str());
            format!("{table}({})", keys.collect::<Vec<_>>().join(", "))
        })
        .collect();
    let mut unguarded = unique.clone();
    unguarded.retain(|key| !UNIQUE.iter().any(|(guarded, _)| guarded == key));
    assert!(unguarded.is_empty(), "nothing says why these are unique: {unguarded:#?}");
    let gone = |key: &&str| !unique.iter().any(|present| present == key);
    let gone: Vec<&str> = UNIQUE.iter().map(|(key, _)| *key).filter(gone).collect();
    assert!(gone.is_empty(), "there are no such keys: {gone:#?}");
}

/// A key that is said to be merged, or to be what a position is, is so in the statements.
#[test]
fn merged_keys_are_merged() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src/views");
    let mut wrong = Vec::new();
    for (key, _) in UNIQUE.iter().filter(|(_, guard)| *guard == Guard::Merged) {
        let (table, _) = key.split_once('(').unwrap();
        let inserts = inserts(sources.as_ref(), table);
        assert!(!inserts.is_empty(), "nothing inserts into {table}");
        wrong.extend(
            inserts
                .into_iter()
                .filter(|insert| !insert.contains("ON CONFLICT"))
                .map(|insert| (key, insert)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The statements that insert into a table, wherever a view has them.
fn inserts(folder: &std::path::Path, table: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(inserts(&path, table));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for (at, _) in text.match_indices(&format!("INSERT INTO {table}")) {
            let rest = &text[at..];
            if !rest.as_bytes()[12 + table.len()].is_ascii_whitespace() {
                continue;
            }
            // Up to the end of the constant or of the macro's arm.
            let end = rest.find(";\n").into_iter().chain(rest.find("\n        )\n")).min();
            found.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    found
}
