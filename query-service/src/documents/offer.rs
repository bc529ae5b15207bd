//! The document of an offer.

mod words;

use std::sync::{Arc, LazyLock};

use domain::{
    Currency, DeliveryTerms, Money, PaymentTerm, Percent, Quantity, UnitPrice, VatRate,
    offer::{Break, Choice},
    product::Unit,
    vat::{RateTotal, Totals},
};
use jiff::civil::Date;
use serde::Serialize;

use self::words::Words;
use super::{
    Buyer, DocumentError, Language, Letterhead, Template,
    letter::{Fact, Letter},
    render, template,
};

static OFFER: Template =
    LazyLock::new(|| template("offer.typ", include_str!("../../templates/offer.typ")));

/// The content of the document. Nothing is computed here: amounts come from `domain`.
#[derive(Debug, Clone)]
pub struct OfferDocument {
    /// The language.
    pub language: Language,
    /// The letterhead.
    pub letterhead: Arc<Letterhead>,
    /// The recipient.
    pub buyer: Buyer,
    /// The number or id of the offer.
    pub number: String,
    /// The revision, counted from 1.
    pub revision: u32,
    /// The acceptance digest.
    pub digest: Option<String>,
    /// The status of the revision.
    pub standing: DocumentStatus,
    /// The day on which it was sent, if it was.
    pub sent_on: Option<Date>,
    /// The last day on which it can be accepted.
    pub valid_until: Date,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The contact person.
    pub representative: Option<Representative>,
    /// The note to the customer.
    pub note: Option<String>,
    /// The payment term.
    pub payment_term: PaymentTerm,
    /// The delivery terms.
    pub delivery_terms: Option<DeliveryTerms>,
    /// The common delivery day of all lines.
    pub delivery_date: Option<Date>,
    /// Whether the customer may accept only some of the required lines.
    pub divisible: bool,
    /// The lines, in order.
    pub lines: Vec<OfferLine>,
    /// The totals of the required lines.
    pub totals: Totals,
    /// The net difference between list prices and prices of the required lines.
    pub discount: Option<Money>,
}

/// The status of a revision. Only an open one is binding; the document of any other shows a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentStatus {
    /// A draft.
    Draft,
    /// It can be accepted.
    Open,
    /// Replaced by a later revision.
    Superseded,
    /// Accepted by the customer.
    Accepted,
    /// Rejected by the customer.
    Rejected,
    /// Withdrawn by the seller.
    Withdrawn,
    /// Expired.
    Expired,
}

/// An employee of the seller.
#[derive(Debug, Clone)]
pub struct Representative {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
}

/// One line of an offer.
#[derive(Debug, Clone)]
pub struct OfferLine {
    /// Its number.
    pub number: u32,
    /// The seller's SKU.
    pub sku: String,
    /// The product name in the language of the document.
    pub name: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The unit, if known.
    pub unit: Option<Unit>,
    /// The price before the discount, if shown.
    pub list_price: Option<UnitPrice>,
    /// The discounts, each applied to the result of the ones before it.
    pub discounts: Vec<Percent>,
    /// Net price of one unit.
    pub unit_price: UnitPrice,
    /// Net amount of the line.
    pub net: Money,
    /// The VAT rate.
    pub vat_rate: VatRate,
    /// The delivery day, if the line has its own.
    pub delivery_date: Option<Date>,
    /// Whether the line is part of the totals.
    pub choice: Choice,
    /// The prices for other quantities.
    pub breaks: Vec<Break>,
    /// The largest quantity that can be ordered, with prices for other quantities.
    pub at_most: Option<Quantity>,
}

/// The offer as PDF. The same data renders to the same bytes.
pub fn pdf(offer: &OfferDocument) -> Result<Vec<u8>, DocumentError> {
    render(&OFFER, &Sheet::of(offer), offer.letterhead.logo.as_ref())
}

/// The data of the template, with all values formatted.
#[derive(Serialize)]
struct Sheet<'a> {
    letter: Letter<'a>,
    words: &'static Words,
    currency: &'static str,
    note: Option<&'a str>,
    digest: Option<&'a str>,
    lines: Vec<Row<'a>>,
    any_list_price: bool,
    any_not_counted: bool,
    divisible: bool,
    rates: Vec<Taxed>,
    net: String,
    vat: String,
    gross: String,
    saved: Option<String>,
}

/// A formatted line.
#[derive(Serialize)]
struct Row<'a> {
    number: u32,
    name: &'a str,
    /// SKU and delivery day.
    details: String,
    /// The reason why the line is not part of the totals.
    standing: Option<String>,
    quantity: String,
    list_price: Option<String>,
    discount: Option<String>,
    price: String,
    vat: String,
    net: String,
    breaks: Vec<String>,
}

/// The formatted tax of one rate.
#[derive(Serialize)]
struct Taxed {
    rate: String,
    net: String,
    vat: String,
}

