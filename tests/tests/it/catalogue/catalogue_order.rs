//! Sort orders and pages of the catalogue.

use serde_json::{Value, json};

use crate::journeys::{Shop, created, done};

impl Shop {
    async fn sell(&self, sku: &str, name: &str) -> String {
        let product = json!({
            "sku": sku, "name": name, "unit": "piece", "vat_rate": "23",
            "prices": [{ "currency": "PLN", "price": "1.00" }],
        });
        let id = created(self.instance.post("admin", "/v1/products", &product).await);
        done(self.instance.post("admin", &format!("/v1/products/{id}/publish"), &json!({})).await);
        id
    }

    /// A page of the catalogue as the grocer sees it: codes, and where the next one begins.
    async fn page(&self, query: &str) -> (Vec<String>, Option<String>) {
        let head = self.instance.settled().await;
        let path = format!("/v1/catalogue?wait_for={head}&{query}");
        let page = self.instance.get("grocer", &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let sku = |item: &Value| item["sku"].as_str().unwrap().to_owned();
        let items = page.body["items"].as_array().unwrap().iter().map(sku).collect();
        (items, page.body["next_cursor"].as_str().map(ToOwned::to_owned))
    }
}

#[tokio::test]
async fn names_are_sorted_as_the_polish_alphabet_is() {
    let shop = Shop::open().await;
    let names =
        ["Żurawina", "Łosoś", "Ćwikła", "Cytryna", "Lukier", "źródlana woda", "Zupa", "Ananas"];
    for (number, name) in names.iter().enumerate() {
        shop.sell(&format!("P-{number}"), name).await;
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (page, next) = shop.page(&format!("order=name&limit=2{cursor}")).await;
        found.extend(page);
        let Some(next) = next else { break };
        cursor = format!("&cursor={next}");
    }
    let sorted =
        ["P-7", "COFFEE", "COURSE", "P-3", "P-2", "P-4", "P-1", "RICE", "P-6", "P-5", "P-0"];
    assert_eq!(found, sorted);
    for name in ["Ćma", "Czajnik", "Dom"] {
        let category = json!({ "title": { "name": name } });
        let category = created(shop.instance.post("admin", "/v1/categories", &category).await);
        let product = shop.sell(&format!("IN-{name}"), "Rzecz").await;
        let path = format!("/v1/products/{product}/categories");
        done(shop.instance.post("admin", &path, &json!({ "categories": [category] })).await);
    }
    let head = shop.instance.settled().await;
    let counts =
        shop.instance.get("grocer", &format!("/v1/catalogue/counts?wait_for={head}")).await;
    let categories = counts.body["categories"].as_array().unwrap();
    let names: Vec<&Value> = categories.iter().map(|category| &category["name"]).collect();
    assert_eq!(names, ["Czajnik", "Ćma", "Dom"]);
}

/// Whatever leaves, joins or is changed between two pages: what stays as it was is on exactly one.
#[tokio::test]
async fn no_page_of_a_search_misses_what_stays() {
    for order in ["", "&order=name", "&order=sku", "&order=newest"] {
        let shop = Shop::open().await;
        let mut ids = Vec::new();
        for number in 0..9 {
            ids.push(shop.sell(&format!("LAM-{number}"), &format!("Lampa nocna {number}")).await);
        }
        let query = format!("q=lampa&limit=3{order}");
        let (all, _) = shop.page(&format!("q=lampa&limit=100{order}")).await;
        let of = |sku: &str| &ids[sku.strip_prefix("LAM-").unwrap().parse::<usize>().unwrap()];
        assert_eq!(all.len(), 9, "{order}");
        let (first, next) = shop.page(&query).await;
        assert_eq!(first, all[..3], "{order}");
        // The last of the page leaves, and the first is called otherwise.
        let path = format!("/v1/products/{}/withdraw", of(&first[2]));
        done(shop.instance.post("admin", &path, &json!({})).await);
        let path = format!("/v1/products/{}/rename", of(&first[0]));
        done(shop.instance.post("admin", &path, &json!({ "name": "Lampa" })).await);
        let (second, next) = shop.page(&format!("{query}&cursor={}", next.unwrap())).await;
        assert_eq!(second, all[3..6], "{order}");
        // One that was shown leaves, another joins, and one that was not becomes a better match.
        let path = format!("/v1/products/{}/withdraw", of(&second[1]));
        done(shop.instance.post("admin", &path, &json!({})).await);
        shop.sell("LAM-X", "Lampa nocna 0").await;
        let path = format!("/v1/products/{}/rename", of(&all[8]));
        done(shop.instance.post("admin", &path, &json!({ "name": "Lampa" })).await);
        let (third, _) = shop.page(&format!("{query}&cursor={}", next.unwrap())).await;
        assert!(all[6..].iter().all(|sku| third.contains(sku)), "{order}: {third:?}");
        let twice = first.iter().chain(&second).filter(|sku| third.contains(sku)).count();
        assert_eq!(twice, 0, "{order}: {third:?}");
    }
}
