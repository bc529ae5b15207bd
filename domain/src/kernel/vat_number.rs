//! EU VAT number: by which a company is known in trade between member states.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Use, normalised};

/// A VAT number with its country before it, in the form and with the check digits of that country.
/// Whether it is registered is for VIES to say.
///
/// Source: Directive 2006/112/EC, art. 214 and 215; forms as VIES publishes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VatNumber(String);

/// A text that is no EU VAT number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an EU VAT number is a country and its number, such as PL5260250274 or DE136695976")]
pub struct VatNumberError;

impl VatNumber {
    /// The number with its country.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for VatNumber {
    type Err = VatNumberError;

    fn from_str(text: &str) -> Result<Self, VatNumberError> {
        let text = normalised(text, Use::Identifier).map_err(|_| VatNumberError)?;
        let number = eu_vat::Vat::parse(&text).map_err(|_| VatNumberError)?;
        Ok(Self(number.to_string()))
    }
}

impl TryFrom<String> for VatNumber {
    type Error = VatNumberError;

    fn try_from(text: String) -> Result<Self, VatNumberError> {
        text.parse()
    }
}

impl From<VatNumber> for String {
    fn from(number: VatNumber) -> Self {
        number.0
    }
}

impl JsonSchema for VatNumber {
    fn schema_name() -> Cow<'static, str> {
        "VatNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An EU VAT number with its country before it",
            "minLength": 4,
            "maxLength": 20,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, then: Result<&str, VatNumberError>) {
        assert_eq!(
            text.parse::<VatNumber>().as_ref().map(VatNumber::as_str),
            then.as_ref().copied()
        );
    }

    #[test]
    fn has_the_form_of_its_country() {
        check("PL5260250274", Ok("PL5260250274"));
        check("PL 526-025-02-74", Ok("PL5260250274"));
        check("DE136695976", Ok("DE136695976"));
        check("PL1234567890", Err(VatNumberError));
        check("5260250274", Err(VatNumberError));
        check("US123456789", Err(VatNumberError));
        check("", Err(VatNumberError));
    }
}
