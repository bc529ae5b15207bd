//! Sheets as programs write them.

use super::*;

/// A whole file, its rows added in two parts.
fn write(header: &[&str], mut rows: Vec<Vec<Cell>>, format: Format) -> Result<Vec<u8>, WriteError> {
    let rest = rows.split_off(rows.len() / 2);
    match format {
        Format::Csv => Ok([csv_header(header)?, csv_rows(rows)?, csv_rows(rest)?].concat()),
        Format::Xlsx => {
            let mut book = Book::new(header)?;
            book.add(rows)?;
            book.add(rest)?;
            let mut file = Vec::new();
            std::io::Read::read_to_end(&mut book.finish()?, &mut file)?;
            Ok(file)
        }
    }
}

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
        let file = write(&["Sku", "price"], rows.clone(), format).unwrap();
        let sheet = read(&file, format).unwrap();
        let cells: Vec<&[String]> = sheet.rows.iter().map(|row| row.cells.as_slice()).collect();
        let expected = [["0012", "12.99"], ["Żółw; \"mały\"", ""], ["=1+1", "1000000.0001"]];
        assert_eq!(cells, expected, "{format:?}");
        assert_eq!((sheet.header, sheet.rows[0].number), (vec!["sku".into(), "price".into()], 2));
    }
}

/// A workbook of one column, of which something is said otherwise.
fn workbook(otherwise: impl Fn(String) -> String) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let rows = vec![vec![Cell::Text("first".to_owned())], vec![Cell::Text("last".to_owned())]];
    let file = write(&["sku"], rows, Format::Xlsx).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let mut changed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if name.ends_with("sheet1.xml") {
            text = otherwise(text);
        }
        changed.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        changed.write_all(text.as_bytes()).unwrap();
    }
    changed.finish().unwrap().into_inner()
}

/// A cell far away has nothing between it and the others, and takes no memory for that.
#[test]
fn cells_stand_where_they_say_or_nowhere() {
    let moved = |to: &str| read(&workbook(|text| text.replace("\"A3\"", to)), Format::Xlsx);
    let rows = moved("\"A3\"").unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3]);
    for to in ["\"XFD1048576\"", "\"XFD3\"", "\"GS3\""] {
        assert_eq!(moved(to), Err(SheetError::TooLarge), "{to}");
    }
    for to in ["\"AAAAAAAAAAAAAAA1\"", "\"A99999999999999\"", "\"3A\"", "\"\""] {
        assert!(matches!(moved(to), Err(SheetError::Malformed(_))), "{to}: {:?}", moved(to));
    }
    let far = |text: String| {
        let end = text.find("\"/>").unwrap_or_default();
        let start = text.find("<dimension ref=\"").unwrap();
        format!("{}<dimension ref=\"A1:ZZZZZZZZ99999999999{}", &text[..start], &text[end..])
    };
    assert!(matches!(read(&workbook(far), Format::Xlsx), Ok(_) | Err(SheetError::Malformed(_))));
}
