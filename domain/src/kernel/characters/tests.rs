//! What every identifier, name and text does with characters.

use std::{collections::BTreeSet, fmt::Display, fs, path::Path, str::FromStr};

use serde::de::DeserializeOwned;

use super::*;
use crate::{
    billing::series::Number,
    catalogue::product::details::{CnCode, ImageUrl, Pkwiu, Text},
    kernel::{
        CostCentre, CountryCode, Email, GroupCode, Gtin, Iban, Language, Message, Name, Nip, Note,
        Reference, Sku, VatNumber, WarehouseCode,
        attachment::{AttachmentUrl, MediaType, Sha256},
    },
    parties::white_list::Mask,
};

/// What cannot be seen: zero width, direction, a filler, a selector, a tag, private, unassigned.
const UNSEEN: [char; 12] = [
    '\u{200b}',
    '\u{200d}',
    '\u{feff}',
    '\u{ad}',
    '\u{202e}',
    '\u{2066}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{e0041}',
    '\u{e000}',
    '\u{2065}',
    '\u{2028}',
];

/// A kind of text: its type, what it is for, and a text of it.
struct Kind {
    name: &'static str,
    r#use: Use,
    example: &'static str,
    /// The text that JSON reads, and that stored JSON reads.
    read: fn(&str) -> Option<String>,
}

fn read<T: DeserializeOwned + Into<String>>(text: &str) -> Option<String> {
    let text = serde_json::Value::String(text.to_owned());
    serde_json::from_value::<T>(text).ok().map(Into::into)
}

macro_rules! kinds {
    ($($name:ident $use:ident $example:literal),+ $(,)?) => {
        [$(Kind {
            name: stringify!($name),
            r#use: Use::$use,
            example: $example,
            read: read::<$name>,
        }),+]
    };
}

const KINDS: [Kind; 22] = kinds! {
    AttachmentUrl Identifier "https://example.com/a",
    CnCode Identifier "22011011",
    CostCentre Identifier "kuchnia 2",
    CountryCode Identifier "PL",
    Email Identifier "jan@example.pl",
    GroupCode Identifier "hotele",
    Gtin Identifier "5901234123457",
    Iban Identifier "PL61109010140000071219812874",
    ImageUrl Identifier "https://example.com/a.png",
    Language Identifier "en",
    Mask Identifier "XX12406960YYYXXXXXXXXXXXXX",
    MediaType Identifier "application/pdf",
    Message Words "Dzień dobry",
    Name Name "Kawa",
    Nip Identifier "5260250274",
    Note Words "po terminie",
    Number Identifier "FV/2026/11/0042",
    Pkwiu Identifier "10.83.11.0",
    Reference Identifier "ERP-7",
    Sha256 Identifier "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    Sku Identifier "BL-22",
    WarehouseCode Identifier "WAW-1",
};

/// `Text` and `VatNumber` are made by other macros or parsers; they stand in the same table.
fn kinds() -> Vec<Kind> {
    let others = kinds! {
        Text Words "Kawa ziarnista",
        VatNumber Identifier "PL5260250274",
    };
    KINDS.into_iter().chain(others).collect()
}

/// Every newtype of a text in this crate stands in the table above.
#[test]
fn every_kind_of_text_is_tried() {
    let mut found = BTreeSet::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let mut is_text = false;
        for line in source.lines() {
            if let Some((name, "String);")) =
                line.trim().strip_prefix("pub struct ").and_then(|rest| rest.split_once('('))
                && !name.starts_with('$')
            {
                found.insert(name.to_owned());
            }
            // A macro that makes one names it on a line by itself, or with what it is called.
            match line {
                "text!(" | "spelled!(" => is_text = true,
                ");" => is_text = false,
                _ if is_text && !line.trim().starts_with("//") => {
                    let name = line.trim().split(',').next().unwrap_or_default();
                    found.insert(name.to_owned());
                    is_text = false;
                }
                _ => {}
            }
        }
    }
    let tried: BTreeSet<String> = kinds().iter().map(|kind| kind.name.to_owned()).collect();
    assert_eq!(found, tried);
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] }
        })
        .collect()
}

#[test]
fn what_cannot_be_seen_tells_nothing_apart() {
    for Kind { name, r#use, example, read } in kinds() {
        assert_eq!(read(example).as_deref(), Some(example), "{name}");
        for unseen in UNSEEN {
            let middle = example.char_indices().nth(1).map_or(0, |(index, _)| index);
            for index in [0, middle, example.len()] {
                let mut text = example.to_owned();
                text.insert(index, unseen);
                let then = read(&text);
                let is_left_out = then.as_deref() == Some(example);
                match r#use {
                    Use::Identifier | Use::Name => assert_eq!(then, None, "{name}: {text:?}"),
                    Use::Words => assert!(is_left_out, "{name}: {text:?} is {then:?}"),
                }
            }
        }
        for control in ['\0', '\u{7}', '\u{85}'] {
            let text = format!("{example}{control}{example}");
            assert_eq!(read(&text), None, "{name}: {text:?}");
        }
    }
}

/// Forms of one text are one text, or none.
#[test]
fn forms_of_a_text_are_one() {
    for Kind { name, r#use, example, read } in kinds() {
        let wide: String = example
            .chars()
            .map(|one| match one {
                '!'..='~' => char::from_u32(u32::from(one) + 0xfee0).unwrap(),
                other => other,
            })
            .collect();
        let then = read(&wide);
        if r#use == Use::Identifier {
            assert!(then.is_none_or(|text| text == example), "{name}: {wide}");
        }
        let composed = read(&format!("{example}\u{f3}"));
        let apart = read(&format!("{example}o\u{301}"));
        assert_eq!(composed, apart, "{name}");
    }
    let same = |one: &str, other: &str| {
        assert_eq!(one.parse::<Sku>().unwrap(), other.parse::<Sku>().unwrap());
    };
    same("ＢＬ－２２", "BL-22");
    same("cafe\u{301}", "caf\u{e9}");
    same("BL\u{a0}22", "BL 22");
    assert_ne!("bl-22".parse::<Sku>(), "BL-22".parse::<Sku>());
}

#[test]
fn a_refusal_names_the_character() {
    fn words<T: FromStr<Err: Display>>(text: &str) -> String {
        text.parse::<T>().map(|_| ()).unwrap_err().to_string()
    }
    let refused = words::<Sku>("BL-22\u{200b}");
    assert_eq!(refused, "a SKU must not contain the character U+200B, which cannot be seen");
}

/// Older builds stored what would be refused today.
#[test]
fn what_is_stored_is_read_as_it_is() {
    for odd in ["BL-22\u{200b}", "ＢＬ－２２", "cafe\u{301}", "\u{202e}22"] {
        let json = serde_json::Value::String(odd.to_owned());
        let read = stored(|| serde_json::from_value::<Sku>(json).unwrap());
        assert_eq!(read.as_str(), odd);
    }
    assert_eq!(identifier_of("BL-22\u{200b}"), "BL-22");
    assert_eq!(identifier_of("ＢＬ－２２\u{feff}"), "BL-22");
    assert_eq!(identifier_of("\u{200b}"), "");
    assert!("BL\u{200b}".parse::<Sku>().is_err(), "only what is read within `stored`");
}

/// Joiners form letters of other scripts, and families of pictures.
#[test]
fn names_are_written_in_every_script() {
    for name in ["نامه‌ای", "क्‍ष", "👩‍👩‍👧 ❤️", "Łódź", "Ελλάδα", "東京"]
    {
        assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
    }
    assert!("Ka\u{200d}wa".parse::<Name>().is_err());
}
