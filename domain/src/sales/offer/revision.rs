//! A numbered revision of an offer: what a company saw, for ever as it was.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Error, Proposal};

/// What was put before the company. It never changes; what is changed is the next revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// By what acceptance names it.
    pub stamp: Stamp,
    /// What it says.
    pub proposal: Proposal,
    /// Whether it came of a negotiation, so that both have agreed on it.
    pub negotiated: bool,
}

/// Names a revision and what it says: nobody accepts what they did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stamp {
    /// Counted from 1.
    #[serde(rename = "revision")]
    pub number: u32,
    /// Of all that it says.
    pub digest: Digest,
}

impl Stamp {
    /// Names a proposal as the revision of this number.
    pub fn of(number: u32, proposal: &Proposal) -> Self {
        Self { number, digest: Digest::of(number, proposal) }
    }

    /// Refuses another revision than the one that stands, and another content.
    pub(super) fn must_be(self, standing: Self) -> Result<(), Error> {
        if self.number != standing.number {
            return Err(Error::NotTheStandingRevision { standing: standing.number });
        }
        if self.digest != standing.digest {
            return Err(Error::OtherContent { revision: self.number });
        }
        Ok(())
    }
}

/// SHA-256 of a revision's number and of its proposal as JSON, in 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits, in lower case")]
pub struct DigestError;

impl Digest {
    fn of(number: u32, proposal: &Proposal) -> Self {
        let mut digest = Sha256::new();
        digest.update(format!("kontor offer revision {number}\n"));
        // A proposal has text for its keys and nothing that JSON cannot say.
        digest.update(serde_json::to_vec(proposal).expect("a proposal is JSON"));
        Self(digest.finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl std::str::FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_spelled =
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_spelled {
            return Err(DigestError);
        }
        let mut digest = [0; 32];
        for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| DigestError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| DigestError)?;
        }
        Ok(Self(digest))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "SHA-256, in 64 hexadecimal digits",
            "pattern": "^[0-9a-f]{64}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_spelled_one_way() {
        let text = "00ff".repeat(16);
        let digest: Digest = text.parse().unwrap();
        assert_eq!(digest.to_string(), text);
        for wrong in ["", "00", &text.to_uppercase(), &format!("{text}00"), &"0é".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(DigestError), "{wrong}");
        }
    }
}
