//! Rows of an order of UBL 2.1, such as Peppol BIS Order 3.
//!
//! Source: <https://docs.peppol.eu/poacc/upgrade-3/syntax/Order/tree/>. Prices of the document are
//! not read: those of the seller hold. A document type declaration is refused, so that no entity is
//! expanded, and so is what is nested too deep or too long.

use std::borrow::Cow;

use axum::http::StatusCode;
use domain::product::PackagingName;
use quick_xml::{Reader, events::Event};
use service_kit::problem::Problem;

use crate::app::sales::{
    cart::adding::MOST_ROWS,
    purchase_rows::{PurchaseRow, RowRefusal, RowRequest},
};

/// What an order asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct UblOrder {
    pub(crate) rows: Vec<PurchaseRow>,
}

/// The deepest element that is read.
const MOST_DEPTH: usize = 32;
/// How long a text may be, in bytes.
const MOST_TEXT: usize = 10_000;

/// The path of a line's elements below `Order`.
const LINE: [&str; 1] = ["OrderLine"];

#[derive(Default)]
struct Line {
    request: RowRequest,
    gtin: Option<String>,
    code: Option<String>,
    unit: Option<String>,
}

fn malformed(detail: impl Into<String>) -> Problem {
    let detail: String = detail.into();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "ubl.malformed")
        .detail(detail.chars().take(200).collect::<String>())
}

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<UblOrder, Problem> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<String> = Vec::new();
    let (mut content, mut scheme, mut unit) = (String::new(), None, None);
    let (mut line, mut rows) = (Line::default(), Vec::new());
    loop {
        let event = reader.read_event().map_err(|error| malformed(error.to_string()))?;
        match event {
            Event::Start(tag) => {
                if path.len() == MOST_DEPTH {
                    return Err(malformed("elements are nested too deep"));
                }
                let name = tag.local_name();
                let name: &str = name.as_ref();
                if path.is_empty() && name != "Order" {
                    return Err(malformed("the document is no Order"));
                }
                path.push(name.to_owned());
                content.clear();
                scheme = attribute(&tag, "schemeID")?;
                unit = attribute(&tag, "unitCode")?;
                if path[1..] == LINE {
                    line = Line::default();
                }
            }
            Event::End(_) => {
                let below: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
                let said = || Some(content.trim().to_owned()).filter(|text| !text.is_empty());
                match below[..] {
                    ["OrderLine"] => {
                        if rows.len() == MOST_ROWS {
                            return Err(super::purchase_rows::too_many());
                        }
                        let number = u32::try_from(rows.len() + 1).unwrap_or(u32::MAX);
                        rows.push(std::mem::take(&mut line).row(number));
                    }
                    ["OrderLine", "Note"] => line.request.note = said(),
                    ["OrderLine", "LineItem", "Quantity"] => {
                        line.request.quantity = said();
                        line.unit = unit.take();
                    }
                    ["OrderLine", "LineItem", "Item", "SellersItemIdentification", "ID"] => {
                        line.request.sku = said();
                    }
                    ["OrderLine", "LineItem", "Item", "BuyersItemIdentification", "ID"] => {
                        line.code = said();
                    }
                    ["OrderLine", "LineItem", "Item", "StandardItemIdentification", "ID"]
                        if scheme.as_deref().is_none_or(|scheme| scheme == "0160") =>
                    {
                        line.gtin = said();
                    }
                    _ => {}
                }
                path.pop();
                content.clear();
            }
            Event::Text(part) => content.push_str(&part.xml10_content()),
            Event::CData(part) => content.push_str(&part.xml10_content()),
            Event::GeneralRef(part) => {
                let letter =
                    part.resolve_char_ref().map_err(|error| malformed(error.to_string()))?;
                match letter {
                    Some(letter) => content.push(letter),
                    None => {
                        let known = quick_xml::escape::resolve_xml_entity(&part);
                        content.push_str(known.ok_or_else(|| malformed("an unknown entity"))?);
                    }
                }
            }
            Event::DocType(_) => return Err(malformed("a document type declaration is not read")),
            Event::Eof if path.is_empty() && !rows.is_empty() => break,
            Event::Eof => return Err(malformed("the document ends early, or has no OrderLine")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => {}
        }
        if content.len() > MOST_TEXT {
            return Err(malformed("a text is too long"));
        }
    }
    Ok(UblOrder { rows })
}

fn attribute(
    tag: &quick_xml::events::BytesStart<'_>,
    name: &str,
) -> Result<Option<String>, Problem> {
    let attribute = tag.try_get_attribute(name).map_err(|error| malformed(error.to_string()))?;
    let Some(attribute) = attribute else { return Ok(None) };
    let value: Cow<'_, str> = quick_xml::escape::unescape(&attribute.value)
        .map_err(|error| malformed(error.to_string()))?;
    Ok(Some(value.into_owned()))
}

