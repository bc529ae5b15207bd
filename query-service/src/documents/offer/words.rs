//! The fixed texts of an offer's document in each language.

use serde::Serialize;

use crate::documents::Language;

/// The texts that its template prints unchanged.
#[derive(Serialize)]
pub(super) struct Words {
    pub(super) number: &'static str,
    pub(super) item: &'static str,
    pub(super) quantity: &'static str,
    pub(super) list_price: &'static str,
    pub(super) price: &'static str,
    pub(super) vat: &'static str,
    pub(super) net: &'static str,
    pub(super) rate: &'static str,
    pub(super) total: &'static str,
    pub(super) total_net: &'static str,
    pub(super) total_gross: &'static str,
    pub(super) saved: &'static str,
    pub(super) breaks: &'static str,
    pub(super) not_counted: &'static str,
    pub(super) divisible: &'static str,
    pub(super) note: &'static str,
    pub(super) digest: &'static str,
    pub(super) acceptance: &'static str,
}

const POLISH: Words = Words {
    number: "Lp.",
    item: "Towar",
    quantity: "Ilość",
    list_price: "Cena katalogowa",
    price: "Cena netto",
    vat: "VAT",
    net: "Wartość netto",
    rate: "Stawka VAT",
    total: "Razem",
    total_net: "Razem netto",
    total_gross: "Razem brutto",
    saved: "W cenach ujęto rabaty o wartości",
    breaks: "Cena netto przy ilości",
    not_counted: "Pozycje opcjonalne i alternatywne, w nawiasach, nie są wliczone w sumy.",
    divisible: "Można przyjąć także tylko część pozycji.",
    note: "Uwagi",
    digest: "Suma kontrolna tej wersji",
    acceptance: "Przyjęcie oferty powołuje się na tę sumę, dotyczy więc dokładnie tej treści.",
};

const ENGLISH: Words = Words {
    number: "No.",
    item: "Item",
    quantity: "Quantity",
    list_price: "List price",
    price: "Net price",
    vat: "VAT",
    net: "Net amount",
    rate: "VAT rate",
    total: "Total",
    total_net: "Total net",
    total_gross: "Total gross",
    saved: "Prices include discounts worth",
    breaks: "Net price by quantity",
    not_counted: "Optional and alternative lines, in brackets, are not part of the totals.",
    divisible: "Some lines can be accepted without the others.",
    note: "Notes",
    digest: "Fingerprint of this revision",
    acceptance: "An acceptance names it, and so accepts exactly what stands here.",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        language.either(&POLISH, &ENGLISH)
    }
}
