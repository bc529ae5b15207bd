//! UBL 2.1 `DespatchAdvice` by Peppol BIS Despatch Advice 3.
//!
//! Source: Peppol BIS Despatch Advice 3, transaction T16: elements and their order.

use std::io;

use domain::{Address, TaxId, product::Unit};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{DespatchAdvice, DespatchLine, Recipient};
use crate::documents::Seller;

const NAMESPACES: [(&str, &str); 3] = [
    ("xmlns", "urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"),
    ("xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"),
    ("xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"),
];
const CUSTOMIZATION: &str = "urn:fdc:peppol.eu:poacc:trns:despatch_advice:3";
const PROFILE: &str = "urn:fdc:peppol.eu:poacc:bis:despatch_advice:3";
/// The scheme of Polish VAT numbers among endpoints.
const POLISH_VAT: &str = "9945";
/// The scheme of GTIN among item identifiers.
const GTIN: &str = "0160";

type Xml = Writer<Vec<u8>>;

/// The document as XML. The same document always makes the same bytes.
pub fn xml(advice: &DespatchAdvice) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml.create_element("DespatchAdvice").with_attributes(NAMESPACES);
    root.write_inner_content(|xml| {
        text(xml, "cbc:CustomizationID", CUSTOMIZATION)?;
        text(xml, "cbc:ProfileID", PROFILE)?;
        text(xml, "cbc:ID", &advice.number)?;
        text(xml, "cbc:IssueDate", &advice.on.to_string())?;
        let first = advice.lines.first().map(|line| &line.order);
        if let Some(order) = first.filter(|order| advice.lines.iter().all(|l| l.order == **order)) {
            within(xml, "cac:OrderReference", |xml| text(xml, "cbc:ID", order))?;
        }
        within(xml, "cac:DespatchSupplierParty", |xml| seller(xml, &advice.letterhead.seller))?;
        within(xml, "cac:DeliveryCustomerParty", |xml| buyer(xml, &advice.buyer))?;
        within(xml, "cac:Shipment", |xml| shipment(xml, advice))?;
        (1..).zip(&advice.lines).try_for_each(|(number, line)| {
            within(xml, "cac:DespatchLine", |xml| despatch_line(xml, number, line))
        })
    })?;
    Ok(xml.into_inner())
}

fn within(
    xml: &mut Xml,
    name: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name).write_inner_content(content)?;
    Ok(())
}

fn text(xml: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(content))?;
    Ok(())
}

/// The same with an attribute.
fn coded(xml: &mut Xml, name: &str, attribute: (&str, &str), content: &str) -> io::Result<()> {
    let element = xml.create_element(name).with_attribute(attribute);
    element.write_text_content(BytesText::new(content))?;
    Ok(())
}

fn seller(xml: &mut Xml, seller: &Seller) -> io::Result<()> {
    within(xml, "cac:Party", |xml| {
        if let Some(nip) = &seller.nip {
            let number = format!("PL{nip}");
            coded(xml, "cbc:EndpointID", ("schemeID", POLISH_VAT), &number)?;
        }
        if !seller.address.is_empty() {
            within(xml, "cac:PostalAddress", |xml| {
                // The letterhead has lines of text.
                for line in &seller.address {
                    let line = |xml: &mut Xml| text(xml, "cbc:Line", line);
                    within(xml, "cac:AddressLine", line)?;
                }
                country(xml, "PL")
            })?;
        }
        within(xml, "cac:PartyLegalEntity", |xml| text(xml, "cbc:RegistrationName", &seller.name))
    })
}

fn buyer(xml: &mut Xml, buyer: &Recipient) -> io::Result<()> {
    within(xml, "cac:Party", |xml| {
        if let Some(TaxId::Nip { number }) = &buyer.tax_id {
            let number = format!("PL{number}");
            coded(xml, "cbc:EndpointID", ("schemeID", POLISH_VAT), &number)?;
        }
        if let Some(TaxId::Foreign { country, number }) = &buyer.tax_id {
            let number = format!("{}{number}", country.as_str());
            within(xml, "cac:PartyIdentification", |xml| text(xml, "cbc:ID", &number))?;
        }
        if let Some(address) = &buyer.address {
            within(xml, "cac:PostalAddress", |xml| place(xml, address))?;
        }
        within(xml, "cac:PartyLegalEntity", |xml| text(xml, "cbc:RegistrationName", &buyer.name))
    })
}

