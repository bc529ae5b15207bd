//! Sheets as spreadsheet programs write them.

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
    let text = |text: &str| Cell::Text(text.to_owned());
    let rows = vec![
        vec![text("0012"), Cell::Number("12.99".parse().unwrap())],
        vec![text("Żółw; \"mały\""), Cell::Blank],
        vec![text("=1+1"), Cell::Number("1000000.0001".parse().unwrap())],
        vec![text("'=1+1"), Cell::Number("-5".parse().unwrap())],
        vec![text("''tis"), text("+48 123")],
        vec![text("'@"), text("''-")],
    ];
    for format in Format::ALL {
        let file = write(&["Sku", "price"], rows.clone(), format).unwrap();
        let sheet = read(&file, format).unwrap();
        let cells: Vec<&[String]> = sheet.rows.iter().map(|row| row.cells.as_slice()).collect();
        let expected = [
            ["0012", "12.99"],
            ["Żółw; \"mały\"", ""],
            ["=1+1", "1000000.0001"],
            ["'=1+1", "-5"],
            ["''tis", "+48 123"],
            ["'@", "''-"],
        ];
        assert_eq!(cells, expected, "{format:?}");
        assert_eq!((sheet.header, sheet.rows[0].number), (vec!["sku".into(), "price".into()], 2));
    }
}

/// A workbook of one column, with one of its files replaced.
fn workbook_with(file: &str, otherwise: impl Fn(String) -> String) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    // Spreadsheet programs write a table of shared texts, unlike this crate.
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, text) in (0..).zip(["sku", "first", "last"]) {
        sheet.write_string(row, 0, text).unwrap();
    }
    let written = workbook.save_to_buffer().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(written)).unwrap();
    let mut changed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if name.ends_with(file) {
            text = otherwise(text);
        }
        changed.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        changed.write_all(text.as_bytes()).unwrap();
    }
    changed.finish().unwrap().into_inner()
}

fn workbook(otherwise: impl Fn(String) -> String) -> Vec<u8> {
    workbook_with("sheet1.xml", otherwise)
}

#[test]
fn no_spreadsheet_calculates_a_text() {
    let rows = vec![vec![Cell::Text("=HYPERLINK(1)".to_owned())], vec![Cell::Text("\t-1".into())]];
    let file = write(&["a"], rows, Format::Csv).unwrap();
    assert_eq!(String::from_utf8(file).unwrap(), "\u{feff}a\n'=HYPERLINK(1)\n'\t-1\n");
}

#[test]
fn quotes_are_where_they_belong() {
    let refused = |file: &str| match read(file.as_bytes(), Format::Csv).unwrap_err() {
        SheetError::Quote { row, .. } => row,
        other => panic!("{file:?}: {other:?}"),
    };
    assert_eq!(refused("a,b\n1,\"2\n3,4\n5,6\n"), 2);
    assert_eq!(refused("a,b\n1,2\" wide\n"), 2);
    assert_eq!(refused("a,b\n1,2\n1,\"2\"3\n"), 3);
    assert_eq!(refused("a,b\n\"x\ny\",1\n 1,2\"\n"), 4);
    check(b"a,b\r\n\"1\"\"\",\"\"\r\n", &["a", "b"], &[(2, &["1\"", ""])]);
    check(b"a\rb\rc", &["a"], &[(2, &["b"]), (3, &["c"])]);
}

