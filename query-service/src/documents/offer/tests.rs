//! The rendered text of offer documents.

use domain::{Line, ProductId, delivery_terms::Incoterm};
use jiff::civil::date;

use super::*;
use crate::documents::{Logo, Seller, tests::words};

const NOTE: &str = "Zażółć gęślą jaźń: ĄĆĘŁŃÓŚŻŹ";

/// An offer with this number of required lines, of which every third has a discount.
fn offer(language: Language, lines: u32) -> OfferDocument {
    let lines: Vec<OfferLine> = (1..=lines).map(|number| firm(number, language)).collect();
    let mut offer = OfferDocument {
        language,
        letterhead: Arc::new(Letterhead {
            logo: None,
            seller: Seller {
                name: "Hurtownia Wszystkiego Żółć sp. z o.o.".to_owned(),
                nip: Some("5260250274".parse().unwrap()),
                address: vec!["ul. Składowa 7".to_owned(), "00-950 Warszawa".to_owned()],
                email: Some("oferty@hurtownia.example".to_owned()),
                phone: Some("+48 22 555 01 23".to_owned()),
                bank_account: Some("61109010140000071219812874".parse().unwrap()),
            },
        }),
        buyer: Buyer {
            name: "Hotel pod Łabędziem Krzysztof Źdźbło i Wspólnicy sp.k.".to_owned(),
            tax_id: Some("1111111111".parse().unwrap()),
            address: vec!["Rynek Główny 12/3".to_owned(), "31-042 Kraków".to_owned()],
        },
        number: "OF/2026/11/0042".to_owned(),
        revision: 2,
        digest: Some("7f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d8".to_owned()),
        standing: DocumentStatus::Open,
        sent_on: Some(date(2026, 11, 23)),
        valid_until: date(2026, 12, 7),
        currency: Currency::Pln,
        representative: Some(Representative {
            name: "Małgorzata Śliwińska".to_owned(),
            email: Some("m.sliwinska@hurtownia.example".to_owned()),
        }),
        note: Some(NOTE.to_owned()),
        payment_term: "net 14 early 2/10".parse().unwrap(),
        delivery_terms: Some(delivered("Kraków")),
        delivery_date: Some(date(2026, 12, 14)),
        divisible: false,
        lines,
        totals: Totals::of(&[], Currency::Pln).unwrap(),
        discount: None,
    };
    count(&mut offer);
    offer
}

fn delivered(place: &str) -> DeliveryTerms {
    DeliveryTerms { incoterm: Incoterm::Dap, place: place.parse().unwrap() }
}

fn firm(number: u32, language: Language) -> OfferLine {
    let names = language.either(
        [
            "Kawa ziarnista Arabica 1 kg",
            "Filiżanka porcelanowa ze spodkiem, biała, komplet 6 szt. w kartonie zbiorczym",
            "Śmietanka w porcjach",
        ],
        [
            "Coffee beans Arabica 1 kg",
            "Porcelain cup with saucer, white, set of 6 in a display carton",
            "Cream portions",
        ],
    );
    let place = usize::try_from(number).unwrap();
    let discounted = number.is_multiple_of(3);
    let unit_price: UnitPrice = "1234.50".parse().unwrap();
    let quantity: Quantity = if number.is_multiple_of(2) { "12.5" } else { "3" }.parse().unwrap();
    OfferLine {
        number,
        sku: format!("HK-{number:05}"),
        name: names[place % 3].to_owned(),
        quantity,
        unit: Some(if number.is_multiple_of(2) { Unit::Kilogram } else { Unit::Piece }),
        list_price: discounted.then(|| "1300.00".parse().unwrap()),
        discounts: if discounted {
            vec!["3".parse().unwrap(), "2.1".parse().unwrap()]
        } else {
            vec![]
        },
        unit_price,
        net: Currency::Pln.round_half_up(quantity.units() * unit_price.amount()),
        vat_rate: if number.is_multiple_of(4) { VatRate::SuperReduced } else { VatRate::Basic },
        delivery_date: number.is_multiple_of(5).then(|| date(2027, 1, 11)),
        choice: Choice::Needed,
        breaks: vec![],
        at_most: None,
    }
}

