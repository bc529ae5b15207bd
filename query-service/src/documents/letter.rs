//! The common part of all documents: sender, recipient, and the facts in the header.

use domain::{Iban, Nip, TaxId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Language, Logo};

/// The letterhead of the seller's documents.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// The sender.
    pub seller: Seller,
    /// The logo; the name is shown without one.
    pub logo: Option<Logo>,
}

/// The sender of documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// The registered name.
    pub name: String,
    /// Its tax number.
    pub nip: Option<Nip>,
    /// Address lines: street, postal code and city, and country if it is abroad.
    #[serde(default)]
    pub address: Vec<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The bank account.
    pub bank_account: Option<Iban>,
}

/// The recipient.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// The name.
    pub name: String,
    /// The tax number.
    pub tax_id: Option<TaxId>,
    /// Address lines: street, postal code and city, and country if it is abroad.
    pub address: Vec<String>,
}

/// The content of the header and footer of a document.
#[derive(Serialize)]
pub(super) struct Letter<'a> {
    language: &'static str,
    /// The kind of document, such as an offer.
    pub(super) kind: &'static str,
    /// Its number.
    pub(super) number: String,
    /// Further facts of the header.
    pub(super) mark: Option<&'static str>,
    /// Year, month and day, for the file properties.
    date: Option<[i16; 3]>,
    seller: &'a str,
    has_logo: bool,
    parties: [Party<'a>; 2],
    pub(super) facts: Vec<Fact>,
    /// The words before the page number and before the number of pages.
    pages: [&'static str; 2],
}

/// One of the two parties.
#[derive(Serialize)]
struct Party<'a> {
    role: &'static str,
    name: &'a str,
    lines: Vec<String>,
}

/// A label with a value.
#[derive(Serialize)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) lines: Vec<String>,
}

impl<'a> Letter<'a> {
    /// The letter of a day, without the content of a specific document.
    pub(super) fn new(
        language: Language,
        Letterhead { seller, logo }: &'a Letterhead,
        buyer: &'a Buyer,
        day: Option<Date>,
    ) -> Self {
        Self {
            language: language.code(),
            kind: "",
            number: String::new(),
            mark: None,
            date: day.map(|day| [day.year(), i16::from(day.month()), i16::from(day.day())]),
            seller: &seller.name,
            has_logo: logo.is_some(),
            parties: [seller.shown(language), buyer.shown(language)],
            facts: vec![],
            pages: language.either(["strona", "z"], ["page", "of"]),
        }
    }
}

impl Seller {
    fn shown(&self, language: Language) -> Party<'_> {
        let mut lines = self.address.clone();
        lines.extend(self.nip.as_ref().map(|nip| nip_line(language, nip)));
        let phone = self
            .phone
            .as_ref()
            .map(|phone| format!("{} {phone}", language.either("tel.", "Phone")));
        let reach: Vec<String> = phone.into_iter().chain(self.email.clone()).collect();
        if !reach.is_empty() {
            lines.push(reach.join(" · "));
        }
        lines.extend(self.bank_account.as_ref().map(|account| account_line(language, account)));
        Party { role: language.either("Sprzedawca", "Seller"), name: &self.name, lines }
    }
}

impl Buyer {
    fn shown(&self, language: Language) -> Party<'_> {
        let mut lines = self.address.clone();
        lines.extend(self.tax_id.as_ref().map(|id| match id {
            TaxId::Nip { number } => nip_line(language, number),
            TaxId::Foreign { country, number } => {
                let label = language.either("Nr podatkowy", "Tax no.");
                format!("{label} {}{number}", country.as_str())
            }
        }));
        Party { role: language.either("Nabywca", "Buyer"), name: &self.name, lines }
    }
}

fn nip_line(language: Language, nip: &Nip) -> String {
    format!("{} {nip}", language.either("NIP", "Tax no. (NIP)"))
}

/// Formats an account number in groups; a Polish account is shown without country code to Polish
/// readers.
fn account_line(language: Language, account: &Iban) -> String {
    let (label, number, first) = match (language, account.nrb()) {
        (Language::Pl, Some(nrb)) => ("Rachunek", nrb, 2),
        (Language::Pl, None) => ("Rachunek", account.as_str(), 4),
        (Language::En, _) => ("Account", account.as_str(), 4),
    };
    let mut line = String::from(label);
    for (place, character) in number.chars().enumerate() {
        if place == 0 {
            line.push(' ');
        } else if place >= first && (place - first).is_multiple_of(4) {
            line.push('\u{a0}');
        }
        line.push(character);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_in_groups() {
        let polish: Iban = "61109010140000071219812874".parse().unwrap();
        let german: Iban = "DE89370400440532013000".parse().unwrap();
        let line = |language, account| account_line(language, account).replace('\u{a0}', " ");
        assert_eq!(line(Language::Pl, &polish), "Rachunek 61 1090 1014 0000 0712 1981 2874");
        assert_eq!(line(Language::En, &polish), "Account PL61 1090 1014 0000 0712 1981 2874");
        assert_eq!(line(Language::Pl, &german), "Rachunek DE89 3704 0044 0532 0130 00");
    }
}
