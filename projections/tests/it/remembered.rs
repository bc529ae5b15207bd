//! Of what is remembered of prices, no more is read again than has changed.

use domain::{AgreementId, ProductId, Selection, price::Value};
use event_log::Position;
use projections::views::pricing::prices::Rules;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::trade::Instance;

const ONE: ProductId = ProductId(Uuid::from_u128(1));
const OTHER: ProductId = ProductId(Uuid::from_u128(2));
const LIST: AgreementId = AgreementId(Uuid::from_u128(9));
const CONTRACT: AgreementId = AgreementId(Uuid::from_u128(10));
const ALL: (AgreementId, Selection) = (LIST, Selection::Everything);

/// A rule as a position of the log would have left it.
const AGREE: &str = "
    INSERT INTO view.prices (agreement_id, selected, selection, of_product, days, breaks, agreed)
    VALUES ($1, $2, '{}', $3, '{}', jsonb_build_array(jsonb_build_object('value',
        jsonb_build_object('kind', 'fixed', 'price', $4::bigint::text))), $4)
    ON CONFLICT (agreement_id, selected, days) DO UPDATE SET breaks = excluded.breaks, agreed = $4";
/// What nobody tells: it is seen by those who read again.
const SECRETLY: &str = "
    UPDATE view.prices SET breaks = replace(breaks::text, '\"price\": \"', '\"price\": \"7')::jsonb";

#[tokio::test]
async fn a_price_has_no_others_read_again() {
    let instance = Instance::new().await;
    let views = instance.views().await;
    let cancel = CancellationToken::new();
    views.follow(&cancel);
    views.wait(&["prices"], Position::START).await.unwrap();
    let of = |product| (LIST, Selection::Product { product });
    let contract = (CONTRACT, Selection::Product { product: ONE });
    let agree = async |(agreement, selection): (AgreementId, Selection), at: i64| {
        let (selected, of_product) = match selection {
            Selection::Product { product } => (product.0, true),
            Selection::Category { .. } | Selection::Everything => (Uuid::nil(), false),
        };
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&agreement.0, &selected, &of_product, &at];
        instance.client.execute(AGREE, &parameters).await.unwrap();
        Position(at.unsigned_abs())
    };
    for (at, what) in (1..).zip([of(ONE), of(OTHER), contract, ALL]) {
        agree(what, at).await;
    }
    let client = views.client().await.unwrap();
    let rules = Rules::default();
    let prices_at = async |rules: &Rules, changed: Position| {
        let said = rules.of(&client, changed, &[LIST, CONTRACT], &[ONE, OTHER]).await.unwrap();
        let price = |at, (agreement, selection): (AgreementId, Selection)| {
            let mut rules = said.on(at, selection).filter(|rule| rule.agreement == agreement);
            match rules.next()?.breaks[0].value {
                Value::Fixed { price } => Some(price.amount()),
                _ => None,
            }
        };
        [price(0, of(ONE)), price(1, of(OTHER)), price(0, contract), price(0, ALL)]
            .map(|price| u32::try_from(price.unwrap()).unwrap())
    };
    assert_eq!(prices_at(&rules, Position(4)).await, [1, 2, 3, 4]);

    instance.client.execute(SECRETLY, &[]).await.unwrap();
    assert_eq!(prices_at(&Rules::default(), Position(4)).await, [71, 72, 73, 74], "as they are");
    assert_eq!(prices_at(&rules, Position(4)).await, [1, 2, 3, 4], "remembered");
    let changed = agree(of(ONE), 5).await;
    assert_eq!(prices_at(&rules, changed).await, [5, 2, 3, 4]);
    let changed = agree(contract, 6).await;
    assert_eq!(prices_at(&rules, changed).await, [5, 2, 6, 4]);
    let changed = agree(ALL, 7).await;
    assert_eq!(prices_at(&rules, changed).await, [5, 2, 6, 7]);
    // Somebody who asked a moment earlier sees nothing older.
    assert_eq!(prices_at(&rules, Position(6)).await, [5, 2, 6, 7]);
    agree(of(ONE), 8).await;
    let changed = agree(of(OTHER), 9).await;
    assert_eq!(prices_at(&rules, changed).await, [8, 9, 6, 7], "two at once");
    cancel.cancel();
}
