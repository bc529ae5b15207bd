//! The VAT white list: whether an account belongs to a taxpayer, by the flat file that the tax
//! administration publishes every day.
//!
//! Paying an invoice of more than 15,000 PLN to an account that is not listed costs the payer the
//! tax deduction, so both sides care.
//!
//! Source: Ministerstwo Finansów, "Plik płaski": the file holds SHA-512 digests of day, NIP and
//! account, hashed again and again, and masks for accounts that banks make up per payer.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use uuid::Uuid;

use crate::kernel::Nip;

/// What one day's flat file says besides its digests: how they are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhiteList {
    /// How its digests are made.
    #[serde(rename = "naglowek")]
    pub header: Header,
    /// Accounts that banks make up per payer.
    #[serde(rename = "maski")]
    pub masks: Vec<Mask>,
}

/// Of which day a flat file is, and how often it hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    #[serde(rename = "dataGenerowaniaDanych")]
    day: Day,
    #[serde(rename = "liczbaTransformacji")]
    rounds: Rounds,
}

/// `20240725`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Day(Date);

/// How often is hashed; the file says it as text, and no file asks for more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Rounds(u32);

/// 26 characters: `Y` takes the digit of the account, `X` stays, any other must equal the digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mask(String);

/// A flat file that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhiteListError {
    /// The day of the file.
    #[error("the day of a flat file looks like 20240725")]
    Day,
    /// How often is hashed.
    #[error("a flat file asks for between 1 and {} rounds of hashing", Rounds::MOST)]
    Rounds,
    /// A digest.
    #[error("a digest is 128 hexadecimal digits")]
    Digest,
    /// A mask.
    #[error("a mask has 26 characters: digits, X and Y")]
    Mask,
}

/// As what the holder of an account is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// An active taxpayer.
    Active,
    /// One exempt from VAT.
    Exempt,
}

/// The beginning of a digest, as it is kept: 128 bits tell some five million digests apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(pub Uuid);

impl WhiteList {
    /// Of which day the file is; it says nothing about others.
    pub fn day(&self) -> Date {
        self.header.day.0
    }

    /// What the file has if an account, given as its NRB, is listed for a taxpayer: the mark of
    /// the account as it stands, then those through every mask that fits it.
    pub fn marks(&self, nip: &Nip, nrb: &str) -> Vec<Mark> {
        let masked = self.masks.iter().filter_map(|mask| mask.applied(nrb));
        std::iter::once(nrb.to_owned())
            .chain(masked)
            .filter_map(|account| digest(self.header, nip, &account).parse().ok())
            .collect()
    }
}

impl std::str::FromStr for Mark {
    type Err = WhiteListError;

    fn from_str(digest: &str) -> Result<Self, WhiteListError> {
        let is_digest = digest.len() == 128 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let beginning = digest.get(..32).filter(|_| is_digest).ok_or(WhiteListError::Digest)?;
        Uuid::try_parse(beginning).map(Self).map_err(|_| WhiteListError::Digest)
    }
}

impl Mask {
    fn applied(&self, nrb: &str) -> Option<String> {
        if nrb.len() != self.0.len() {
            return None;
        }
        self.0
            .chars()
            .zip(nrb.chars())
            .map(|(mask, digit)| match mask {
                'Y' => Some(digit),
                'X' => Some('X'),
                fixed => (fixed == digit).then_some(digit),
            })
            .collect()
    }
}

