//! Sums over offers: numbers by result, values by currency, and response times.

use domain::{Currency, Money, percent};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::row::{ReadError, is_capped, money, name_of, parsed};

/// A unit is an offer, or with grouping by product, each product of its last revision. Sums cover
/// required lines, and ordered lines. Lines in another currency than the last revision are not
/// counted. The median of an even number of values is the lower middle one. Groups with most units
/// come first; a row without currency has the sums over all currencies.
const LIST: &str = "
    WITH units AS (
        SELECT coalesce(CASE $1::text
                WHEN 'representative' THEN offer.representative
                WHEN 'customer' THEN offer.company_id
                ELSE unit.product_id END, '00000000-0000-0000-0000-000000000000') AS key,
            offer.currency, offer.outcome, offer.seconds_to_answer,
            floor(extract(epoch FROM offer.first_sent_at - request.requested_at))::bigint
                AS seconds_to_offer,
            unit.*
        FROM view.offer_statistics offer
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $1 = 'product' THEN product_id END AS product_id,
                bool_or(stage = 'ordered') AS is_won,
                sum(net) FILTER (WHERE stage = 'first' AND is_needed) AS first_net,
                sum(listed) FILTER (WHERE stage = 'sent' AND is_needed) AS offered_listed,
                sum(net) FILTER (WHERE stage = 'sent' AND is_needed) AS offered_net,
                sum(listed) FILTER (WHERE stage = 'ordered') AS won_listed,
                sum(net) FILTER (WHERE stage = 'ordered') AS won_net
            FROM view.offer_statistics_lines line
            WHERE line.offer_id = offer.id AND line.currency = offer.currency
                AND ($2::uuid IS NULL OR product_id = $2)
            GROUP BY 1 HAVING bool_or(stage = 'sent')) unit
        LEFT JOIN view.quotation_requests request
            ON request.id = offer.request_id AND request.offers[1] = offer.id
        WHERE offer.sent_on IS NOT NULL
            AND ($3::uuid IS NULL OR offer.representative = $3)
            AND ($4::uuid IS NULL OR offer.company_id = $4)
            AND ($5::date IS NULL OR offer.sent_on >= $5)
            AND ($6::date IS NULL OR offer.sent_on <= $6)
            AND ($7::text IS NULL OR offer.currency = $7)),
    sums AS (
        SELECT key, currency, count(*) AS offered,
            count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
            count(*) FILTER (WHERE outcome = 'partly_accepted') AS partly_accepted,
            count(*) FILTER (WHERE outcome = 'rejected') AS rejected,
            count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
            count(*) FILTER (WHERE outcome = 'expired') AS expired,
            count(*) FILTER (WHERE outcome = 'open') AS open,
            count(*) FILTER (WHERE is_won) AS won,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_to_offer) AS seconds_to_offer,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_to_answer) AS seconds_to_answer,
            least(coalesce(sum(offered_listed), 0), $11) AS offered_listed,
            least(coalesce(sum(offered_net), 0), $11) AS offered_net,
            least(coalesce(sum(won_listed), 0), $11) AS won_listed,
            least(coalesce(sum(won_net), 0), $11) AS won_net,
            -- Of nothing, `least` would be the largest sum.
            CASE WHEN bool_or(is_won AND offered_net IS NOT NULL AND first_net IS NOT NULL) THEN
                least(sum(first_net) FILTER (WHERE is_won AND offered_net IS NOT NULL), $11)
            END AS agreed_first,
            CASE WHEN bool_or(is_won AND offered_net IS NOT NULL AND first_net IS NOT NULL) THEN
                least(sum(offered_net) FILTER (WHERE is_won AND first_net IS NOT NULL), $11)
            END AS agreed_last
        FROM units GROUP BY GROUPING SETS ((key), (key, currency))),
    page AS (
        SELECT key, offered AS of_key FROM sums
        WHERE currency IS NULL AND ($8::bigint IS NULL OR (offered, key) < ($8, $9::uuid))
        ORDER BY offered DESC, key DESC LIMIT $10)
    SELECT key, currency, offered, accepted, partly_accepted, rejected, withdrawn, expired, open,
        won, seconds_to_offer, seconds_to_answer, offered_listed, offered_net, won_listed, won_net,
        agreed_first, agreed_last
    FROM sums JOIN page USING (key)
    ORDER BY of_key DESC, key DESC, currency NULLS FIRST";

