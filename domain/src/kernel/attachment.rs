//! An attachment: a file that stands somewhere else, named where people write to each other.
//!
//! Only the reference is kept. A digest says which file was meant, whatever stands there later.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::kernel::{Name, characters};

/// A file by reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What it is called.
    pub name: Name,
    /// Where it stands.
    pub url: AttachmentUrl,
    /// What it is, such as `application/pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// How long it is, in bytes.
    #[serde(default, deserialize_with = "size", skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Its SHA-256, in lower-case hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

/// What is attached to one thing: at most [`Attachments::MAX`] files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Attachment>", into = "Vec<Attachment>")]
pub struct Attachments(Vec<Attachment>);

/// An attachment, or attachments, that are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// More than anybody looks through.
    #[error("there are at most {} attachments", Attachments::MAX)]
    TooMany,
    /// Not where a browser would safely go, or with a password for everybody to read.
    #[error(
        "an attachment has an https URL of at most {} characters, without a user or a password",
        AttachmentUrl::MAX
    )]
    Url,
    /// Not as media types are spelled.
    #[error(
        "a media type looks like application/pdf and has at most {} characters",
        MediaType::MAX
    )]
    MediaType,
    /// Not as digests are spelled.
    #[error("a SHA-256 has 64 digits of lower-case hexadecimal")]
    Sha256,
}

/// The schema says `int64`, so clients read no more than that.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let size = Option::<u64>::deserialize(deserializer)?;
    match size {
        Some(size) if size > i64::MAX.unsigned_abs() && !characters::is_stored() => {
            Err(D::Error::custom(format!("a size is at most {}", i64::MAX)))
        }
        size => Ok(size),
    }
}

impl Attachments {
    /// The most files attached to one thing.
    pub const MAX: usize = 20;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Attachment>> for Attachments {
    type Error = AttachmentError;

    fn try_from(attachments: Vec<Attachment>) -> Result<Self, AttachmentError> {
        if attachments.len() > Self::MAX {
            return Err(AttachmentError::TooMany);
        }
        Ok(Self(attachments))
    }
}

impl From<Attachments> for Vec<Attachment> {
    fn from(attachments: Attachments) -> Self {
        attachments.0
    }
}

impl std::ops::Deref for Attachments {
    type Target = [Attachment];

    fn deref(&self) -> &[Attachment] {
        &self.0
    }
}

impl JsonSchema for Attachments {
    fn schema_name() -> Cow<'static, str> {
        "Attachments".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Attachment>(),
            "maxItems": Self::MAX,
        })
    }
}

macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident, $pattern:literal, $max:literal, $error:ident, $fits:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters.
            pub const MAX: usize = $max;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = AttachmentError;

            fn try_from(text: String) -> Result<Self, AttachmentError> {
                let fits: fn(&str) -> bool = $fits;
                if text.len() <= Self::MAX && fits(&text) {
                    Ok(Self(text))
                } else {
                    Err(AttachmentError::$error)
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = AttachmentError;

            fn from_str(text: &str) -> Result<Self, AttachmentError> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "maxLength": $max })
            }
        }
    };
}

spelled!(
    /// Where an attachment stands: an `https` URL without a user or a password in it.
    AttachmentUrl,
    r"^https://[A-Za-z0-9\-._:\[\]]+([/?#][!-~]*)?$",
    1000,
    Url,
    is_url
);
spelled!(
    /// What kind of file it is, as `Content-Type` says it, without parameters.
    MediaType,
    "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$",
    127,
    MediaType,
    |text| text.split_once('/').is_some_and(|(kind, name)| is_restricted(kind) && is_restricted(name))
);
spelled!(
    /// A SHA-256.
    Sha256,
    "^[0-9a-f]{64}$",
    64,
    Sha256,
    |text| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
);

fn is_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A backslash or an @ in the host is where readers of URLs disagree on whose host it is.
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    host.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'[')
        && host.bytes().all(is_host)
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

/// RFC 6838's restricted names.
fn is_restricted(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_size_that_every_client_reads() {
        let read = |size: u64| {
            let json = format!(r#"{{"name":"a","url":"https://a.pl/x","size":{size}}}"#);
            serde_json::from_str::<Attachment>(&json).map(|attachment| attachment.size).ok()
        };
        let largest = i64::MAX.unsigned_abs();
        assert_eq!(read(largest), Some(Some(largest)));
        assert_eq!(read(largest + 1), None);
        assert_eq!(characters::stored(|| read(largest + 1)), Some(Some(largest + 1)));
    }

    #[test]
    fn stands_at_an_https_url_without_a_password_in_it() {
        let long = |length: usize| format!("https://a.pl/{}", "a".repeat(length - 13));
        for (text, fits) in [
            ("https://pliki.example.pl/oferta.pdf", true),
            ("https://pliki.example.pl:8443/a/b?c=d&e=%20#f", true),
            ("https://[2001:db8::1]/a", true),
            ("https://example.pl", true),
            ("https://example.pl/reply@all", true),
            (long(1000).as_str(), true),
            (long(1001).as_str(), false),
            ("http://example.pl/a", false),
            ("HTTPS://example.pl/a", false),
            ("ftp://example.pl/a", false),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https:///a", false),
            ("https://?a", false),
            ("https://.example.pl/", false),
            ("https://jan:haslo@example.pl/a", false),
            ("https://jan@example.pl", false),
            ("https://example.pl\\@evil.example/a", false),
            ("https://example.pl/a b", false),
            ("https://example.pl/a\nb", false),
            ("https://żółw.pl/", false),
        ] {
            assert_eq!(text.parse::<AttachmentUrl>().is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn says_what_it_is_as_content_types_and_digests_are_spelled() {
        for (text, fits) in [
            ("application/pdf", true),
            ("image/svg+xml", true),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true),
            ("text/plain; charset=utf-8", false),
            ("pdf", false),
            ("/pdf", false),
            ("application/", false),
            ("a/b/c", false),
            (format!("a/{}", "b".repeat(126)).as_str(), false),
        ] {
            assert_eq!(text.parse::<MediaType>().is_ok(), fits, "{text}");
        }
        let digest = "0a".repeat(32);
        assert!(digest.parse::<Sha256>().is_ok());
        assert!(digest.to_uppercase().parse::<Sha256>().is_err());
        assert!(digest[1..].parse::<Sha256>().is_err());
        assert!(format!("g{}", &digest[1..]).parse::<Sha256>().is_err());
    }

    #[test]
    fn comes_with_at_most_twenty_and_names_no_more_than_it_knows() {
        let attachment = Attachment {
            name: "Rysunek".parse().unwrap(),
            url: "https://example.pl/r.pdf".parse().unwrap(),
            media_type: None,
            size: None,
            sha256: None,
        };
        let json = r#"{"name":"Rysunek","url":"https://example.pl/r.pdf"}"#;
        assert_eq!(serde_json::to_string(&attachment).unwrap(), json);
        assert_eq!(serde_json::from_str::<Attachment>(json).unwrap(), attachment);
        let many = |count| Attachments::try_from(vec![attachment.clone(); count]);
        assert_eq!(many(Attachments::MAX).unwrap().len(), 20);
        assert_eq!(many(Attachments::MAX + 1), Err(AttachmentError::TooMany));
        assert!(serde_json::from_str::<Attachments>("[]").unwrap().is_empty());
    }
}