fn place(xml: &mut Xml, address: &Address) -> io::Result<()> {
    text(xml, "cbc:StreetName", address.street().as_str())?;
    if let Some(recipient) = address.recipient() {
        text(xml, "cbc:AdditionalStreetName", recipient.as_str())?;
    }
    text(xml, "cbc:CityName", address.city().as_str())?;
    text(xml, "cbc:PostalZone", address.postal_code().as_str())?;
    country(xml, address.country().as_str())
}

fn country(xml: &mut Xml, code: &str) -> io::Result<()> {
    within(xml, "cac:Country", |xml| text(xml, "cbc:IdentificationCode", code))
}

fn shipment(xml: &mut Xml, advice: &DespatchAdvice) -> io::Result<()> {
    text(xml, "cbc:ID", &advice.number)?;
    if let Some(weight) = advice.weight() {
        coded(xml, "cbc:GrossWeightMeasure", ("unitCode", "KGM"), &weight.to_string())?;
    }
    if advice.tracking.is_some() || advice.courier.is_some() {
        within(xml, "cac:Consignment", |xml| {
            text(xml, "cbc:ID", advice.tracking.as_deref().unwrap_or(&advice.number))?;
            let Some(courier) = &advice.courier else { return Ok(()) };
            within(xml, "cac:CarrierParty", |xml| {
                within(xml, "cac:PartyName", |xml| text(xml, "cbc:Name", courier))
            })
        })?;
    }
    within(xml, "cac:Delivery", |xml| {
        if let Some(address) = &advice.deliver_to {
            within(xml, "cac:DeliveryAddress", |xml| place(xml, address))?;
        }
        within(xml, "cac:Despatch", |xml| {
            text(xml, "cbc:ActualDespatchDate", &advice.on.to_string())
        })
    })?;
    (1..).zip(&advice.parcels).try_for_each(|(number, parcel)| {
        within(xml, "cac:TransportHandlingUnit", |xml| {
            let number = format!("{number}");
            text(xml, "cbc:ID", parcel.tracking.as_deref().unwrap_or(&number))?;
            let weight = parcel.kilograms().to_string();
            within(xml, "cac:MeasurementDimension", |xml| {
                // AAB: gross weight, by UN/ECE 6313.
                text(xml, "cbc:AttributeID", "AAB")?;
                coded(xml, "cbc:Measure", ("unitCode", "KGM"), &weight)
            })?;
            let sides = parcel.sides_mm.into_iter().flatten();
            // Length, width and height.
            std::iter::zip(["LN", "WD", "HT"], sides).try_for_each(|(name, side)| {
                within(xml, "cac:MeasurementDimension", |xml| {
                    text(xml, "cbc:AttributeID", name)?;
                    coded(xml, "cbc:Measure", ("unitCode", "MMT"), &side.to_string())
                })
            })
        })
    })
}

fn despatch_line(xml: &mut Xml, number: usize, line: &DespatchLine) -> io::Result<()> {
    text(xml, "cbc:ID", &number.to_string())?;
    let quantity = line.quantity.to_string();
    coded(xml, "cbc:DeliveredQuantity", ("unitCode", unit_code(line.unit)), &quantity)?;
    within(xml, "cac:OrderLineReference", |xml| {
        // The profile demands a number, also where it is not known.
        let place = line.order_line.map_or_else(|| "NA".to_owned(), |place| place.to_string());
        text(xml, "cbc:LineID", &place)?;
        within(xml, "cac:OrderReference", |xml| text(xml, "cbc:ID", &line.order))
    })?;
    within(xml, "cac:Item", |xml| {
        text(xml, "cbc:Name", &line.name)?;
        within(xml, "cac:SellersItemIdentification", |xml| text(xml, "cbc:ID", &line.sku))?;
        let Some(gtin) = &line.gtin else { return Ok(()) };
        within(xml, "cac:StandardItemIdentification", |xml| {
            coded(xml, "cbc:ID", ("schemeID", GTIN), gtin.as_str())
        })
    })
}

/// A unit by UN/ECE recommendation 20.
fn unit_code(unit: Option<Unit>) -> &'static str {
    match unit {
        Some(Unit::Piece) | None => "C62",
        Some(Unit::Pack) => "XPK",
        Some(Unit::Carton) => "XCT",
        Some(Unit::Kilogram) => "KGM",
        Some(Unit::Metre) => "MTR",
    }
}