#[track_caller]
fn doubtful(file: &[u8], format: Format) -> Vec<(u32, String)> {
    match read(file, format).unwrap_err() {
        SheetError::Doubtful(doubts) => {
            doubts.into_iter().map(|doubt| (doubt.row, doubt.column)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// One invalid byte affects only its own cell, and the rest keeps its encoding.
#[test]
fn a_byte_of_no_encoding_is_refused_where_it_stands() {
    let of = |row: u32, column: &str| vec![(row, column.to_owned())];
    let csv = |file: &[u8]| doubtful(file, Format::Csv);
    assert_eq!(
        csv("sku;name\nA;Żółw\nB;"
            .as_bytes()
            .iter()
            .chain(b"x\xff\n")
            .copied()
            .collect::<Vec<_>>()
            .as_slice()),
        of(3, "name")
    );
    assert_eq!(csv(b"\xef\xbb\xbfsku;name\nA;\xb3\n"), of(2, "name"));
    assert_eq!(csv(b"sku;name\nA\x81;\xb3\n"), of(2, "sku"));
    assert_eq!(csv(b"\xc5\x81;n\xff\nA;x\n"), of(1, "B"));
    let utf16: Vec<u8> = [0xfeff, u16::from(b'a'), u16::from(b'\n'), 0xd800, u16::from(b'b')]
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(csv(&utf16), of(2, "a"));
    // Capitals that form a valid UTF-8 sequence by chance are read as Polish letters.
    check(b"name\nSP\xd3\xa3KA\n\xafaba\n", &["name"], &[(2, &["SPÓŁKA"]), (3, &["Żaba"])]);
}

#[test]
fn digits_that_are_not_there_are_not_made_up() {
    assert_eq!(
        doubtful(b"sku;gtin\nA;5,90123E+12\nB;5901234123457\n", Format::Csv),
        [(2, "gtin".to_owned())]
    );
    check(b"sku\n2E10\nE+12\n1E-1\n", &["sku"], &[(2, &["2E10"]), (3, &["E+12"]), (4, &["1E-1"])]);
}

/// A cell with a number format.
fn formatted(code: &str, cell: &str) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let of_sheet = workbook(|text| {
        let start = text.find("<c r=\"A3\"").unwrap();
        let end = start + text[start..].find("</c>").unwrap() + "</c>".len();
        format!("{}{cell}{}", &text[..start], &text[end..])
    });
    let mut archive = zip::ZipArchive::new(Cursor::new(of_sheet)).unwrap();
    let mut changed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if name.ends_with("styles.xml") {
            let format = format!(
                "<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"{code}\"/></numFmts><fonts"
            );
            text = text.replacen("<fonts", &format, 1);
            text = text.replacen("</cellXfs>", "<xf numFmtId=\"164\"/></cellXfs>", 1);
        }
        changed.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        changed.write_all(text.as_bytes()).unwrap();
    }
    changed.finish().unwrap().into_inner()
}

#[test]
fn cells_say_what_they_show() {
    let number = |value: &str| format!("<c r=\"A3\" s=\"1\"><v>{value}</v></c>");
    let shown = |code: &str, cell: &str| {
        let sheet = read(&formatted(code, cell), Format::Xlsx).unwrap();
        sheet.rows[1].cells[0].clone()
    };
    assert_eq!(shown("00000", &number("123")), "00123");
    assert_eq!(shown("0%", &number("0.05")), "5%");
    assert_eq!(shown("yyyy\\-mm\\-dd", &number("46356")), "2026-11-30");
    assert_eq!(shown("0.00", &number("12.99")), "12.99");
    let inline =
        "<c r=\"A3\" t=\"inlineStr\"><is><r><t>Ka</t></r><r><t>wa &amp; _x0041_</t></r></is></c>";
    assert_eq!(shown("0", inline), "Kawa & A");
    assert_eq!(shown("0", "<c r=\"A3\" t=\"str\"><f>1+1</f><v>two</v></c>"), "two");
    assert_eq!(shown("0", "<c r=\"A3\"><f>1+1</f><v>2</v></c>"), "2");
    for (code, cell) in [
        ("0\" szt.\"".replace('"', "&quot;").as_str(), number("1").as_str()),
        ("0.00E+00", &number("5901234123457")),
        ("0", &number("12.5")),
        ("General", &number("12345678901234567")),
        ("0", "<c r=\"A3\" t=\"e\"><f>A9</f><v>#REF!</v></c>"),
        ("0", "<c r=\"A3\"><f>1+1</f></c>"),
        ("0", "<c r=\"A3\" t=\"str\"><v>5,9E+12</v></c>"),
        ("0", "<c r=\"A3\" s=\"99\"><v>1</v></c>"),
    ] {
        assert_eq!(
            doubtful(&formatted(code, cell), Format::Xlsx),
            [(3, "sku".to_owned())],
            "{cell}"
        );
    }
}

/// A small file that unpacks to a large one is refused before memory is allocated.
#[test]
fn a_workbook_unpacks_within_bounds() {
    let endless = |file: &str, before: &'static str, text: String| {
        let otherwise = |whole: String| whole.replacen(before, &format!("{text}{before}"), 1);
        read(&workbook_with(file, otherwise), Format::Xlsx)
    };
    let long = format!("<si><t>{}</t></si>", "x".repeat(2 << 20));
    assert_eq!(endless("sharedStrings.xml", "</sst>", long), Err(SheetError::TooLarge));
    let many = format!("<si><t>{}</t></si>", "x".repeat(1_000_000)).repeat(70);
    assert_eq!(endless("sharedStrings.xml", "</sst>", many), Err(SheetError::TooLarge));
    let rows = "<row><c t=\"b\"><v>1</v></c></row>".repeat(Sheet::MOST_ROWS + 1);
    assert_eq!(endless("sheet1.xml", "</sheetData>", rows), Err(SheetError::TooLarge));
    let twice = "<row r=\"2\"><c r=\"A2\" t=\"b\"><v>1</v></c></row>".to_owned();
    let refused = endless("sheet1.xml", "</sheetData>", twice);
    assert!(matches!(refused, Err(SheetError::Malformed(_))), "{refused:?}");
}

/// A cell far away allocates no memory for the cells between.
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
