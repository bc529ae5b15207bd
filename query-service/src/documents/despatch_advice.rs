//! The despatch advice of a shipment: what left, in which parcels, for which orders. As PDF, and as
//! UBL 2.1 by Peppol BIS Despatch Advice 3.

mod ubl;

use std::sync::{Arc, LazyLock};

use domain::{Address, Gtin, Quantity, TaxId, product::Unit};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    Buyer, DocumentError, Language, Letterhead, Template,
    letter::{Fact, Letter},
    render, template,
};

pub use self::ubl::xml;

static DESPATCH_ADVICE: Template = LazyLock::new(|| {
    template("despatch_advice.typ", include_str!("../../templates/despatch_advice.typ"))
});

/// Everything that the document shows.
#[derive(Debug, Clone)]
pub struct DespatchAdvice {
    /// In which language the PDF is set.
    pub language: Language,
    /// Who sends.
    pub letterhead: Arc<Letterhead>,
    /// To whom.
    pub buyer: Recipient,
    /// Where the goods go, where an order names it.
    pub deliver_to: Option<Address>,
    /// The number of the shipment.
    pub number: String,
    /// The day on which it left.
    pub on: Date,
    /// Who carries it.
    pub courier: Option<String>,
    /// The carrier's number of it.
    pub tracking: Option<String>,
    /// What left, by order.
    pub lines: Vec<DespatchLine>,
    /// The parcels, if they were recorded.
    pub parcels: Vec<DespatchedParcel>,
}

/// To whom goods are sent.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// What it is called.
    pub name: String,
    /// By which number a tax office knows it.
    pub tax_id: Option<TaxId>,
    /// Where its post goes.
    pub address: Option<Address>,
}

/// So much of a line of an order.
#[derive(Debug, Clone)]
pub struct DespatchLine {
    /// The number by which the company knows the order, else the seller's.
    pub order: String,
    /// The line's number in the order, where that is known.
    pub order_line: Option<u32>,
    /// The seller's code of the product.
    pub sku: String,
    /// Its trade item number.
    pub gtin: Option<Gtin>,
    /// What it is called.
    pub name: String,
    /// How much of it left.
    pub quantity: Quantity,
    /// Of which units, where that is known.
    pub unit: Option<Unit>,
}

/// A parcel.
#[derive(Debug, Clone)]
pub struct DespatchedParcel {
    /// Its weight in grams.
    pub weight_grams: u32,
    /// Its length, width and height in millimetres.
    pub sides_mm: Option<[u32; 3]>,
    /// The carrier's number of it.
    pub tracking: Option<String>,
}

impl DespatchedParcel {
    /// Its weight in kilograms.
    fn kilograms(&self) -> Decimal {
        kilograms(self.weight_grams.into())
    }
}

/// Grams as kilograms.
fn kilograms(grams: u64) -> Decimal {
    (Decimal::from(grams) / Decimal::ONE_THOUSAND).normalize()
}

impl DespatchAdvice {
    /// What all parcels weigh; `None` where they were not recorded.
    fn weight(&self) -> Option<Decimal> {
        let grams: u64 = self.parcels.iter().map(|parcel| u64::from(parcel.weight_grams)).sum();
        (grams > 0).then(|| kilograms(grams))
    }
}

/// The document as PDF. The same document always makes the same bytes.
pub fn pdf(advice: &DespatchAdvice) -> Result<Vec<u8>, DocumentError> {
    let buyer = Buyer {
        name: advice.buyer.name.clone(),
        tax_id: advice.buyer.tax_id.clone(),
        address: advice.buyer.address.as_ref().map(lines_of).unwrap_or_default(),
    };
    let sheet = Sheet::of(advice, &buyer);
    render(&DESPATCH_ADVICE, &sheet, advice.letterhead.logo.as_ref())
}

/// An address as it stands on a letter: a line each.
pub fn lines_of(address: &Address) -> Vec<String> {
    let country = address.country().as_str();
    let recipient = address.recipient().map(ToString::to_string);
    let abroad = (country != "PL").then(|| country.to_owned());
    recipient
        .into_iter()
        .chain([address.street().to_string()])
        .chain([format!("{} {}", address.postal_code(), address.city())])
        .chain(abroad)
        .collect()
}

