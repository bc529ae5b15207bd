//! Formatting of numbers, days and terms in the languages of documents.

use domain::{Money, PaymentTerm, Percent, VatRate, payment_term::EarlyPayment, product::Unit};
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A language of documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DocumentLanguage")]
pub enum Language {
    /// Polish.
    #[default]
    Pl,
    /// English.
    En,
}

/// Joins a number and its unit, so that no line breaks between them.
const NO_BREAK: char = '\u{a0}';

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Pl, Self::En];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pl => "pl",
            Self::En => "en",
        }
    }

    /// One of two values, by language.
    pub(super) fn either<T>(self, polish: T, english: T) -> T {
        match self {
            Self::Pl => polish,
            Self::En => english,
        }
    }

    /// A number with exactly the decimal places that it has: `1 234,50` or `1,234.50`.
    pub fn number(self, number: Decimal) -> String {
        let plain = number.to_string();
        let (sign, plain) = match plain.strip_prefix('-') {
            Some(unsigned) => ("-", unsigned),
            None => ("", plain.as_str()),
        };
        let (units, fraction) = match plain.split_once('.') {
            Some((units, fraction)) => (units, Some(fraction)),
            None => (plain, None),
        };
        let (group, point) = self.either((NO_BREAK, ','), (',', '.'));
        let mut text = String::from(sign);
        for (place, digit) in units.chars().enumerate() {
            if place > 0 && (units.len() - place).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// An amount without its currency.
    pub fn amount(self, money: Money) -> String {
        self.number(money.amount())
    }

    /// An amount with its currency.
    pub fn money(self, money: Money) -> String {
        format!("{}{NO_BREAK}{}", self.amount(money), money.currency())
    }

    /// A percentage: `2,5 %` or `2.5%`.
    pub fn percent(self, percent: Percent) -> String {
        let number = self.number(percent.hundredths());
        self.either(format!("{number}{NO_BREAK}%"), format!("{number}%"))
    }

    /// A day: `23.11.2026` or `23 November 2026`.
    pub fn day(self, day: Date) -> String {
        match self {
            Self::Pl => day.strftime("%d.%m.%Y").to_string(),
            Self::En => day.strftime(&format!("%-d{NO_BREAK}%B{NO_BREAK}%Y")).to_string(),
        }
    }

    /// A VAT rate.
    pub fn vat_rate(self, rate: VatRate) -> String {
        match rate {
            VatRate::Basic | VatRate::Reduced | VatRate::SuperReduced | VatRate::Zero => {
                let number = rate.code();
                self.either(format!("{number}{NO_BREAK}%"), format!("{number}%"))
            }
            VatRate::Exempt => self.either("zw.", "exempt").to_owned(),
        }
    }

    /// An abbreviated unit of measure.
    pub fn unit(self, unit: Unit) -> &'static str {
        match unit {
            Unit::Piece => self.either("szt.", "pcs"),
            Unit::Pack => self.either("opak.", "packs"),
            Unit::Carton => self.either("kart.", "cartons"),
            Unit::Kilogram => "kg",
            Unit::Metre => "m",
        }
    }

    /// A payment term.
    pub fn payment_term(self, term: PaymentTerm) -> String {
        let (base, early) = match term {
            PaymentTerm::Immediate => {
                return self
                    .either("płatne w dniu wystawienia faktury", "due on the day of invoice")
                    .to_owned();
            }
            PaymentTerm::Net { days, early } => {
                let days = self.days(days);
                (
                    self.either(format!("przelew {days}"), format!("bank transfer, {days} net")),
                    early,
                )
            }
            PaymentTerm::EndOfMonth { days: 0, early } => {
                let text = self.either("do końca miesiąca", "by the end of the month of invoice");
                (text.to_owned(), early)
            }
            PaymentTerm::EndOfMonth { days, early } => {
                let days = self.days(days);
                let polish = format!("{days} od końca miesiąca");
                (self.either(polish, format!("{days} from the end of the month")), early)
            }
        };
        let Some(EarlyPayment { discount, days }) = early else { return base };
        let discount = self.percent(discount);
        match self {
            Self::Pl => {
                let day = if days == 1 { "dnia" } else { "dni" };
                format!("{base}, skonto {discount} przy zapłacie w ciągu {days}{NO_BREAK}{day}")
            }
            Self::En => format!("{base}; {discount} off if paid within {}", self.days(days)),
        }
    }

    /// A number of days.
    fn days(self, days: u16) -> String {
        let (one, many) = self.either(("dzień", "dni"), ("day", "days"));
        format!("{days}{NO_BREAK}{}", if days == 1 { one } else { many })
    }
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use jiff::civil::date;

    use super::*;

    /// Shows where a line may not break.
    fn seen(text: &str) -> String {
        text.replace(NO_BREAK, "_")
    }

    #[track_caller]
    fn check_number(number: &str, polish: &str, english: &str) {
        let number = number.parse().unwrap();
        assert_eq!(seen(&Language::Pl.number(number)), polish);
        assert_eq!(seen(&Language::En.number(number)), english);
    }

    #[test]
    fn a_number_keeps_its_digits() {
        check_number("0", "0", "0");
        check_number("7.0125", "7,0125", "7.0125");
        check_number("999.99", "999,99", "999.99");
        check_number("1234.50", "1_234,50", "1,234.50");
        check_number("123456.789", "123_456,789", "123,456.789");
        check_number("1000000", "1_000_000", "1,000,000");
        check_number("-1234.5", "-1_234,5", "-1,234.5");
        check_number("-123", "-123", "-123");
        check_number("9007199254740993.07", "9_007_199_254_740_993,07", "9,007,199,254,740,993.07");
    }

    #[test]
    fn money_may_say_its_currency() {
        let money = Money::parse("1234.5", Currency::Pln).unwrap();
        assert_eq!(seen(&Language::Pl.money(money)), "1_234,50_PLN");
        assert_eq!(seen(&Language::En.amount(money)), "1,234.50");
    }

    #[test]
    fn a_day_cannot_be_misread() {
        let day = date(2026, 3, 4);
        assert_eq!(Language::Pl.day(day), "04.03.2026");
        assert_eq!(seen(&Language::En.day(day)), "4_March_2026");
    }

    #[test]
    fn a_rate_is_a_part_or_a_word() {
        let both = |rate| Language::ALL.map(|language| seen(&language.vat_rate(rate)));
        assert_eq!(both(VatRate::Basic), ["23_%", "23%"]);
        assert_eq!(both(VatRate::Zero), ["0_%", "0%"]);
        assert_eq!(both(VatRate::Exempt), ["zw.", "exempt"]);
        let half = "2.50".parse().unwrap();
        assert_eq!(Language::ALL.map(|language| seen(&language.percent(half))), ["2,5_%", "2.5%"]);
    }

    #[track_caller]
    fn check_term(term: &str, polish: &str, english: &str) {
        let term = term.parse().unwrap();
        let both = Language::ALL.map(|language| language.payment_term(term).replace(NO_BREAK, " "));
        assert_eq!(both, [polish, english]);
    }

    #[test]
    fn a_payment_term_is_in_words() {
        check_term("immediate", "płatne w dniu wystawienia faktury", "due on the day of invoice");
        check_term("net 1", "przelew 1 dzień", "bank transfer, 1 day net");
        check_term("net 14", "przelew 14 dni", "bank transfer, 14 days net");
        check_term("eom 0", "do końca miesiąca", "by the end of the month of invoice");
        check_term("eom 14", "14 dni od końca miesiąca", "14 days from the end of the month");
        check_term(
            "net 30 early 2/10",
            "przelew 30 dni, skonto 2 % przy zapłacie w ciągu 10 dni",
            "bank transfer, 30 days net; 2% off if paid within 10 days",
        );
        check_term(
            "eom 10 early 1.5/1",
            "10 dni od końca miesiąca, skonto 1,5 % przy zapłacie w ciągu 1 dnia",
            "10 days from the end of the month; 1.5% off if paid within 1 day",
        );
    }
}