impl<'a> Sheet<'a> {
    fn of(offer: &'a OfferDocument) -> Self {
        let language = offer.language;
        let Totals { by_rate, net, vat, gross } = &offer.totals;
        let taxed = |rate: &RateTotal| Taxed {
            rate: language.vat_rate(rate.rate),
            net: language.amount(rate.net),
            vat: language.amount(rate.vat),
        };
        Self {
            letter: letter(offer),
            words: Words::of(language),
            currency: offer.currency.code(),
            note: offer.note.as_deref(),
            digest: offer.digest.as_deref(),
            lines: offer.lines.iter().map(|line| Row::of(line, language)).collect(),
            any_list_price: offer.lines.iter().any(|line| line.list_price.is_some()),
            any_not_counted: offer.lines.iter().any(|line| line.choice != Choice::Needed),
            divisible: offer.divisible,
            rates: by_rate.iter().map(taxed).collect(),
            net: language.amount(*net),
            vat: language.amount(*vat),
            gross: language.money(*gross),
            saved: offer.discount.map(|discount| language.money(discount)),
        }
    }
}

fn letter(offer: &OfferDocument) -> Letter<'_> {
    let language = offer.language;
    let mut letter = Letter::new(language, &offer.letterhead, &offer.buyer, offer.sent_on);
    let OfferDocument { number, revision, .. } = offer;
    letter.kind = language.either("Oferta", "Offer");
    letter.number = match language {
        Language::Pl => format!("nr {number}, wersja {revision}"),
        Language::En => format!("no. {number}, revision {revision}"),
    };
    letter.mark = offer.standing.in_words(language);
    let mut fact = |polish, english, lines: Option<Vec<String>>| {
        let label = language.either(polish, english);
        letter.facts.extend(lines.map(|lines| Fact { label, lines }));
    };
    let day = |day| vec![language.day(day)];
    fact("Data oferty", "Date", offer.sent_on.map(day));
    fact("Ważna do", "Valid until", Some(day(offer.valid_until)));
    fact("Termin dostawy", "Delivery date", offer.delivery_date.map(day));
    let terms = offer.delivery_terms.as_ref();
    fact("Warunki dostawy", "Delivery terms", terms.map(|terms| vec![delivery_terms(terms)]));
    let payment = language.payment_term(offer.payment_term);
    fact("Płatność", "Payment", Some(vec![payment]));
    let contact = offer.representative.as_ref();
    fact("Osoba kontaktowa", "Your contact", contact.map(Representative::in_words));
    letter
}

fn delivery_terms(terms: &DeliveryTerms) -> String {
    format!("{terms} (Incoterms\u{a0}2020)")
}

impl DocumentStatus {
    fn in_words(self, language: Language) -> Option<&'static str> {
        let (polish, english) = match self {
            Self::Open => return None,
            Self::Draft => ("Szkic, jeszcze niewysłany", "Draft, not sent yet"),
            Self::Superseded => ("Zastąpiona nowszą wersją", "Superseded by a later revision"),
            Self::Accepted => ("Przyjęta", "Accepted"),
            Self::Rejected => ("Odrzucona", "Rejected"),
            Self::Withdrawn => ("Wycofana", "Withdrawn"),
            Self::Expired => ("Wygasła", "Expired"),
        };
        Some(language.either(polish, english))
    }
}

impl Representative {
    fn in_words(&self) -> Vec<String> {
        std::iter::once(&self.name).chain(&self.email).cloned().collect()
    }
}

impl<'a> Row<'a> {
    fn of(line: &'a OfferLine, language: Language) -> Self {
        let price = |price: UnitPrice| language.number(price.amount());
        let quantity = language.number(line.quantity.units());
        let mut details = line.sku.clone();
        if let Some(day) = line.delivery_date.map(|day| language.day(day)) {
            details.push_str(
                &language
                    .either(format!(" · dostawa\u{a0}{day}"), format!(" · delivery\u{a0}{day}")),
            );
        }
        let a_break = |at: &Break| {
            let (from, price) = (language.number(at.at_least.units()), price(at.unit_price));
            format!("{}\u{a0}{from}:\u{a0}{price}", language.either("od", "from"))
        };
        let most = |most: Quantity| {
            let most = language.number(most.units());
            format!("{}\u{a0}{most}", language.either("najwyżej", "at most"))
        };
        Self {
            number: line.number,
            name: &line.name,
            details,
            standing: standing(line.choice, language),
            quantity: match line.unit {
                Some(unit) => format!("{quantity}\u{a0}{}", language.unit(unit)),
                None => quantity,
            },
            list_price: line.list_price.map(price),
            discount: discount(&line.discounts, language),
            price: price(line.unit_price),
            vat: language.vat_rate(line.vat_rate),
            net: language.amount(line.net),
            breaks: line.breaks.iter().map(a_break).chain(line.at_most.map(most)).collect(),
        }
    }
}

/// The reason why a line is not part of the totals.
fn standing(choice: Choice, language: Language) -> Option<String> {
    match choice {
        Choice::Needed => None,
        Choice::Optional => Some(language.either("opcja", "option").to_owned()),
        Choice::Alternative { to } => Some(match language {
            Language::Pl => format!("zamiast poz.\u{a0}{to}"),
            Language::En => format!("instead of line\u{a0}{to}"),
        }),
    }
}

fn discount(discounts: &[Percent], language: Language) -> Option<String> {
    let each: Vec<String> =
        discounts.iter().map(|discount| format!("−{}", language.percent(*discount))).collect();
    (!each.is_empty()).then(|| each.join(" "))
}

#[cfg(test)]
mod tests;