/// What the template reads: everything in words.
#[derive(Serialize)]
struct Sheet<'a> {
    letter: Letter<'a>,
    words: Words,
    lines: Vec<Row<'a>>,
    parcels: Vec<ParcelRow<'a>>,
}

/// What the template prints as it is.
#[derive(Serialize)]
struct Words {
    number: &'static str,
    item: &'static str,
    order: &'static str,
    quantity: &'static str,
    parcel: &'static str,
    weight: &'static str,
    dimensions: &'static str,
    tracking: &'static str,
    received: &'static str,
}

/// A line in words.
#[derive(Serialize)]
struct Row<'a> {
    number: usize,
    name: &'a str,
    details: String,
    order: String,
    quantity: String,
}

/// A parcel in words.
#[derive(Serialize)]
struct ParcelRow<'a> {
    number: usize,
    weight: String,
    dimensions: String,
    tracking: &'a str,
}

impl<'a> Sheet<'a> {
    fn of(advice: &'a DespatchAdvice, buyer: &'a Buyer) -> Self {
        let language = advice.language;
        let row = |(number, line): (usize, &'a DespatchLine)| {
            let quantity = language.number(line.quantity.units());
            let gtin = line.gtin.as_ref().map(|gtin| format!(" · GTIN\u{a0}{}", gtin.as_str()));
            Row {
                number,
                name: &line.name,
                details: format!("{}{}", line.sku, gtin.unwrap_or_default()),
                order: match line.order_line {
                    Some(place) => format!("{} / {place}", line.order),
                    None => line.order.clone(),
                },
                quantity: match line.unit {
                    Some(unit) => format!("{quantity}\u{a0}{}", language.unit(unit)),
                    None => quantity,
                },
            }
        };
        let parcel = |(number, parcel): (usize, &'a DespatchedParcel)| ParcelRow {
            number,
            weight: format!("{}\u{a0}kg", language.number(parcel.kilograms())),
            dimensions: parcel
                .sides_mm
                .map(|[length, width, height]| format!("{length} × {width} × {height}\u{a0}mm"))
                .unwrap_or_default(),
            tracking: parcel.tracking.as_deref().unwrap_or_default(),
        };
        Self {
            letter: letter(advice, buyer),
            words: Words::of(language),
            lines: (1..).zip(&advice.lines).map(row).collect(),
            parcels: (1..).zip(&advice.parcels).map(parcel).collect(),
        }
    }
}

fn letter<'a>(advice: &'a DespatchAdvice, buyer: &'a Buyer) -> Letter<'a> {
    let language = advice.language;
    let mut letter = Letter::new(language, &advice.letterhead, buyer, Some(advice.on));
    letter.kind = language.either("Awizo wysyłki", "Despatch advice");
    letter.number = match language {
        Language::Pl => format!("nr {}", advice.number),
        Language::En => format!("no. {}", advice.number),
    };
    let mut fact = |polish, english, lines: Option<Vec<String>>| {
        let label = language.either(polish, english);
        letter.facts.extend(lines.map(|lines| Fact { label, lines }));
    };
    fact("Data wysyłki", "Date of dispatch", Some(vec![language.day(advice.on)]));
    fact("Miejsce dostawy", "Delivery address", advice.deliver_to.as_ref().map(lines_of));
    let carrier: Vec<String> = advice.courier.iter().chain(&advice.tracking).cloned().collect();
    fact("Przewoźnik", "Carrier", (!carrier.is_empty()).then_some(carrier));
    let weight = advice.weight();
    let weight = weight.map(|weight| vec![format!("{}\u{a0}kg", language.number(weight))]);
    fact("Masa brutto", "Gross weight", weight);
    letter
}

impl Words {
    fn of(language: Language) -> Self {
        Self {
            number: language.either("Lp.", "No."),
            item: language.either("Towar", "Item"),
            order: language.either("Zamówienie / pozycja", "Order / line"),
            quantity: language.either("Ilość", "Quantity"),
            parcel: language.either("Paczka", "Parcel"),
            weight: language.either("Masa", "Weight"),
            dimensions: language.either("Wymiary", "Dimensions"),
            tracking: language.either("Nr przesyłki", "Tracking no."),
            received: language.either("Data i podpis odbiorcy", "Date and signature of recipient"),
        }
    }
}

#[cfg(test)]
mod tests;