/// Adds up the required lines as the domain does.
fn count(offer: &mut OfferDocument) {
    let lines: Vec<Line> = offer
        .lines
        .iter()
        .filter(|line| line.choice == Choice::Needed)
        .map(|line| Line {
            product: ProductId(uuid::Uuid::from_u128(9)),
            sku: line.sku.parse().unwrap(),
            name: line.name.parse().unwrap(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            vat_rate: line.vat_rate,
            priced_by: None,
            deliver_on: None,
        })
        .collect();
    offer.totals = Totals::of(&lines, offer.currency).unwrap();
}

/// Three required lines, an option, an alternative, and quantity breaks.
fn rich(language: Language) -> OfferDocument {
    let mut offer = offer(language, 12);
    offer.lines[3].choice = Choice::Optional;
    offer.lines[4].choice = Choice::Alternative { to: 3 };
    let at = |from: &str, price: &str| Break {
        at_least: from.parse().unwrap(),
        unit_price: price.parse().unwrap(),
    };
    offer.lines[0].breaks = vec![at("100", "1199.00"), at("500", "1150.7525")];
    offer.lines[0].at_most = Some("1000".parse().unwrap());
    offer.divisible = true;
    offer.discount = Some(Money::parse("1965.00", Currency::Pln).unwrap());
    count(&mut offer);
    offer
}

#[track_caller]
fn check(offer: &OfferDocument, shown: &[&str]) {
    let text = words(&pdf(offer).unwrap());
    for expected in shown {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

#[track_caller]
fn check_absent(offer: &OfferDocument, absent: &[&str]) {
    let text = words(&pdf(offer).unwrap());
    for unexpected in absent {
        assert!(!text.contains(unexpected), "{unexpected:?} is in {text}");
    }
}

#[test]
fn says_all_in_polish() {
    check(
        &rich(Language::Pl),
        &[
            "Oferta",
            "nr OF/2026/11/0042, wersja 2",
            "Sprzedawca",
            "Hurtownia Wszystkiego Żółć sp. z o.o.",
            "ul. Składowa 7",
            "NIP 5260250274",
            "tel. +48 22 555 01 23 · oferty@hurtownia.example",
            "Rachunek 61 1090 1014 0000 0712 1981 2874",
            "Nabywca",
            "Hotel pod Łabędziem Krzysztof Źdźbło i Wspólnicy sp.k.",
            "31-042 Kraków",
            "NIP 1111111111",
            "Data oferty",
            "23.11.2026",
            "Ważna do",
            "07.12.2026",
            "Termin dostawy",
            "14.12.2026",
            "DAP Kraków (Incoterms 2020)",
            "przelew 14 dni, skonto 2 % przy zapłacie w ciągu 10 dni",
            "Małgorzata Śliwińska",
            "m.sliwinska@hurtownia.example",
            NOTE,
            "Wartość netto, PLN",
            "Filiżanka porcelanowa",
            "HK-00005 · dostawa 11.01.2027",
            "3 szt.",
            "12,5 kg",
            "1 300,00",
            "−3 % −2,1 %",
            "1 234,50",
            "15 431,25",
            "od 100: 1 199,00; od 500: 1 150,7525; najwyżej 1 000",
            "23 %",
            "Można przyjąć także tylko część pozycji.",
            "W cenach ujęto rabaty o wartości 1 965,00 PLN.",
            "Suma kontrolna tej wersji: 7f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d8",
            "Przyjęcie oferty powołuje się na tę sumę",
            "strona 1 z ",
        ],
    );
}

#[test]
fn says_all_in_english() {
    check(
        &rich(Language::En),
        &[
            "Offer",
            "no. OF/2026/11/0042, revision 2",
            "Seller",
            "Tax no. (NIP) 5260250274",
            "Phone +48 22 555 01 23 · oferty@hurtownia.example",
            "Account PL61 1090 1014 0000 0712 1981 2874",
            "Buyer",
            "Hotel pod Łabędziem Krzysztof Źdźbło i Wspólnicy sp.k.",
            "23 November 2026",
            "Valid until",
            "7 December 2026",
            "bank transfer, 14 days net; 2% off if paid within 10 days",
            "DAP Kraków (Incoterms 2020)",
            "Your contact",
            NOTE,
            "Net amount, PLN",
            "Porcelain cup with saucer",
            "HK-00005 · delivery 11 January 2027",
            "3 pcs",
            "12.5 kg",
            "1,300.00",
            "−3% −2.1%",
            "1,234.50",
            "15,431.25",
            "from 100: 1,199.00; from 500: 1,150.7525; at most 1,000",
            "Some lines can be accepted without the others.",
            "Prices include discounts worth 1,965.00 PLN.",
            "Fingerprint of this revision: 7f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d87f3a90c2e51b04d8",
            "An acceptance names it",
            "page 1 of ",
        ],
    );
}

/// Ten required lines: 5 × 3,703.50 and 5 × 15,431.25, of which two at 5 %.
#[test]
fn totals_are_of_firm_lines_alone() {
    check(
        &rich(Language::Pl),
        &[
            "opcja",
            "zamiast poz. 3",
            "(15 431,25)",
            "(3 703,50)",
            "nie są wliczone w sumy",
            "23 % 64 811,25 14 906,59",
            "5 % 30 862,50 1 543,13",
            "Razem netto 95 673,75",
            "VAT 16 449,72",
            "Razem brutto 112 123,47 PLN",
        ],
    );
    let english = ["option", "instead of line 3", "(15,431.25)", "Total gross 112,123.47 PLN"];
    check(&rich(Language::En), &english);
    check_absent(&offer(Language::Pl, 4), &["opcja", "zamiast", "wliczone", "(15 431,25)"]);
}

#[test]
fn says_nothing_of_what_is_not_agreed() {
    let mut bare = offer(Language::En, 2);
    let name = bare.letterhead.seller.name.clone();
    let (nip, email, phone, bank_account) = (None, None, None, None);
    let seller = Seller { name, nip, address: vec![], email, phone, bank_account };
    bare.letterhead = Arc::new(Letterhead { seller, logo: None });
    bare.buyer = Buyer { tax_id: None, address: vec![], ..bare.buyer };
    bare = OfferDocument {
        digest: None,
        representative: None,
        note: None,
        delivery_terms: None,
        delivery_date: None,
        ..bare
    };
    bare.lines[0].unit = None;
    let labels = [
        "Tax no.",
        "Phone",
        "Account",
        "Delivery",
        "Incoterms",
        "Your contact",
        "Notes",
        "List price",
        "Fingerprint",
        "discounts",
        "Draft",
        "Some lines",
    ];
    check_absent(&bare, &labels);
    check(&bare, &["Offer", "Valid until", "Total gross"]);
}

#[test]
fn what_binds_nobody_is_marked() {
    for (standing, polish, english) in [
        (DocumentStatus::Draft, "Szkic, jeszcze niewysłany", "Draft, not sent yet"),
        (DocumentStatus::Superseded, "Zastąpiona nowszą wersją", "Superseded by a later revision"),
        (DocumentStatus::Accepted, "Przyjęta", "Accepted"),
        (DocumentStatus::Rejected, "Odrzucona", "Rejected"),
        (DocumentStatus::Withdrawn, "Wycofana", "Withdrawn"),
        (DocumentStatus::Expired, "Wygasła", "Expired"),
    ] {
        check(&OfferDocument { standing, ..offer(Language::Pl, 1) }, &[polish]);
        check(&OfferDocument { standing, ..offer(Language::En, 1) }, &[english]);
        check_absent(&offer(Language::Pl, 1), &[polish]);
    }
    check_absent(&OfferDocument { sent_on: None, ..offer(Language::Pl, 1) }, &["Data oferty"]);
}

#[test]
fn a_foreign_buyer_has_its_own_number() {
    let mut offer = offer(Language::En, 1);
    offer.buyer.tax_id = Some("DE123456789".parse().unwrap());
    check(&offer, &["Tax no. DE123456789"]);
}

#[test]
fn every_page_has_the_head_of_the_table_and_its_number() {
    let pdf = pdf(&offer(Language::Pl, 60)).unwrap();
    let pages = pdf_extract::extract_text_from_mem_by_pages(&pdf).unwrap();
    assert_eq!(pages.len(), 3);
    for (number, page) in (1..).zip(&pages) {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in ["Cena netto", &format!("strona {number} z 3")] {
            assert!(page.contains(expected), "{expected:?} is not in {page}");
        }
    }
}

/// User input with markup characters in every field.
#[test]
fn what_was_typed_is_shown_and_never_obeyed() {
    let typed = "#read(\"/etc/passwd\") $a$ *b* \\ @c <d> \"e\" 😀";
    let text = || typed.to_owned();
    let mut offer = rich(Language::Pl);
    let seller = &mut Arc::make_mut(&mut offer.letterhead).seller;
    seller.name = text();
    seller.address = vec![text()];
    offer.buyer.name = text();
    offer.buyer.address = vec![text()];
    offer.number = text();
    offer.note = Some(text());
    offer.digest = Some(text());
    offer.delivery_terms = Some(delivered(typed));
    offer.representative = Some(Representative { name: text(), email: Some(text()) });
    offer.lines[0].name = text();
    offer.lines[0].sku = text();
    let shown = words(&pdf(&offer).unwrap());
    assert!(!shown.contains("root:"), "{shown}");
    assert!(shown.matches("\"/etc/passwd\"").count() >= 12, "{shown}");
    assert!(shown.matches("@c <d> \"e\" 😀").count() >= 10, "{shown}");
}

#[test]
fn the_logo_stands_for_the_name() {
    let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="30" height="9"><rect width="9" height="9"/></svg>"#;
    let mut offer = offer(Language::Pl, 1);
    let times =
        |offer: &OfferDocument| words(&pdf(offer).unwrap()).matches("Żółć sp. z o.o.").count();
    assert_eq!(times(&offer), 2, "at the head and among the parties");
    Arc::make_mut(&mut offer.letterhead).logo = Some(Logo::new(svg.into()).unwrap());
    assert_eq!(times(&offer), 1);
}

#[test]
fn the_same_offer_makes_the_same_bytes() {
    let first = pdf(&rich(Language::Pl)).unwrap();
    assert_ne!(pdf(&rich(Language::En)).unwrap(), first);
    assert_eq!(pdf(&rich(Language::Pl)).unwrap(), first);
}

/// The longest figures that the domain accepts leave room for the name.
#[test]
fn the_largest_figures_fit() {
    let mut offer = offer(Language::Pl, 1);
    let line = &mut offer.lines[0];
    line.quantity = "999999999.999".parse().unwrap();
    line.unit_price = "999999999.9999".parse().unwrap();
    line.list_price = Some(line.unit_price);
    line.net = Currency::Pln.round_half_up(line.quantity.units() * line.unit_price.amount());
    count(&mut offer);
    check(&offer, &["999 999 999,999 szt.", "999 999 999,9999", "999 999 999 998 900 000,00"]);
}

/// An offer of the maximum length.
#[test]
fn two_thousand_lines_are_set() {
    let bytes = pdf(&offer(Language::Pl, 2_000)).unwrap();
    let document = pdf_extract::Document::load_mem(&bytes).unwrap();
    let pages = u32::try_from(document.get_pages().len()).unwrap();
    assert!((60..=120).contains(&pages), "{pages} pages");
    let mut last = String::new();
    let mut output = pdf_extract::PlainTextOutput::new(&mut last);
    pdf_extract::output_doc_page(&document, &mut output, pages).unwrap();
    let last = last.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in ["HK-02000", "Razem brutto", &format!("strona {pages} z {pages}")] {
        assert!(last.contains(expected), "{expected:?} is not in {last}");
    }
}
