//! The same rows, however they are written; and whatever is pasted, each line is answered.

use domain::product::PackagingName;
use proptest::prelude::*;

use super::*;
use crate::app::sales::purchase_rows::quantity_of;

/// Text as it is sent.
fn rows_of(file: &[u8]) -> Result<Vec<PurchaseRow>, Problem> {
    of_text(&sheet::decoded(file))
}

/// Rows as `number identifier quantity`, or the code of the refusal.
#[track_caller]
fn shown(text: &str) -> Vec<String> {
    rows_of(text.as_bytes()).unwrap().iter().map(one).collect()
}

fn one(row: &PurchaseRow) -> String {
    match &row.asked {
        Err(refusal) => format!("{} {}", row.number, refusal.code),
        Ok(asked) => {
            let named = &asked.named;
            let sku = named.sku.as_ref().map(ToString::to_string);
            let gtin = named.gtin.clone().map(String::from);
            let name = sku.or(gtin).or_else(|| named.code.as_ref().map(ToString::to_string));
            format!("{} {} {}", row.number, name.unwrap(), asked.quantity)
        }
    }
}

#[test]
fn a_paste_of_a_spreadsheet() {
    assert_eq!(shown("HK-1\t2\nHK-2\t1,5\n\nHK-3\t7\r\n"), ["1 HK-1 2", "2 HK-2 1.5", "4 HK-3 7"]);
    assert_eq!(shown("2\tHK-1\n1,5\tHK-2\n"), ["1 HK-1 2", "2 HK-2 1.5"]);
    let named = "Nazwa\tIlość\tIndeks\nKawa ziarnista\t2\tHK-1\nHerbata\t3\tHK-2";
    assert_eq!(shown(named), ["2 HK-1 2", "3 HK-2 3"]);
}

#[test]
fn separators_are_found() {
    assert_eq!(shown("HK-1;2\nHK-2;1,5"), ["1 HK-1 2", "2 HK-2 1.5"]);
    assert_eq!(shown("HK-1,2\nHK-2,3"), ["1 HK-1 2", "2 HK-2 3"]);
    assert_eq!(shown("HK-1, 2\nHK-2, 3"), ["1 HK-1 2", "2 HK-2 3"]);
    assert_eq!(shown("HK-1 2\nHK-2    1,5"), ["1 HK-1 2", "2 HK-2 1.5"]);
    assert_eq!(shown("HK 1   2\nHK 2   1,5"), ["1 HK 1 2", "2 HK 2 1.5"]);
    assert_eq!(shown("sku,qty\nHK-1,2\nHK-2,\"1,5\""), ["2 HK-1 2", "3 HK-2 1.5"]);
}

#[test]
fn codes_of_digits_are_longer_than_quantities() {
    assert_eq!(shown("1001;5\n1002;12"), ["1 1001 5", "2 1002 12"]);
    assert_eq!(shown("5;1001\n12;1002"), ["1 1001 5", "2 1002 12"]);
    assert_eq!(shown("5901234123457\t3"), ["1 5901234123457 3"]);
    let unclear = rows_of(b"HK-1;2;12,50\nHK-2;3;1,99").unwrap_err();
    assert_eq!(unclear.code(), "rows.columns_unclear");
    let header = "Indeks;Ilosc;Cena\nHK-1;2;12,50\nHK-2;3;1,99";
    assert_eq!(shown(header), ["2 HK-1 2", "3 HK-2 3"]);
}

#[test]
fn each_row_has_its_own_answer() {
    let text = "sku;qty\nHK-1;2\nHK-2\n;3\nHK-4;dwa\n;;\nHK-5;1";
    assert_eq!(
        shown(text),
        [
            "2 HK-1 2",
            "3 row.quantity_missing",
            "4 row.identifier_missing",
            "5 row.quantity_invalid",
            "7 HK-5 1"
        ]
    );
    // Thousands with a space are not a code and a quantity.
    assert_eq!(shown("HK-1 2\nHK-2 1 200"), ["1 HK-1 2", "2 row.cells_ambiguous"]);
}

#[test]
fn packagings_and_notes_are_read() {
    let text = "Kod;Ilość;J.m.;Uwagi\nHK-1;2;karton;Pilne\nHK-2;3;szt.;";
    let rows = rows_of(text.as_bytes()).unwrap();
    let first = rows[0].asked.as_ref().unwrap();
    assert_eq!(first.packaging, Some(PackagingName::Carton));
    assert_eq!(first.note.as_ref().unwrap().as_str(), "Pilne");
    assert_eq!(rows[1].asked.as_ref().unwrap().packaging, None);
    let bare = rows_of("HK-1;2;karton\nHK-2;3;paleta".as_bytes()).unwrap();
    assert_eq!(bare[1].asked.as_ref().unwrap().packaging, Some(PackagingName::Pallet));
}