/// SHA-512 of day, NIP and account, then of its own lower-case hex, `rounds` times in all.
fn digest(Header { day, rounds }: Header, nip: &Nip, account: &str) -> String {
    let first = format!("{}{nip}{account}", String::from(day));
    (0..rounds.0).fold(first, |text, _| hex(&Sha512::digest(text)))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

impl TryFrom<String> for Day {
    type Error = WhiteListError;

    fn try_from(text: String) -> Result<Self, WhiteListError> {
        Date::strptime("%Y%m%d", text).map(Self).map_err(|_| WhiteListError::Day)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0.strftime("%Y%m%d").to_string()
    }
}

impl Rounds {
    const MOST: u32 = 100_000;
}

impl TryFrom<String> for Rounds {
    type Error = WhiteListError;

    fn try_from(text: String) -> Result<Self, WhiteListError> {
        let rounds = text.parse().map_err(|_| WhiteListError::Rounds)?;
        if (1..=Self::MOST).contains(&rounds) {
            Ok(Self(rounds))
        } else {
            Err(WhiteListError::Rounds)
        }
    }
}

impl From<Rounds> for String {
    fn from(rounds: Rounds) -> Self {
        rounds.0.to_string()
    }
}

impl From<Mask> for String {
    fn from(mask: Mask) -> Self {
        mask.0
    }
}

impl TryFrom<String> for Mask {
    type Error = WhiteListError;

    fn try_from(text: String) -> Result<Self, WhiteListError> {
        let fits = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'X' | b'Y');
        if text.len() == 26 && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(WhiteListError::Mask)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "51195000012006007341830002";
    const VIRTUAL: &str = "71124069606666000007118600";
    const MASK: &str = "XX12406960YYYXXXXXXXXXXXXX";

    fn nip(text: &str) -> Nip {
        text.parse().unwrap()
    }

    /// The head of the example day's file, with these masks.
    fn file(masks: &[&str]) -> WhiteList {
        serde_json::from_value(serde_json::json!({
            "naglowek": {
                "dataGenerowaniaDanych": "20240725", "liczbaTransformacji": "5000",
                "schemat": "RRRRMMDDNNNNNNNNNNBBBBBBBBBBBBBBBBBBBBBBBBBB",
            },
            "maski": masks,
        }))
        .unwrap()
    }

    /// The examples of the specification.
    #[test]
    fn hashes_as_the_ministry_does() {
        let header = file(&[]).header;
        let plain = digest(header, &nip("5512393471"), ACCOUNT);
        assert!(plain.starts_with("140bebae8e72c6d3bbe80524"), "{plain}");
        let masked = Mask(MASK.to_owned()).applied(VIRTUAL).unwrap();
        assert_eq!(masked, "XX12406960666XXXXXXXXXXXXX");
        let masked = digest(header, &nip("7740001454"), &masked);
        assert!(masked.starts_with("db387083c45fa318d4c7a13a"), "{masked}");
    }

    #[test]
    fn marks_accounts_as_they_stand_and_through_masks_that_fit() {
        let beginnings = |list: &WhiteList, owner: &str, account: &str| {
            let marks = list.marks(&nip(owner), account);
            marks.iter().map(|mark| mark.0.simple().to_string()).collect::<Vec<_>>()
        };
        let list = file(&["YY99999999YYYXXXXXXXXXXXXX", MASK]);
        let plain = beginnings(&list, "5512393471", ACCOUNT);
        assert_eq!(plain.len(), 1, "no mask fits");
        assert!(plain[0].starts_with("140bebae8e72c6d3bbe80524"), "{plain:?}");
        let masked = beginnings(&list, "7740001454", VIRTUAL);
        assert_eq!(masked.len(), 2, "one mask fits");
        assert!(masked[1].starts_with("db387083c45fa318d4c7a13a"), "{masked:?}");
        assert_eq!(beginnings(&list, "5512393471", "no account").len(), 1);
    }

    #[test]
    fn refuses_what_is_no_flat_file() {
        let read = |day: &str, rounds: &str, mask: &str| {
            serde_json::from_value::<WhiteList>(serde_json::json!({
                "naglowek": { "dataGenerowaniaDanych": day, "liczbaTransformacji": rounds },
                "maski": [mask],
            }))
        };
        assert!(read("20240725", "5000", MASK).is_ok());
        assert!(read("2024-07-25", "5000", MASK).is_err());
        assert!(read("20240725", "0", MASK).is_err());
        assert!(read("20240725", "999999999", MASK).is_err());
        assert!(read("20240725", "5000", "ZZ12406960YYYXXXXXXXXXXXXX").is_err());
        assert_eq!("ab".repeat(64).parse::<Mark>().map(|mark| mark.0.as_u128() >> 120), Ok(0xab));
        assert_eq!("ab".parse::<Mark>(), Err(WhiteListError::Digest));
        assert_eq!("ż".repeat(64).parse::<Mark>(), Err(WhiteListError::Digest));
    }
}
