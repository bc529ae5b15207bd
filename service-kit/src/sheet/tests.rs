//! Sheets as programs write them.

use super::*;

#[track_caller]
fn check(file: &[u8], header: &[&str], rows: &[(u32, &[&str])]) {
    let sheet = read(file, Format::Csv).unwrap();
    assert_eq!(sheet.header, header);
    let read: Vec<(u32, Vec<&str>)> = sheet
        .rows
        .iter()
        .map(|row| (row.number, row.cells.iter().map(String::as_str).collect()))
        .collect();
    let rows: Vec<(u32, Vec<&str>)> = rows.iter().map(|(n, cells)| (*n, cells.to_vec())).collect();
    assert_eq!(read, rows);
}

#[test]
fn csv_comes_with_any_separator_and_encoding() {
    let rows: &[(u32, &[&str])] = &[(2, &["Żółw, mały", "1,5"])];
    check("SKU;Cena\nŻółw, mały;1,5\n".as_bytes(), &["sku", "cena"], rows);
    check("\u{feff}Sku\tcena\r\nŻółw, mały\t1,5\r\n".as_bytes(), &["sku", "cena"], rows);
    check("sku,cena\n\"Żółw, mały\",\"1,5\"".as_bytes(), &["sku", "cena"], rows);
    check(b"sku;cena\n\xaf\xf3\xb3w, ma\xb3y;1,5", &["sku", "cena"], rows);
    let utf16: Vec<u8> =
        "\u{feff}sku\tcena\nŻółw, mały\t1,5".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(&utf16, &["sku", "cena"], rows);
}

#[test]
fn blank_rows_are_left_out_and_numbers_stay() {
    let file = b"sku,note\n\n A ,\"two\nlines\"\n,,\nB\n";
    check(file, &["sku", "note"], &[(3, &["A", "two\nlines"]), (6, &["B", ""])]);
}

#[test]
fn what_is_no_sheet_is_refused() {
    let refused = |file: &[u8], format| read(file, format).unwrap_err();
    assert_eq!(refused(b"", Format::Csv), SheetError::NoHeader);
    assert_eq!(refused(b",,\na,b,c", Format::Csv), SheetError::NoHeader);
    assert_eq!(refused(b"a,A\n1,2", Format::Csv), SheetError::ColumnTwice("a".to_owned()));
    let uneven = SheetError::Uneven { row: 2, cells: 3, columns: 2 };
    assert_eq!(refused(b"a,b\n1,2,3", Format::Csv), uneven);
    let wide = "a\n".to_owned() + &"x".repeat(Sheet::MOST_CHARACTERS + 1);
    assert_eq!(refused(wide.as_bytes(), Format::Csv), SheetError::TooLarge);
    let long = "a\n".to_owned() + &"1\n".repeat(Sheet::MOST_ROWS + 1);
    assert_eq!(refused(long.as_bytes(), Format::Csv), SheetError::TooLarge);
    assert!(matches!(refused(b"PK no zip", Format::Xlsx), SheetError::Malformed(_)));
}

#[test]
fn what_is_written_can_be_read() {
    let rows = vec![
        vec![Cell::Text("0012".to_owned()), Cell::Number("12.99".parse().unwrap())],
        vec![Cell::Text("Żółw; \"mały\"".to_owned()), Cell::Blank],
        vec![Cell::Text("=1+1".to_owned()), Cell::Number("1000000.0001".parse().unwrap())],
    ];
    for format in Format::ALL {
        let file = write(&["Sku", "price"], rows.clone().into_iter(), format).unwrap();
        let sheet = read(&file, format).unwrap();
        let cells: Vec<&[String]> = sheet.rows.iter().map(|row| row.cells.as_slice()).collect();
        let expected = [["0012", "12.99"], ["Żółw; \"mały\"", ""], ["=1+1", "1000000.0001"]];
        assert_eq!(cells, expected, "{format:?}");
        assert_eq!((sheet.header, sheet.rows[0].number), (vec!["sku".into(), "price".into()], 2));
    }
}
