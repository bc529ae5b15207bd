//! Where a company gets its post and its goods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{CountryCode, Name, Reference};

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "AddressJson")]
#[schemars(with = "AddressJson")]
pub struct Address {
    /// Who takes it in there, when it is not the company by its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<Name>,
    street: Name,
    postal_code: Reference,
    city: Name,
    country: CountryCode,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A Polish postal code is two digits, a dash and three digits.
    #[error("a Polish postal code looks like 00-950")]
    PostalCode,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Address")]
struct AddressJson {
    /// Who takes it in there, when it is not the company by its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient: Option<Name>,
    /// Street, house and flat.
    street: Name,
    /// In Poland `00-950`.
    postal_code: Reference,
    city: Name,
    country: CountryCode,
}

impl Address {
    /// Where a company is known by its own name.
    pub fn new(
        street: Name,
        postal_code: Reference,
        city: Name,
        country: CountryCode,
    ) -> Result<Self, AddressError> {
        AddressJson { recipient: None, street, postal_code, city, country }.try_into()
    }

    /// Who takes it in there, when it is not the company by its own name.
    pub fn recipient(&self) -> Option<&Name> {
        self.recipient.as_ref()
    }

    /// Street, house and flat.
    pub fn street(&self) -> &Name {
        &self.street
    }

    /// In Poland `00-950`.
    pub fn postal_code(&self) -> &Reference {
        &self.postal_code
    }

    /// The city.
    pub fn city(&self) -> &Name {
        &self.city
    }

    /// The country.
    pub fn country(&self) -> &CountryCode {
        &self.country
    }
}

impl TryFrom<AddressJson> for Address {
    type Error = AddressError;

    fn try_from(json: AddressJson) -> Result<Self, AddressError> {
        let AddressJson { recipient, street, postal_code, city, country } = json;
        if country.as_str() == "PL" && !is_polish(postal_code.as_str()) {
            return Err(AddressError::PostalCode);
        }
        Ok(Self { recipient, street, postal_code, city, country })
    }
}

fn is_polish(code: &str) -> bool {
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    code.split_once('-').is_some_and(|(area, rest)| digits(area, 2) && digits(rest, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(postal_code: &str, country: &str, is_right: bool) {
        let json = format!(
            r#"{{"street":"Marszałkowska 1","postal_code":"{postal_code}","city":"Warszawa","country":"{country}"}}"#
        );
        match serde_json::from_str::<Address>(&json) {
            Ok(address) => {
                assert!(is_right, "{json}");
                assert_eq!(serde_json::to_string(&address).unwrap(), json);
            }
            Err(error) => assert!(!is_right, "{json}: {error}"),
        }
    }

    #[test]
    fn has_a_postal_code_of_its_country() {
        check("00-950", "PL", true);
        check("00950", "PL", false);
        check("0-0950", "PL", false);
        check("00-95O", "PL", false);
        check("10115", "DE", true);
        check("SW1A 1AA", "GB", true);
        check("", "DE", false);
        check("10115", "Germany", false);
    }
}
