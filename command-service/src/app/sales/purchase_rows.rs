//! Rows that name products and quantities, as people paste them and other systems send them. Each
//! row is read by itself: what is wrong with one says nothing of the others.

use std::borrow::Cow;

use domain::{Gtin, Note, ProductId, Quantity, Reference, Sku, product::PackagingName};
use schemars::JsonSchema;
use serde::Deserialize;

/// So much of a product, which one of `sku`, `gtin`, `code` and `identifier` names.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PurchaseRowRequest")]
pub struct RowRequest {
    /// The seller's code of it.
    #[serde(default)]
    pub sku: Option<String>,
    /// The number under its bar code, or under that of one of its packagings, in which the quantity
    /// is then counted.
    #[serde(default)]
    pub gtin: Option<String>,
    /// What the company, or a firm above it, calls it.
    #[serde(default)]
    pub code: Option<String>,
    /// One of these three, whichever it is: looked for in this order `sku`, `code`, `gtin`.
    #[serde(default)]
    pub identifier: Option<String>,
    /// How much of it, in its units or in those of `packaging`; with a decimal point or comma.
    #[serde(default)]
    pub quantity: Option<String>,
    /// In what it is counted, such as `carton` or `karton`.
    #[serde(default)]
    pub packaging: Option<String>,
    /// What else is to be known.
    #[serde(default)]
    pub note: Option<String>,
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct PurchaseRow {
    /// Its number, counted from 1; in a sheet as a spreadsheet shows it.
    pub number: u32,
    /// What it says, or why that cannot be read.
    pub asked: Result<Asked, RowRefusal>,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub named: Named,
    /// In units of the product, or of the packaging.
    pub quantity: Quantity,
    pub packaging: Option<PackagingName>,
    pub note: Option<Note>,
}

/// By what a row names its product: the first of these that means something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub product: Option<ProductId>,
    pub sku: Option<Sku>,
    pub code: Option<Reference>,
    pub gtin: Option<Gtin>,
}

/// Why a row is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefusal {
    /// The stable code.
    pub code: Cow<'static, str>,
    /// What is wrong, in words.
    pub detail: String,
}

impl RowRefusal {
    pub fn new(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into() }
    }
}

/// What is blank says nothing.
fn said(cell: Option<&String>) -> Option<&str> {
    cell.map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
}

impl PurchaseRow {
    /// Reads a row.
    pub fn read(number: u32, row: &RowRequest) -> Self {
        Self { number, asked: asked(row) }
    }

    /// A row that names a product by its id.
    pub fn of_product(
        number: u32,
        product: ProductId,
        quantity: Quantity,
        packaging: Option<PackagingName>,
        note: Option<Note>,
    ) -> Self {
        let named = Named { product: Some(product), ..Named::default() };
        Self { number, asked: Ok(Asked { named, quantity, packaging, note }) }
    }

    /// Reads rows that have no numbers of their own.
    pub fn read_all(rows: &[RowRequest]) -> Vec<Self> {
        (1..).zip(rows).map(|(number, row)| Self::read(number, row)).collect()
    }
}

fn asked(row: &RowRequest) -> Result<Asked, RowRefusal> {
    let named = named(row)?;
    let Some(quantity) = said(row.quantity.as_ref()) else {
        return Err(RowRefusal::new("row.quantity_missing", "the row has no quantity"));
    };
    let quantity = quantity_of(quantity)?;
    let packaging = match said(row.packaging.as_ref()) {
        Some(packaging) => packaging_of(packaging)?,
        None => None,
    };
    let note = said(row.note.as_ref()).map(str::parse::<Note>).transpose();
    let note = note.map_err(|error| RowRefusal::new("row.note_invalid", error.to_string()))?;
    Ok(Asked { named, quantity, packaging, note })
}

fn named(row: &RowRequest) -> Result<Named, RowRefusal> {
    let invalid = |error: String| RowRefusal::new("row.identifier_invalid", error);
    let fields = [&row.sku, &row.gtin, &row.code, &row.identifier];
    match fields.map(|field| said(field.as_ref())) {
        [Some(sku), None, None, None] => {
            let sku =
                sku.parse().map_err(|error: domain::text::TextError| invalid(error.to_string()))?;
            Ok(Named { sku: Some(sku), ..Named::default() })
        }
        [None, Some(gtin), None, None] => {
            let gtin = gtin
                .parse()
                .map_err(|error: domain::gtin::GtinError| invalid(error.to_string()))?;
            Ok(Named { gtin: Some(gtin), ..Named::default() })
        }
        [None, None, Some(code), None] => {
            let code = code
                .parse()
                .map_err(|error: domain::text::TextError| invalid(error.to_string()))?;
            Ok(Named { code: Some(code), ..Named::default() })
        }
        [None, None, None, Some(any)] => {
            let code: Result<Reference, _> = any.parse();
            let code = code.map_err(|error| invalid(error.to_string()))?;
            let (sku, gtin) = (any.parse().ok(), any.parse().ok());
            Ok(Named { sku, code: Some(code), gtin, product: None })
        }
        [None, None, None, None] => {
            Err(RowRefusal::new("row.identifier_missing", "the row names no product"))
        }
        _ => Err(RowRefusal::new(
            "row.identifier_twice",
            "a row names its product by one of sku, gtin, code and identifier",
        )),
    }
}

/// Units that mean the unit of the product, whatever that is.
const PIECES: [&str; 10] =
    ["szt", "szt.", "sztuk", "sztuka", "sztuki", "pc", "pcs", "pcs.", "piece", "pieces"];