/// The grouping of offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "StatisticsGrouping")]
pub enum By {
    /// By representative.
    #[default]
    Representative,
    /// By company.
    Customer,
    /// By product: an offer counts for each product of its last revision.
    Product,
}

/// Which offers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// The grouping.
    pub by: By,
    /// Only lines of this product.
    pub product: Option<Uuid>,
    /// Only offers of this representative.
    pub representative: Option<Uuid>,
    /// Only offers to this company.
    pub company: Option<Uuid>,
    /// Only offers first sent on this day or later,
    pub from: Option<Date>,
    /// and on this day or earlier.
    pub to: Option<Date>,
    /// Only offers whose last revision has this currency.
    pub currency: Option<Currency>,
}

/// The statistics of one representative, customer or product.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "OfferStatistics")]
pub struct Statistics {
    /// The id of the representative, company or product; missing for offers without a
    /// representative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The numbers of offers.
    #[serde(flatten)]
    pub counts: Counts,
    /// The share of ordered offers among the closed ones.
    pub won: Won,
    /// The values in each currency.
    pub values: Vec<Values>,
    /// The median time from a request to the first offer sent for it, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_offer: Option<i64>,
    /// The median time from a revision to the first answer of the company (acceptance, rejection or
    /// proposal), in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_answer: Option<i64>,
}

/// Numbers of offers, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OfferCounts")]
pub struct Counts {
    /// Sent,
    pub offered: i64,
    /// of which accepted as a whole,
    pub accepted: i64,
    /// accepted in part,
    pub partly_accepted: i64,
    /// rejected,
    pub rejected: i64,
    /// withdrawn,
    pub withdrawn: i64,
    /// expired,
    pub expired: i64,
    /// and still open.
    pub open: i64,
}

