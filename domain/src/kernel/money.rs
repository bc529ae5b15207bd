//! Money: exact, with its currency, rounded only by a named rule.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency the seller trades in; all of them have two minor digits (ISO 4217).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Polish złoty.
    Pln,
    /// Euro.
    Eur,
    /// Pound sterling.
    Gbp,
    /// US dollar.
    Usd,
    /// Czech koruna.
    Czk,
}

impl Currency {
    /// Every currency.
    pub const ALL: [Self; 5] = [Self::Pln, Self::Eur, Self::Gbp, Self::Usd, Self::Czk];

    /// Its three letters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pln => "PLN",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Usd => "USD",
            Self::Czk => "CZK",
        }
    }

    /// How many decimal places its amounts have.
    pub const fn minor_digits(self) -> u32 {
        match self {
            Self::Pln | Self::Eur | Self::Gbp | Self::Usd | Self::Czk => 2,
        }
    }

    /// Rounds to whole minor units, a half going away from zero: the way of art. 106e ust. 11 of
    /// the Polish VAT act (ustawa z 11.03.2004), "końcówki poniżej 0,5 grosza pomija się, a
    /// końcówki od 0,5 grosza zaokrągla się do 1 grosza".
    pub fn round_half_up(self, amount: Decimal) -> Money {
        let mut amount = amount
            .round_dp_with_strategy(self.minor_digits(), RoundingStrategy::MidpointAwayFromZero);
        amount.rescale(self.minor_digits());
        Money { amount, currency: self }
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        Self::ALL.into_iter().find(|c| c.code() == code).ok_or(MoneyError::UnknownCurrency)
    }
}

/// Why a number is not a valid amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency the seller trades in.
    #[error("the currency is one of PLN, EUR, GBP, USD, CZK")]
    UnknownCurrency,
    /// Not a decimal number at all.
    #[error("an amount is a decimal number in a string, such as \"12.30\"")]
    NotANumber,
    /// It has too many decimal places.
    #[error("an amount has at most {places} decimal places")]
    Precision {
        /// The most decimal places.
        places: u32,
    },
    /// It exceeds [`Money::MAX`].
    #[error("an amount is too large")]
    TooLarge,
    /// It exceeds [`Money::CEILING`].
    #[error("an amount is at most {}", Money::CEILING)]
    AboveCeiling,
    /// It is negative where that is not allowed.
    #[error("a price must not be negative")]
    Negative,
    /// Two currencies in one sum.
    #[error("amounts of different currencies do not add up")]
    CurrencyMismatch,
}

impl MoneyError {
    /// The stable error code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CurrencyMismatch => "money.currency_mismatch",
            Self::AboveCeiling => "money.above_ceiling",
            Self::UnknownCurrency
            | Self::NotANumber
            | Self::Precision { .. }
            | Self::TooLarge
            | Self::Negative => "money.not_representable",
        }
    }
}

/// An amount in whole minor units of its currency; it may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyJson", into = "MoneyJson")]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// How money stands in JSON: the amount as a string with all minor digits.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Money")]
struct MoneyJson {
    /// A decimal number in a string, such as `"12.30"`.
    #[schemars(regex(pattern = r"^-?[0-9]{1,24}(\.[0-9]{1,2}0*)?$"))]
    amount: String,
    currency: Currency,
}

