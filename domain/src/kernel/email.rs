//! An e-mail address.

use std::{borrow::Cow, str::FromStr};

use email_address::{EmailAddress, Options};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernel::characters::{Use, normalised};

/// Where mail reaches somebody (RFC 5321): `jan@example.pl`, at a domain with a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address looks like jan@example.pl")]
pub struct EmailError;

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let plain = Options::default().with_required_tld().without_display_text();
        let text = normalised(text, Use::Identifier).map_err(|_| EmailError)?;
        EmailAddress::parse_with_options(text.trim(), plain.without_domain_literal())
            .map(|address| Self(address.to_string()))
            .map_err(|_| EmailError)
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Email {
    fn schema_name() -> Cow<'static, str> {
        "Email".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "email", "maxLength": 254 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_name_and_a_domain() {
        for good in ["jan@example.pl", " jan@example.pl ", "j.kowalski+b2b@sklep.example.com"] {
            assert_eq!(good.parse::<Email>().unwrap().to_string(), good.trim());
        }
        let long = format!("{}@example.pl", "a".repeat(65));
        for bad in [
            "",
            "jan",
            "@example.pl",
            "jan@",
            "jan@localhost",
            "jan @example.pl",
            "a@b@example.pl",
            "Jan <jan@example.pl>",
            "jan@[127.0.0.1]",
            "jan@exa\nmple.pl",
            &long,
        ] {
            assert_eq!(bad.parse::<Email>(), Err(EmailError), "{bad}");
        }
    }
}