#[test]
fn quotes_and_encodings() {
    assert_eq!(shown("\u{feff}sku;qty\n\"HK\"\"1\";\"2\""), ["2 HK\"1 2"]);
    // A quote that is never closed, or that has text behind it, swallows nothing.
    assert_eq!(shown("\"HK-1;2\nHK-2;3"), ["1 \"HK-1 2", "2 HK-2 3"]);
    assert_eq!(shown("\"HK\"-1;2\nHK-2;3"), ["1 \"HK\"-1 2", "2 HK-2 3"]);
    let windows_1250 = b"Ilo\x9c\xe6;Indeks\n2;HK-1";
    let rows = rows_of(windows_1250).unwrap();
    assert_eq!(rows.iter().map(one).collect::<Vec<_>>(), ["2 HK-1 2"]);
}

#[test]
fn rows_have_a_limit() {
    let many = |count: usize| "HK-1;2\n".repeat(count);
    assert_eq!(rows_of(many(5_000).as_bytes()).unwrap().len(), 5_000);
    for text in [many(5_001), many(20_000), String::new(), "\n \n".to_owned()] {
        let refused = rows_of(text.as_bytes()).unwrap_err();
        assert_eq!(refused.code(), "rows.count_invalid");
    }
}

/// A name in a header, for the product and for the quantity.
const HEADERS: [Option<(&str, &str)>; 5] = [
    None,
    Some(("SKU", "Quantity")),
    Some(("Indeks", "Ilość")),
    Some(("Kod", "szt.")),
    Some(("product code", "qty")),
];

proptest! {
    #[test]
    fn any_separator_order_and_header_gives_the_same_rows(
        lines in prop::collection::vec(("[A-Z]{2}-[0-9]{1,5}", 1_u32..100_000, 0_u32..1_000), 1..30),
        separator in prop::sample::select(vec!["\t", ";", "|", "   ", " ", ","]),
        header in prop::sample::select(HEADERS.to_vec()),
        quantity_first in any::<bool>(),
        quoted in any::<bool>(),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        comma in any::<bool>(),
    ) {
        // A comma that separates cells is no decimal one, unless it is quoted.
        let mark = if comma && (separator != "," || quoted) { "," } else { "." };
        let quantity = |whole: u32, thousandths: u32| match thousandths {
            0 => whole.to_string(),
            _ => format!("{whole}{mark}{thousandths:03}"),
        };
        let cell = |text: String| if quoted { format!("\"{text}\"") } else { text };
        let record = |name: String, quantity: String| {
            let (name, quantity) = (cell(name), cell(quantity));
            let cells = if quantity_first { [quantity, name] } else { [name, quantity] };
            cells.join(separator)
        };
        let mut text: Vec<String> = header
            .iter()
            .map(|(name, quantity)| record((*name).to_owned(), (*quantity).to_owned()))
            .collect();
        let first = text.len() + 1;
        // Two words are two cells where one space separates them.
        prop_assume!(separator != " " || quoted || header.is_none_or(|(name, _)| !name.contains(' ')));
        text.extend(lines.iter().map(|(name, whole, rest)| record(name.clone(), quantity(*whole, *rest))));
        let expected: Vec<String> = lines
            .iter()
            .enumerate()
            .map(|(index, (name, whole, rest))| {
                let quantity = quantity_of(&format!("{whole}.{rest:03}")).unwrap();
                format!("{} {name} {quantity}", first + index)
            })
            .collect();
        prop_assert_eq!(shown(&text.join(end)), expected);
    }

    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        if let Ok(rows) = rows_of(&bytes) {
            prop_assert!(rows.windows(2).all(|two| two[0].number < two[1].number));
        }
        let _ = of_workbook(&bytes);
    }

    /// Lines of letters and digits: one answer for each, the header left out.
    #[test]
    fn no_line_is_lost(lines in prop::collection::vec("[A-Za-z0-9.-]{1,12}", 1..50)) {
        let text = lines.join("\n");
        if let Ok(rows) = rows_of(text.as_bytes()) {
            prop_assert!(rows.len() == lines.len() || rows.len() + 1 == lines.len());
        }
    }
}
