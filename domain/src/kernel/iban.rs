//! IBAN: the number of a bank account.

use std::borrow::Cow;

use iban::IbanLike;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Use, normalised};

/// A valid IBAN, kept without spaces. A Polish account may be given as its NRB of 26 digits, and
/// spaces in groups of four are accepted on input.
///
/// Source: ISO 13616; check digits by ISO 7064 mod 97-10, lengths by the SWIFT registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iban(String);

/// A text that is no account number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account number is an IBAN, or a Polish NRB of 26 digits, with right check digits")]
pub struct IbanError;

impl Iban {
    /// The whole number: country, check digits, account.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 26 digits by which a Polish account is known at home; `None` for one abroad.
    pub fn nrb(&self) -> Option<&str> {
        self.0.strip_prefix("PL")
    }
}

impl std::str::FromStr for Iban {
    type Err = IbanError;

    fn from_str(text: &str) -> Result<Self, IbanError> {
        let text = normalised(text, Use::Identifier).map_err(|_| IbanError)?;
        let bare: String = text.chars().filter(|character| *character != ' ').collect();
        let is_nrb = bare.len() == 26 && bare.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_nrb { format!("PL{bare}") } else { bare };
        let checked: iban::Iban = number.parse().map_err(|_| IbanError)?;
        Ok(Self(checked.electronic_str().to_owned()))
    }
}

impl TryFrom<String> for Iban {
    type Error = IbanError;

    fn try_from(text: String) -> Result<Self, IbanError> {
        text.parse()
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.0
    }
}

impl std::fmt::Display for Iban {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Iban {
    fn schema_name() -> Cow<'static, str> {
        "Iban".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An IBAN, or a Polish NRB of 26 digits, with its check digits",
            "pattern": "^([A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,38}|[0-9]{2}( ?[0-9]{4}){6})$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, then: Result<&str, IbanError>) {
        assert_eq!(text.parse::<Iban>().as_ref().map(Iban::as_str), then.as_ref().copied());
    }

    #[test]
    fn accepts_only_right_check_digits() {
        let valid = Ok("PL61109010140000071219812874");
        check("PL61109010140000071219812874", valid);
        check("61109010140000071219812874", valid);
        check("61 1090 1014 0000 0712 1981 2874", valid);
        check("PL61 1090 1014 0000 0712 1981 2874", valid);
        check("PL62109010140000071219812874", Err(IbanError));
        check("DE89370400440532013000", Ok("DE89370400440532013000"));
        for text in ["", "PL", "6110901014000007121981287", "PL6110901014000007121981287x", "٦١"]
        {
            check(text, Err(IbanError));
        }
    }

    #[test]
    fn an_nrb_is_polish() {
        let nrb = |text: &str| text.parse::<Iban>().unwrap().nrb().map(str::to_owned);
        assert_eq!(nrb("PL61109010140000071219812874").unwrap(), "61109010140000071219812874");
        assert_eq!(nrb("DE89370400440532013000"), None);
    }
}
