//! VAT: the Polish rates and the tax of a document, computed per rate.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, Line, Money, money::MoneyError};

/// A rate of Polish value added tax.
///
/// Source: ustawa o podatku od towarów i usług, art. 41 and 146ef (23 %, 8 %), art. 41 ust. 2a
/// (5 %), art. 41 ust. 4 and 83 (0 %, export among it), art. 43 (exempt, "zw").
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum VatRate {
    /// The basic rate.
    #[serde(rename = "23")]
    Basic,
    /// The first reduced rate.
    #[serde(rename = "8")]
    Reduced,
    /// The second reduced rate: basic food, books.
    #[serde(rename = "5")]
    SuperReduced,
    /// Taxed at nothing: export and supply within the EU.
    #[serde(rename = "0")]
    Zero,
    /// Exempt ("zw").
    #[serde(rename = "zw")]
    Exempt,
}

impl VatRate {
    /// Every rate, in the order in which documents list them.
    pub const ALL: [Self; 5] =
        [Self::Basic, Self::Reduced, Self::SuperReduced, Self::Zero, Self::Exempt];

    /// As a fraction of the net amount.
    pub fn fraction(self) -> Decimal {
        match self {
            Self::Basic => Decimal::new(23, 2),
            Self::Reduced => Decimal::new(8, 2),
            Self::SuperReduced => Decimal::new(5, 2),
            Self::Zero | Self::Exempt => Decimal::ZERO,
        }
    }

    /// As documents print it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Basic => "23",
            Self::Reduced => "8",
            Self::SuperReduced => "5",
            Self::Zero => "0",
            Self::Exempt => "zw",
        }
    }
}

/// What a document charges: the tax of every rate and the three sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
        let sum = |part: fn(&RateTotal) -> Money| {
            by_rate.iter().map(part).try_fold(Money::zero(currency), Money::plus)
        };
        let (net, vat) = (sum(|rate| rate.net)?, sum(|rate| rate.vat)?);
        Ok(Self { net, vat, gross: net.plus(vat)?, by_rate })
    }
}