impl Money {
    /// The largest absolute amount that somebody may give, or that the net sum of one document may
    /// come to. Commands are held to it; stored events are not, since older builds allowed more.
    pub const CEILING: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0); // 10^12

    /// The largest absolute sum that read models show: a hundred thousand million times
    /// [`Money::CEILING`], so that a lifetime of amounts stays below it, and so far below
    /// [`Money::MAX`] that the difference of two such sums is an amount.
    pub const LARGEST_SUM: Decimal =
        Decimal::from_parts(4_135_583_744, 46_653_770, 5_421, false, 0); // 10^23

    /// The largest absolute amount of all: far below where a sum of many of them would lose digits
    /// (`Decimal` holds 28).
    const MAX: Decimal = Decimal::from_parts(0, 0, 54_210, false, 0); // about 10^24

    /// An exact amount. Refuses fractions of a minor unit instead of rounding them away.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let places = currency.minor_digits();
        let mut exact = amount.normalize();
        if exact.scale() > places {
            return Err(MoneyError::Precision { places });
        }
        if exact.abs() > Self::MAX {
            return Err(MoneyError::TooLarge);
        }
        exact.rescale(places);
        Ok(Self { amount: exact, currency })
    }

    /// An amount as it is spelled in text, such as `12.30`.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::new(exact(amount).ok_or(MoneyError::NotANumber)?, currency)
    }

    /// Refuses an amount beyond [`Money::CEILING`].
    pub fn within_ceiling(self) -> Result<Self, MoneyError> {
        if self.amount.abs() > Self::CEILING { Err(MoneyError::AboveCeiling) } else { Ok(self) }
    }

    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        currency.round_half_up(Decimal::ZERO)
    }

    /// The number of major units.
    pub const fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    /// Whether it is negative.
    pub fn is_negative(self) -> bool {
        self.amount < Decimal::ZERO
    }

    /// Whether it is positive.
    pub fn is_positive(self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// The exact sum.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, Decimal::checked_add)
    }

    /// The exact difference.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, Decimal::checked_sub)
    }

    /// The lesser of two amounts of one currency.
    pub fn min(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        Ok(if other.amount < self.amount { other } else { self })
    }

    fn combine(
        self,
        other: Self,
        operation: impl Fn(Decimal, Decimal) -> Option<Decimal>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = operation(self.amount, other.amount).ok_or(MoneyError::TooLarge)?;
        Self::new(amount, self.currency)
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        MoneyJson::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        MoneyJson::json_schema(generator)
    }
}

impl TryFrom<MoneyJson> for Money {
    type Error = MoneyError;

    fn try_from(json: MoneyJson) -> Result<Self, MoneyError> {
        let amount = exact(&json.amount).ok_or(MoneyError::NotANumber)?;
        Self::new(amount, json.currency)
    }
}

impl From<Money> for MoneyJson {
    fn from(money: Money) -> Self {
        Self { amount: money.amount.to_string(), currency: money.currency }
    }
}

/// The net price of one unit, in the currency of its document: not negative, at most four decimal
/// places (a screw costs 0.0125). JSON carries it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitPrice(Decimal);

impl UnitPrice {
    const PLACES: u32 = 4;
    const MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

    /// Checks a price.
    pub fn new(price: Decimal) -> Result<Self, MoneyError> {
        if price < Decimal::ZERO {
            return Err(MoneyError::Negative);
        }
        if price > Self::MAX {
            return Err(MoneyError::TooLarge);
        }
        let mut price = price.normalize();
        if price.scale() > Self::PLACES {
            return Err(MoneyError::Precision { places: Self::PLACES });
        }
        if price.scale() < 2 {
            price.rescale(2);
        }
        Ok(Self(price.abs()))
    }

    /// A calculated price, rounded half up to four decimal places; a negative one becomes zero.
    pub fn round_half_up(price: Decimal) -> Self {
        let mut price = price
            .round_dp_with_strategy(Self::PLACES, RoundingStrategy::MidpointAwayFromZero)
            .clamp(Decimal::ZERO, Self::MAX)
            .normalize();
        if price.scale() < 2 {
            price.rescale(2);
        }
        Self(price)
    }

    /// The price in major units.
    pub const fn amount(self) -> Decimal {
        self.0
    }
}

impl std::str::FromStr for UnitPrice {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        exact(text).ok_or(MoneyError::NotANumber).and_then(Self::new)
    }
}

impl std::fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for UnitPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for UnitPrice {
    fn schema_name() -> Cow<'static, str> {
        "UnitPrice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Net price of one unit, at most four decimal places",
            "pattern": "^[0-9]{1,10}(\\.[0-9]{1,4}0*)?$",
        })
    }
}