/// Reads a quantity as people write it: with a decimal point or comma, spaces or points between
/// thousands, perhaps with its unit behind. A single comma or point is a decimal one.
pub fn quantity_of(text: &str) -> Result<Quantity, RowRefusal> {
    let refused = |why: String| RowRefusal::new("row.quantity_invalid", why);
    let number = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '.');
    let unit = text[number.len()..].trim().to_lowercase();
    let number = if unit.is_empty() { text } else { number };
    if !unit.is_empty() && unit != "." && !PIECES.contains(&unit.as_str()) {
        return Err(refused("the quantity is no number".to_owned()));
    }
    let is_space = |letter: char| letter.is_whitespace() || letter == '\'';
    let digits: String = number.chars().filter(|letter| !is_space(*letter)).collect();
    let decimal = match (digits.rfind(','), digits.rfind('.')) {
        (Some(comma), Some(point)) => {
            let (mark, other) = if comma > point { (comma, '.') } else { (point, ',') };
            let (whole, fraction) = digits.split_at(mark);
            if whole.split(other).skip(1).any(|thousands| thousands.len() != 3) {
                return Err(refused("the quantity is no number".to_owned()));
            }
            format!("{}.{}", whole.replace(other, ""), &fraction[1..])
        }
        (Some(_), None) => digits.replacen(',', ".", 1),
        (None, _) => digits,
    };
    decimal.parse::<Quantity>().map_err(|error| refused(error.to_string()))
}

/// What packagings are called, in both languages; `None` means the unit of the product.
fn packaging_of(text: &str) -> Result<Option<PackagingName>, RowRefusal> {
    let word = text.to_lowercase();
    let word = word.trim_end_matches('.');
    Ok(Some(match word {
        "pack" | "packs" | "op" | "opak" | "opakowanie" | "opakowania" | "paczka" => {
            PackagingName::Pack
        }
        "carton" | "cartons" | "kart" | "karton" | "kartony" | "kartonów" | "krt" | "ctn" => {
            PackagingName::Carton
        }
        "layer" | "layers" | "warstwa" | "warstwy" => PackagingName::Layer,
        "pallet" | "pallets" | "pal" | "paleta" | "palety" => PackagingName::Pallet,
        "roll" | "rolls" | "rolka" | "rolki" => PackagingName::Roll,
        "bag" | "bags" | "worek" | "worki" => PackagingName::Bag,
        unit if PIECES.contains(&unit) || matches!(unit, "kg" | "m") => return Ok(None),
        _ => {
            let detail = "the packaging is none of pack, carton, layer, pallet, roll and bag";
            return Err(RowRefusal::new("row.packaging_unknown", detail));
        }
    }))
}

/// Whether a text says in what something is counted.
pub fn is_packaging(text: &str) -> bool {
    !text.is_empty() && packaging_of(text).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, quantity: Option<&str>) {
        let read = quantity_of(text).ok().map(|quantity| quantity.to_string());
        assert_eq!(read.as_deref(), quantity, "{text:?}");
    }

    #[test]
    fn quantities_are_read_as_people_write_them() {
        check("12", Some("12"));
        check("1,5", Some("1.5"));
        check("1.5", Some("1.5"));
        check("1 200", Some("1200"));
        check("1\u{a0}200,5", Some("1200.5"));
        check("1.200,5", Some("1200.5"));
        check("1,200.5", Some("1200.5"));
        check("12 szt.", Some("12"));
        check("12szt", Some("12"));
        check("12 PCS", Some("12"));
        for wrong in ["", "0", "-1", "12 kg", "dwa", "1,2,3", "1e3", "1,2345", ".", "1,2.5"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_row_names_one_product() {
        let row = |sku: &str, gtin: &str, identifier: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let (sku, gtin, identifier) = (some(sku), some(gtin), some(identifier));
            let quantity = Some("1".to_owned());
            RowRequest { sku, gtin, identifier, quantity, ..RowRequest::default() }
        };
        let code = |row: &RowRequest| asked(row).err().map(|refusal| refusal.code.into_owned());
        assert_eq!(code(&row("HK-1", "", "")), None);
        assert_eq!(code(&row("", "5901234123457", "")), None);
        assert_eq!(code(&row("", "", "5901234123457")), None);
        assert_eq!(code(&row("", "", "")).as_deref(), Some("row.identifier_missing"));
        assert_eq!(
            code(&row("HK-1", "5901234123457", "")).as_deref(),
            Some("row.identifier_twice")
        );
        assert_eq!(code(&row("", "5901234123458", "")).as_deref(), Some("row.identifier_invalid"));
        let any = asked(&row("", "", "5901234123457")).unwrap().named;
        assert!(any.sku.is_some() && any.code.is_some() && any.gtin.is_some());
    }

    #[test]
    fn packagings_have_polish_names_too() {
        assert_eq!(packaging_of("Karton"), Ok(Some(PackagingName::Carton)));
        assert_eq!(packaging_of("opak."), Ok(Some(PackagingName::Pack)));
        assert_eq!(packaging_of("szt."), Ok(None));
        assert!(packaging_of("wiadro").is_err());
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_row_is_answered(
            sku in any::<Option<String>>(),
            identifier in any::<Option<String>>(),
            quantity in any::<Option<String>>(),
            packaging in any::<Option<String>>(),
            note in any::<Option<String>>(),
        ) {
            let row =
                RowRequest { sku, identifier, quantity, packaging, note, ..RowRequest::default() };
            prop_assert_eq!(PurchaseRow::read(7, &row).number, 7);
        }
    }
}