/// The share of offers that led to orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OffersWon")]
pub struct Won {
    /// Offers of which something, or with grouping by product this product, was ordered,
    pub count: i64,
    /// and all closed offers.
    pub of: i64,
    /// The share in percent, rounded half up to one decimal place; missing if none is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

/// The values of offers in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OfferValues")]
pub struct Values {
    /// The currency.
    pub currency: Currency,
    /// The required lines of last revisions.
    pub offered: Value,
    /// The ordered lines.
    pub won: Value,
    /// The reduction from first to last revision; missing if nothing was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<Agreed>,
    /// Whether a sum exceeds the largest amount and is shown as the largest, which only records of
    /// older builds can cause.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub is_capped: bool,
}

/// Net sums of lines, each rounded half up to the minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OfferLinesValue")]
pub struct Value {
    /// The sum at list prices.
    pub listed: Money,
    /// The offered sum.
    pub net: Money,
    /// The discount.
    pub discount: Money,
    /// The discount in percent of the list value, rounded half up to one decimal place; missing if
    /// the list value is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

/// The required lines of offers that led to orders, in their first and last revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "OfferLinesAgreed")]
pub struct Agreed {
    /// The net sum of first revisions.
    pub first: Money,
    /// The net sum of last revisions.
    pub last: Money,
    /// The difference.
    pub conceded: Money,
    /// The difference in percent of the first, rounded half up to one decimal place; missing if
    /// that is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

/// Statistics by group, largest groups first, after `cursor`, at most `limit`.
pub async fn list(
    client: &Client,
    filter: Filter,
    cursor: Option<(i64, Uuid)>,
    limit: i64,
) -> Result<Vec<Statistics>, ReadError> {
    let Filter { by, product, representative, company, from, to, currency } = filter;
    let (by, currency) = (name_of(&by), currency.map(Currency::code));
    let (offered, key) = cursor.unzip();
    let rows = client
        .query(
            LIST,
            &[
                &by,
                &product,
                &representative,
                &company,
                &from,
                &to,
                &currency,
                &offered,
                &key,
                &limit,
                &Money::LARGEST_SUM,
            ],
        )
        .await?;
    let mut found: Vec<Statistics> = Vec::new();
    for row in &rows {
        let currency: Option<&str> = row.try_get("currency")?;
        match (currency, found.last_mut()) {
            (None, _) => found.push(statistics_of(row)?),
            (Some(_), Some(group)) => group.values.push(values_of(row)?),
            (Some(_), None) => return Err(ReadError::Malformed),
        }
    }
    Ok(found)
}

impl Statistics {
    /// The cursor after this group.
    pub fn cursor(&self) -> (i64, Uuid) {
        (self.counts.offered, self.id.unwrap_or_default())
    }
}

fn statistics_of(row: &Row) -> Result<Statistics, ReadError> {
    let id: Uuid = row.try_get("key")?;
    let counts = Counts {
        offered: row.try_get("offered")?,
        accepted: row.try_get("accepted")?,
        partly_accepted: row.try_get("partly_accepted")?,
        rejected: row.try_get("rejected")?,
        withdrawn: row.try_get("withdrawn")?,
        expired: row.try_get("expired")?,
        open: row.try_get("open")?,
    };
    Ok(Statistics {
        id: (!id.is_nil()).then_some(id),
        counts,
        won: Won::of(row.try_get("won")?, counts.offered - counts.open),
        values: Vec::new(),
        seconds_to_offer: row.try_get("seconds_to_offer")?,
        seconds_to_answer: row.try_get("seconds_to_answer")?,
    })
}

fn values_of(row: &Row) -> Result<Values, ReadError> {
    let currency: Currency = parsed(row, "currency")?;
    let agreed = match row.try_get::<_, Option<Decimal>>("agreed_first")? {
        Some(_) => Some(Agreed::of(
            money(row, "agreed_first", currency)?,
            money(row, "agreed_last", currency)?,
        )?),
        None => None,
    };
    let offered =
        Value::of(money(row, "offered_listed", currency)?, money(row, "offered_net", currency)?)?;
    let won = Value::of(money(row, "won_listed", currency)?, money(row, "won_net", currency)?)?;
    let sums = [offered.listed, offered.net, won.listed, won.net];
    let agreed_sums = agreed.iter().flat_map(|agreed: &Agreed| [agreed.first, agreed.last]);
    let is_capped = sums.into_iter().chain(agreed_sums).any(is_capped);
    Ok(Values { currency, offered, won, agreed, is_capped })
}

impl Won {
    fn of(count: i64, of: i64) -> Self {
        Self { count, of, percent: hundredths(count.into(), of.into()) }
    }
}

impl Value {
    fn of(listed: Money, net: Money) -> Result<Self, ReadError> {
        let discount = listed.minus(net).map_err(|_| ReadError::Malformed)?;
        let percent = hundredths(discount.amount(), listed.amount());
        Ok(Self { listed, net, discount, percent })
    }
}

impl Agreed {
    fn of(first: Money, last: Money) -> Result<Self, ReadError> {
        let conceded = first.minus(last).map_err(|_| ReadError::Malformed)?;
        let percent = hundredths(conceded.amount(), first.amount());
        Ok(Self { first, last, conceded, percent })
    }
}

fn hundredths(part: Decimal, whole: Decimal) -> Option<String> {
    percent::share(part, whole).map(|share| share.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pln(amount: &str) -> Money {
        Money::parse(amount, Currency::Pln).unwrap()
    }

    #[test]
    fn where_there_is_no_whole_there_is_no_share() {
        assert_eq!(Won::of(0, 0).percent, None);
        assert_eq!(Won::of(2, 3).percent.as_deref(), Some("66.7"));
        assert_eq!(Value::of(pln("0.00"), pln("0.00")).unwrap().percent, None);
    }

    #[test]
    fn what_is_dearer_than_its_list_has_less_than_no_discount() {
        let dearer = Value::of(pln("8.00"), pln("8.01")).unwrap();
        assert_eq!(dearer.discount, pln("-0.01"));
        // -0.125 percent.
        assert_eq!(dearer.percent.as_deref(), Some("-0.1"));
        let raised = Agreed::of(pln("100.00"), pln("100.05")).unwrap();
        assert_eq!((raised.conceded, raised.percent.as_deref()), (pln("-0.05"), Some("-0.1")));
    }
}