/// A decimal number as the schemas spell it: digits, perhaps a point and more digits, perhaps a
/// minus before. `Decimal` alone would also read `1_000`, `+1`, `.5` and `5.`.
pub(crate) fn exact(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let spelled = match unsigned.split_once('.') {
        Some((units, fraction)) => digits(units) && digits(fraction),
        None => digits(unsigned),
    };
    if spelled { Decimal::from_str_exact(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(json: &str, then: Result<&str, &str>) {
        let money = serde_json::from_str::<Money>(json);
        let shown = money.map(|money| money.to_string()).map_err(|error| error.to_string());
        assert_eq!(shown.as_deref().map_err(String::as_str), then);
    }

    #[test]
    fn is_read_exactly_or_not_at_all() {
        check(r#"{"amount":"12.3","currency":"PLN"}"#, Ok("12.30 PLN"));
        check(r#"{"amount":"12.300","currency":"PLN"}"#, Ok("12.30 PLN"));
        check(r#"{"amount":"-0.01","currency":"EUR"}"#, Ok("-0.01 EUR"));
        let precision = Err("an amount has at most 2 decimal places");
        check(r#"{"amount":"12.301","currency":"PLN"}"#, precision);
        let not_a_number = Err("an amount is a decimal number in a string, such as \"12.30\"");
        for text in
            ["", "NaN", "1e3", "1,5", "0x1", "--1", "1_0", "+1", ".5", "5.", "-", " 1", "1.2.3"]
        {
            check(&format!(r#"{{"amount":"{text}","currency":"PLN"}}"#), not_a_number);
        }
        let digits = "9".repeat(1_000_000);
        check(&format!(r#"{{"amount":"{digits}","currency":"PLN"}}"#), not_a_number);
        let large = format!(r#"{{"amount":"1{}","currency":"PLN"}}"#, "0".repeat(25));
        check(&large, Err("an amount is too large"));
    }

    /// The sum of a hundred thousand million documents of the largest amount is valid.
    #[test]
    fn sums_of_what_commands_allow_are_amounts() {
        assert_eq!(Money::CEILING.to_string(), "1000000000000");
        assert_eq!(Money::LARGEST_SUM.to_string(), format!("1{}", "0".repeat(23)));
        assert_eq!(Money::CEILING * Decimal::from(100_000_000_000_u64), Money::LARGEST_SUM);
        let largest = Money::new(Money::LARGEST_SUM, Currency::Pln).unwrap();
        assert!(largest.plus(largest).is_ok());
        assert_eq!(largest.within_ceiling(), Err(MoneyError::AboveCeiling));
        let ceiling = Money::new(Money::CEILING, Currency::Pln).unwrap();
        let cent = Money::new(Decimal::new(1, 2), Currency::Pln).unwrap();
        assert_eq!(ceiling.within_ceiling(), Ok(ceiling));
        let above = ceiling.plus(cent).unwrap();
        assert_eq!(above.within_ceiling(), Err(MoneyError::AboveCeiling));
        let below = Money::zero(Currency::Pln).minus(above).unwrap();
        assert_eq!(below.within_ceiling(), Err(MoneyError::AboveCeiling));
    }

    #[test]
    fn does_not_mix_currencies() {
        let (zloty, euro) = (Money::zero(Currency::Pln), Money::zero(Currency::Eur));
        assert_eq!(zloty.plus(euro), Err(MoneyError::CurrencyMismatch));
        assert_eq!(zloty.minus(euro), Err(MoneyError::CurrencyMismatch));
        assert_eq!(zloty.min(euro), Err(MoneyError::CurrencyMismatch));
    }

    #[test]
    fn prices_are_not_negative() {
        assert_eq!("-0.01".parse::<UnitPrice>(), Err(MoneyError::Negative));
        assert_eq!("1_0".parse::<UnitPrice>(), Err(MoneyError::NotANumber));
        assert_eq!("9".repeat(1_000_000).parse::<UnitPrice>(), Err(MoneyError::NotANumber));
        assert_eq!("0.00001".parse::<UnitPrice>(), Err(MoneyError::Precision { places: 4 }));
        assert_eq!("1000000001".parse::<UnitPrice>(), Err(MoneyError::TooLarge));
        assert_eq!("0.0125".parse::<UnitPrice>().unwrap().to_string(), "0.0125");
        assert_eq!("5".parse::<UnitPrice>().unwrap().to_string(), "5.00");
        assert_eq!("-0".parse::<UnitPrice>().unwrap().to_string(), "0.00");
    }

    proptest! {
        #[test]
        fn prices_survive_json(price in 0_i64..10_000_000_000) {
            let price = UnitPrice::new(Decimal::new(price, 4)).unwrap();
            let json = serde_json::to_string(&price).unwrap();
            prop_assert_eq!(serde_json::from_str::<UnitPrice>(&json).unwrap(), price);
        }

        #[test]
        fn survives_json(grosze in any::<i64>()) {
            let money = Money::new(Decimal::new(grosze, 2), Currency::Pln).unwrap();
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }
    }
}
