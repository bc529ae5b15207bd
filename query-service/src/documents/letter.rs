//! What every document says beside its own matter: from whom, to whom, the facts at its head.

use domain::{Iban, Nip, TaxId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Language, Logo};

/// What stands at the head of all that the seller writes.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// Who writes.
    pub seller: Seller,
    /// Its picture; its name stands there without one.
    pub logo: Option<Logo>,
}

/// Whose letter it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// The name by which it is registered.
    pub name: String,
    /// Its tax number.
    pub nip: Option<Nip>,
    /// Street, postal code and city, country where it matters: a line each.
    #[serde(default)]
    pub address: Vec<String>,
    /// Where it reads mail.
    pub email: Option<String>,
    /// Where it answers.
    pub phone: Option<String>,
    /// Where it is paid.
    pub bank_account: Option<Iban>,
}

/// To whom it is written.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// What it is called.
    pub name: String,
    /// By which number a tax office knows it.
    pub tax_id: Option<TaxId>,
    /// Street, postal code and city, country where it matters: a line each.
    pub address: Vec<String>,
}

/// What the head and the foot of a document show.
#[derive(Serialize)]
pub(super) struct Letter<'a> {
    language: &'static str,
    /// What it is, such as an offer.
    pub(super) kind: &'static str,
    /// Which of its kind.
    pub(super) number: String,
    /// What else must be known of it at first sight.
    pub(super) mark: Option<&'static str>,
    /// Year, month and day, for the properties of the file.
    date: Option<[i16; 3]>,
    seller: &'a str,
    has_logo: bool,
    parties: [Party<'a>; 2],
    pub(super) facts: Vec<Fact>,
    /// What stands before the number of a page, and before how many there are.
    pages: [&'static str; 2],
}

/// One of the two.
#[derive(Serialize)]
struct Party<'a> {
    role: &'static str,
    name: &'a str,
    lines: Vec<String>,
}

/// Something that is said in a few words.
#[derive(Serialize)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) lines: Vec<String>,
}

impl<'a> Letter<'a> {
    /// A letter of that day, so far without a word of what it is about.
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

/// In groups, as it is read out: at home a Polish account begins with its check digits.
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
