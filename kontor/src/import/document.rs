//! Reads the UCI Online Retail export into documents. The data contains errors: a line that cannot
//! be part of a document is rejected, never guessed.

use std::{collections::HashMap, io::Read};

use domain::{Currency, Quantity, UnitPrice};
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

use super::rejects::Reject;

/// One invoice or credit note of the export.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its number in the export, such as `536365` or `C536379`.
    pub number: String,
    /// Whether it is an invoice or a credit note.
    pub kind: Kind,
    /// The customer's number; `None` if missing.
    pub customer: Option<String>,
    /// The customer's country as the export spells it.
    pub country: String,
    /// The day of its earliest line; some carry several timestamps.
    pub on: Date,
    /// Its lines in file order.
    pub lines: Vec<DocumentLine>,
}

/// The kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An order, shipped and invoiced the same day.
    Sale,
    /// A number that begins with `C`: a credit note.
    Credit,
}

/// One line of a document, its quantity always positive.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentLine {
    /// Its line number in the file; the header is line 1.
    pub line: u64,
    /// The product code of the export.
    pub stock_code: String,
    /// The product name of the export; often empty.
    pub description: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The unit price.
    pub unit_price: UnitPrice,
    /// The original fields, for the case that the line is refused later.
    pub fields: Vec<String>,
}

/// The parsed export.
#[derive(Debug, Default)]
pub struct Export {
    /// Documents with at least one acceptable line, in order of first appearance.
    pub documents: Vec<Document>,
    /// Lines that cannot be part of a document.
    pub rejects: Vec<Reject>,
    /// Lines in the file, header not counted.
    pub lines: u64,
}

const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// Reads an export. Fails only if a column is missing or the file is unreadable.
pub fn read(input: impl Read, currency: Currency) -> anyhow::Result<Export> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let columns = columns(csv.byte_headers()?)?;
    let mut export = Export::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut record = csv::ByteRecord::new();
    while csv.read_byte_record(&mut record)? {
        export.lines += 1;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<String> =
            record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        match row(line, &fields, &columns, currency) {
            Ok(row) => export.add(row, &mut places),
            Err(reason) => export.rejects.push(Reject {
                line,
                document: field(&fields, columns[0]).unwrap_or_default().to_owned(),
                reason,
                fields,
            }),
        }
    }
    Ok(export)
}

impl Export {
    fn add(&mut self, row: Row, places: &mut HashMap<String, usize>) {
        let Row { document, line } = row;
        if let Some(&place) = places.get(&document.number) {
            let present = &mut self.documents[place];
            if present.customer != document.customer {
                self.rejects.push(Reject {
                    line: line.line,
                    document: document.number,
                    reason: "the document names another customer on an earlier line".to_owned(),
                    fields: line.fields,
                });
                return;
            }
            present.on = present.on.min(document.on);
            present.lines.push(line);
        } else {
            places.insert(document.number.clone(), self.documents.len());
            self.documents.push(Document { lines: vec![line], ..document });
        }
    }
}

struct Row {
    document: Document,
    line: DocumentLine,
}

fn columns(header: &csv::ByteRecord) -> anyhow::Result<[usize; 8]> {
    let mut places = [0; 8];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            .position(|field| field.trim_ascii() == name.as_bytes())
            .ok_or_else(|| anyhow::anyhow!("the file has no column {name}"))?;
    }
    Ok(places)
}

fn field(fields: &[String], place: usize) -> Option<&str> {
    fields.get(place).map(|field| field.trim())
}

fn row(
    line: u64,
    fields: &[String],
    columns: &[usize; 8],
    currency: Currency,
) -> Result<Row, String> {
    let mut values = [""; 8];
    for ((value, &place), name) in values.iter_mut().zip(columns).zip(COLUMNS) {
        *value = field(fields, place).ok_or_else(|| format!("the column {name} is missing"))?;
    }
    let [number, stock_code, description, quantity, date, unit_price, customer, country] = values;
    if number.is_empty() || number.len() > 40 {
        return Err("InvoiceNo is empty or too long".to_owned());
    }
    if stock_code.is_empty() {
        return Err("StockCode is empty".to_owned());
    }
    let kind = if number.starts_with('C') { Kind::Credit } else { Kind::Sale };
    let document = Document {
        number: number.to_owned(),
        kind,
        customer: (!customer.is_empty()).then(|| customer.to_owned()),
        country: country.to_owned(),
        on: day(date)?,
        lines: Vec::new(),
    };
    let line = DocumentLine {
        line,
        stock_code: stock_code.to_owned(),
        description: description.to_owned(),
        quantity: units(kind, quantity)?,
        unit_price: price(unit_price, currency)?,
        fields: fields.to_vec(),
    };
    Ok(Row { document, line })
}