impl Line {
    /// The seller's code counts, else the bar code, else the buyer's own code.
    fn row(self, number: u32) -> PurchaseRow {
        let Self { mut request, gtin, code, unit } = self;
        if request.sku.is_none() {
            request.gtin = gtin;
            if request.gtin.is_none() {
                request.code = code;
            }
        }
        let mut row = PurchaseRow::read(number, &request);
        match (unit.as_deref().map(packaging), &mut row.asked) {
            (Some(Err(refusal)), asked @ Ok(_)) => *asked = Err(refusal),
            (Some(Ok(packaging)), Ok(asked)) => asked.packaging = packaging,
            (_, _) => {}
        }
        row
    }
}

/// The packaging of a unit; `None` means the unit of the product.
///
/// Source: UN/ECE Recommendations 20 and 21, whose codes of packagings begin with X here.
fn packaging(unit: &str) -> Result<Option<PackagingName>, RowRefusal> {
    Ok(Some(match unit {
        "EA" | "C62" | "H87" | "PCE" | "NAR" | "KGM" | "MTR" => return Ok(None),
        "XCT" | "CT" | "XBX" => PackagingName::Carton,
        "XPK" | "PK" | "XPA" => PackagingName::Pack,
        "LR" => PackagingName::Layer,
        "XPX" | "PF" => PackagingName::Pallet,
        "XRO" | "RO" => PackagingName::Roll,
        "XBG" | "BG" => PackagingName::Bag,
        _ => {
            let detail =
                "the unit code is not known: use H87, KGM, MTR, XCT, XPK, LR, XPX, XRO or XBG";
            return Err(RowRefusal::new("row.packaging_unknown", detail));
        }
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(lines: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><Order xmlns:cbc=\"urn:b\" xmlns:cac=\"urn:a\"><cbc:ID>1</cbc:ID>\
             <cbc:DocumentCurrencyCode>PLN</cbc:DocumentCurrencyCode>{lines}</Order>"
        )
    }

    fn line(quantity: &str, item: &str) -> String {
        format!(
            "<cac:OrderLine><cbc:Note>Kuchnia &amp; bar</cbc:Note><cac:LineItem><cbc:ID>1</cbc:ID>\
             {quantity}<cac:Item>{item}</cac:Item></cac:LineItem></cac:OrderLine>"
        )
    }

    #[test]
    fn lines_are_rows() {
        let carton = "<cbc:Quantity unitCode=\"XCT\">2</cbc:Quantity>";
        let piece = "<cbc:Quantity unitCode=\"H87\">3</cbc:Quantity>";
        let seller = "<cac:SellersItemIdentification><cbc:ID>HK-1</cbc:ID>\
                      </cac:SellersItemIdentification>";
        let standard = "<cac:StandardItemIdentification>\
                        <cbc:ID schemeID=\"0160\">5901234123457</cbc:ID>\
                        </cac:StandardItemIdentification>";
        let text = order(
            &[
                line(carton, &format!("{standard}{seller}")),
                line(piece, standard),
                line("", seller),
            ]
            .concat(),
        );
        let UblOrder { rows } = read(&text).unwrap();
        let first = rows[0].asked.as_ref().unwrap();
        assert_eq!(first.named.sku.as_ref().unwrap().as_str(), "HK-1");
        assert_eq!(first.packaging, Some(PackagingName::Carton));
        assert_eq!(first.note.as_ref().unwrap().as_str(), "Kuchnia & bar");
        let second = rows[1].asked.as_ref().unwrap();
        assert!(second.named.gtin.is_some() && second.packaging.is_none());
        assert_eq!(rows[2].asked.as_ref().unwrap_err().code, "row.quantity_missing");
    }

    #[test]
    fn attacks_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><Order>&a;</Order>";
        let deep = format!("<Order>{}", "<a>".repeat(100));
        let long = order(&format!("<cbc:Note>{}</cbc:Note>", "x".repeat(20_000)));
        let unknown = order("<cbc:Note>&a;</cbc:Note>");
        for text in [bomb, &deep, &long, &unknown, "", "<Invoice/>", "<Order></Order>", "<Order>"] {
            assert_eq!(read(text).unwrap_err().code(), "ubl.malformed", "{text:.40}");
        }
        let many = order(&line("", "").repeat(MOST_ROWS + 1));
        assert_eq!(read(&many).unwrap_err().code(), "rows.count_invalid");
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in any::<String>(), lines in "[<>/a-z:&;\"= ]{0,200}") {
            let _ = read(&text);
            let _ = read(&order(&lines));
        }
    }
}
