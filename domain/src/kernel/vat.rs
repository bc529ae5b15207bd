//! VAT: the Polish rates and the tax of a document, computed per rate.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{Currency, Line, Money, VatRate, money::MoneyError};

/// What a document charges: the tax of every rate and the three sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DocumentTotals")]
pub struct Totals {
    /// One entry per rate that occurs, in the order of [`VatRate::ALL`].
    pub by_rate: Vec<RateTotal>,
    /// Sum of the net amounts.
    pub net: Money,
    /// Sum of the taxes.
    pub vat: Money,
    /// What is to be paid.
    pub gross: Money,
}

/// The part of a document that is taxed at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "VatRateTotal")]
pub struct RateTotal {
    /// The rate.
    pub rate: VatRate,
    /// Sum of the net amounts of its lines.
    pub net: Money,
    /// The tax on that sum.
    pub vat: Money,
}

impl Totals {
    /// Adds up priced lines. Two roundings, both half up to the minor unit: each line's net
    /// amount, then the tax once per rate on the sum of its net amounts (ustawa o VAT, art. 106e
    /// ust. 1 pkt 14 and ust. 11).
    pub fn of(lines: &[Line], currency: Currency) -> Result<Self, MoneyError> {
        let mut nets: BTreeMap<VatRate, Money> = BTreeMap::new();
        for line in lines {
            let net = nets.entry(line.vat_rate).or_insert_with(|| Money::zero(currency));
            *net = net.plus(line.net(currency))?;
        }
        let by_rate: Vec<RateTotal> = nets
            .into_iter()
            .map(|(rate, net)| RateTotal {
                rate,
                net,
                vat: currency.round_half_up(net.amount() * rate.fraction()),
            })
            .collect();
        Self::sum(by_rate, currency)
    }

    /// The sums of what each rate comes to.
    pub(crate) fn sum(by_rate: Vec<RateTotal>, currency: Currency) -> Result<Self, MoneyError> {
        let sum = |part: fn(&RateTotal) -> Money| {
            by_rate.iter().map(part).try_fold(Money::zero(currency), Money::plus)
        };
        let (net, vat) = (sum(|rate| rate.net)?, sum(|rate| rate.vat)?);
        Ok(Self { net, vat, gross: net.plus(vat)?, by_rate })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;
    use crate::fixtures::line;

    fn totals(lines: &[Line]) -> (String, String, String) {
        let totals = Totals::of(lines, Currency::Pln).unwrap();
        let text = |money: Money| money.amount().to_string();
        (text(totals.net), text(totals.vat), text(totals.gross))
    }

    #[track_caller]
    fn check(lines: &[(&str, &str, VatRate)], net: &str, vat: &str, gross: &str) {
        let lines: Vec<Line> = lines.iter().map(|(q, p, rate)| line(q, p, *rate)).collect();
        assert_eq!(totals(&lines), (net.to_owned(), vat.to_owned(), gross.to_owned()));
    }

    #[test]
    fn rounds_each_line_then_each_rate_half_up() {
        // A half grosz goes up: 3 × 0.005, then 23 % of 0.50 is 0.115.
        check(&[("1", "0.005", VatRate::Zero)], "0.01", "0.00", "0.01");
        check(&[("1", "0.0049", VatRate::Zero)], "0.00", "0.00", "0.00");
        check(&[("1", "0.50", VatRate::Basic)], "0.50", "0.12", "0.62");
        check(&[("1", "2.675", VatRate::Zero)], "2.68", "0.00", "2.68");
        // Per rate, not per line: two lines of 0.02 make 0.04, whose 23 % is 0.0092.
        let twice = [("1", "0.02", VatRate::Basic), ("1", "0.02", VatRate::Basic)];
        check(&twice, "0.04", "0.01", "0.05");
        check(&[("3", "33.3333", VatRate::Reduced)], "100.00", "8.00", "108.00");
        let all = [
            ("1", "100", VatRate::Basic),
            ("1", "100", VatRate::Reduced),
            ("1", "100", VatRate::SuperReduced),
            ("1", "100", VatRate::Zero),
            ("1", "100", VatRate::Exempt),
        ];
        check(&all, "500.00", "36.00", "536.00");
    }

    proptest! {
        /// Recomputed in whole numbers of a ten-millionth: the sums are exact to the grosz.
        #[test]
        fn agrees_with_whole_numbers(
            lines in prop::collection::vec((1_i64..1_000_000, 0_i64..10_000_000, 0_usize..5), 1..20),
        ) {
            let half_up = |value: i128, unit: i128| (2 * value + unit) / (2 * unit);
            let mut nets = [0_i128; 5];
            let mut priced = Vec::new();
            for (milli, price, rate) in lines {
                // Thousandths of a unit at ten-thousandths of a złoty: 10^-7, to 10^-2.
                nets[rate] += half_up(i128::from(milli) * i128::from(price), 100_000);
                let (quantity, price) = (Decimal::new(milli, 3), Decimal::new(price, 4));
                let rate = VatRate::ALL[rate];
                priced.push(line(&quantity.to_string(), &price.to_string(), rate));
            }
            let vat: i128 = nets
                .iter()
                .zip([23, 8, 5, 0, 0])
                .map(|(net, percent)| half_up(net * percent, 100))
                .sum();
            let net: i128 = nets.iter().sum();
            let grosze = |money: Money| (money.amount() * Decimal::ONE_HUNDRED).to_string().parse::<Decimal>().unwrap();
            let totals = Totals::of(&priced, Currency::Pln).unwrap();
            prop_assert_eq!(grosze(totals.net), Decimal::from_i128_with_scale(net, 0));
            prop_assert_eq!(grosze(totals.vat), Decimal::from_i128_with_scale(vat, 0));
            prop_assert_eq!(grosze(totals.gross), Decimal::from_i128_with_scale(net + vat, 0));
        }
    }
}