fn day(text: &str) -> Result<Date, String> {
    text.parse::<DateTime>()
        .map(DateTime::date)
        .map_err(|_| format!("InvoiceDate {} is no date and time", shown(text)))
}

/// Quantities are positive in invoices and negative in credit notes; otherwise the line is a stock
/// adjustment.
fn units(kind: Kind, text: &str) -> Result<Quantity, String> {
    let number = Decimal::from_str_exact(text)
        .map_err(|_| format!("Quantity {} is no number", shown(text)))?;
    let units = match kind {
        Kind::Sale if number.is_sign_negative() => {
            return Err("the quantity of a sale is negative".to_owned());
        }
        Kind::Credit if number.is_sign_positive() => {
            return Err("the quantity of a credit note is not negative".to_owned());
        }
        Kind::Sale | Kind::Credit => number.abs(),
    };
    Quantity::new(units).map_err(|error| error.to_string())
}

/// A price with more decimal places than a unit price is refused, because the sum of the lines
/// would differ from the original document.
fn price(text: &str, currency: Currency) -> Result<UnitPrice, String> {
    text.parse().map_err(|error| format!("UnitPrice {} {currency}: {error}", shown(text)))
}

/// A field, shortened for an error message.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEADER: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    fn export(rows: &str) -> Export {
        read(format!("{HEADER}{rows}").as_bytes(), Currency::Gbp).unwrap()
    }

    #[track_caller]
    fn check_reject(row: &str, reason: &str) {
        let export = export(row);
        assert_eq!(export.documents, []);
        assert_eq!(export.rejects.len(), 1);
        assert_eq!((export.rejects[0].line, export.rejects[0].reason.as_str()), (2, reason));
    }

    #[test]
    fn gathers_the_lines_of_a_document_at_its_earliest_day() {
        let export = export(
            "1,A,LAMP,6,2010-12-02T08:26:00,2.55,17850,United Kingdom\n\
             2,A,LAMP,1,2010-12-02T08:26:00,2.55,,EIRE\n\
             1,A,LAMP,6,2010-12-01T23:59:00,2.55,17850,United Kingdom\n",
        );
        assert_eq!((export.lines, export.rejects.len(), export.documents.len()), (3, 0, 2));
        let first = &export.documents[0];
        assert_eq!(first.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(first.on, jiff::civil::date(2010, 12, 1));
        assert_eq!(export.documents[1].customer, None);
    }

    #[test]
    fn turns_a_cancellation_into_a_credit_of_positive_quantity() {
        let export = export("C1,D,Discount,-1,2010-12-01T08:26:00,27.50,14527,United Kingdom\n");
        assert_eq!(export.documents[0].kind, Kind::Credit);
        assert_eq!(export.documents[0].lines[0].quantity.to_string(), "1");
    }

    #[test]
    fn refuses_with_the_line_and_the_reason() {
        check_reject(
            "1,A,,-10,2010-12-01T08:26:00,0.00,,X\n",
            "the quantity of a sale is negative",
        );
        check_reject(
            "C1,A,,1,2010-12-01T08:26:00,1.00,,X\n",
            "the quantity of a credit note is not negative",
        );
        check_reject(
            "1,A,,0,2010-12-01T08:26:00,1.00,,X\n",
            "a quantity is more than 0 and at most 1000000000",
        );
        check_reject("1,A,,x,2010-12-01T08:26:00,1.00,,X\n", "Quantity \"x\" is no number");
        check_reject("1,A,,1,yesterday,1.00,,X\n", "InvoiceDate \"yesterday\" is no date and time");
        check_reject(
            "1,B,Adjust bad debt,1,2010-12-01T08:26:00,-11062.06,,X\n",
            "UnitPrice \"-11062.06\" GBP: a price must not be negative",
        );
        check_reject("1,A,LAMP\n", "the column Quantity is missing");
        check_reject(",A,LAMP,1,2010-12-01T08:26:00,1.00,,X\n", "InvoiceNo is empty or too long");
    }

    #[test]
    fn is_no_export_without_its_columns() {
        assert!(read("a,b\n1,2\n".as_bytes(), Currency::Gbp).is_err());
    }
}
