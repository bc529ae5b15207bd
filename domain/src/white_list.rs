//! The VAT white list: whether an account belongs to a taxpayer, by the flat file that the tax
//! administration publishes every day.
//!
//! Paying an invoice of more than 15,000 PLN to an account that is not listed costs the payer the
//! tax deduction, so both sides care.
//!
//! Source: Ministerstwo Finansów, "Plik płaski": the file holds SHA-512 digests of day, NIP and
//! account, hashed again and again, and masks for accounts that banks make up per payer.

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha512};

use crate::Nip;

/// One day's flat file.
#[derive(Debug, Clone, Deserialize)]
pub struct WhiteList {
    #[serde(rename = "naglowek")]
    header: Header,
    #[serde(rename = "skrotyPodatnikowCzynnych")]
    active: HashSet<String>,
    #[serde(rename = "skrotyPodatnikowZwolnionych")]
    exempt: HashSet<String>,
    #[serde(rename = "maski")]
    masks: Vec<Mask>,
}

#[derive(Debug, Clone, Deserialize)]
struct Header {
    #[serde(rename = "dataGenerowaniaDanych")]
    day: Day,
    #[serde(rename = "liczbaTransformacji")]
    rounds: Rounds,
}

/// `20240725`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Day(Date);

/// How often is hashed; the file says it as text, and no file asks for more than this.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Rounds(u32);

/// 26 characters: `Y` takes the digit of the account, `X` stays, any other must equal the digit.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Mask(String);

/// A flat file that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhiteListError {
    /// The day of the file.
    #[error("the day of a flat file looks like 20240725")]
    Day,
    /// How often is hashed.
    #[error("a flat file asks for between 1 and {} rounds of hashing", Rounds::MOST)]
    Rounds,
    /// A mask.
    #[error("a mask has 26 characters: digits, X and Y")]
    Mask,
}

/// As what the holder of an account is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// An active taxpayer.
    Active,
    /// One exempt from VAT.
    Exempt,
}

impl WhiteList {
    /// Of which day the file is; it says nothing about others.
    pub fn day(&self) -> Date {
        self.header.day.0
    }

    /// Whether an account, given as its NRB, is listed for a taxpayer: as it stands first, then
    /// through every mask that fits it.
    pub fn find(&self, nip: &Nip, nrb: &str) -> Option<Listed> {
        let masked = self.masks.iter().filter_map(|mask| mask.applied(nrb));
        std::iter::once(nrb.to_owned()).chain(masked).find_map(|account| {
            let digest = digest(self.day(), nip, &account, self.header.rounds.0);
            if self.active.contains(&digest) {
                Some(Listed::Active)
            } else if self.exempt.contains(&digest) {
                Some(Listed::Exempt)
            } else {
                None
            }
        })
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
fn digest(day: Date, nip: &Nip, account: &str, rounds: u32) -> String {
    let first = format!("{}{nip}{account}", day.strftime("%Y%m%d"));
    (0..rounds).fold(first, |text, _| hex(&Sha512::digest(text)))
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

    /// The file of the example day, with these digests.
    fn file(active: &[&str], exempt: &[&str], masks: &[&str]) -> WhiteList {
        serde_json::from_value(serde_json::json!({
            "naglowek": {
                "dataGenerowaniaDanych": "20240725", "liczbaTransformacji": "5000",
                "schemat": "RRRRMMDDNNNNNNNNNNBBBBBBBBBBBBBBBBBBBBBBBBBB",
            },
            "skrotyPodatnikowCzynnych": active,
            "skrotyPodatnikowZwolnionych": exempt,
            "maski": masks,
        }))
        .unwrap()
    }

    /// The examples of the specification.
    #[test]
    fn hashes_as_the_ministry_does() {
        let day = jiff::civil::date(2024, 7, 25);
        let plain = digest(day, &nip("5512393471"), ACCOUNT, 5000);
        assert!(plain.starts_with("140bebae8e72c6d3bbe80524"), "{plain}");
        let masked = Mask(MASK.to_owned()).applied(VIRTUAL).unwrap();
        assert_eq!(masked, "XX12406960666XXXXXXXXXXXXX");
        let masked = digest(day, &nip("7740001454"), &masked, 5000);
        assert!(masked.starts_with("db387083c45fa318d4c7a13a"), "{masked}");
    }

    #[test]
    fn finds_accounts_as_they_stand_and_through_masks() {
        let day = jiff::civil::date(2024, 7, 25);
        let of = |owner: &str, account: &str| digest(day, &nip(owner), account, 5000);
        let plain = of("5512393471", ACCOUNT);
        let masked = of("7740001454", "XX12406960666XXXXXXXXXXXXX");
        let other_mask = "YY99999999YYYXXXXXXXXXXXXX";
        let list = file(&[&plain], &[&masked], &[other_mask, MASK]);
        assert_eq!(list.find(&nip("5512393471"), ACCOUNT), Some(Listed::Active));
        assert_eq!(list.find(&nip("7740001454"), VIRTUAL), Some(Listed::Exempt));
        assert_eq!(list.find(&nip("7740001454"), ACCOUNT), None);
        assert_eq!(list.find(&nip("5512393471"), VIRTUAL), None);
        assert_eq!(list.find(&nip("5512393471"), "no account"), None);
        let without_masks = file(&[&plain], &[&masked], &[]);
        assert_eq!(without_masks.find(&nip("7740001454"), VIRTUAL), None);
    }

    #[test]
    fn refuses_what_is_no_flat_file() {
        let read = |day: &str, rounds: &str, mask: &str| {
            serde_json::from_value::<WhiteList>(serde_json::json!({
                "naglowek": { "dataGenerowaniaDanych": day, "liczbaTransformacji": rounds },
                "skrotyPodatnikowCzynnych": [], "skrotyPodatnikowZwolnionych": [], "maski": [mask],
            }))
        };
        assert!(read("20240725", "5000", MASK).is_ok());
        assert!(read("2024-07-25", "5000", MASK).is_err());
        assert!(read("20240725", "0", MASK).is_err());
        assert!(read("20240725", "999999999", MASK).is_err());
        assert!(read("20240725", "5000", "ZZ12406960YYYXXXXXXXXXXXXX").is_err());
    }
}
