//! A despatch advice in both forms.

use domain::{Name, Reference};

use super::*;
use crate::documents::Seller;

fn advice(language: Language) -> DespatchAdvice {
    let seller = Seller {
        name: "Hurtownia & Synowie".to_owned(),
        nip: Some("5260250274".parse().unwrap()),
        address: vec!["ul. Wolska 12".to_owned(), "01-003 Warszawa".to_owned()],
        email: None,
        phone: None,
        bank_account: None,
    };
    let (street, postal_code): (Name, Reference) =
        ("Portowa 1".parse().unwrap(), "81-001".parse().unwrap());
    let address =
        Address::new(street, postal_code, "Gdynia".parse().unwrap(), "PL".parse().unwrap());
    let address = address.unwrap();
    let line = |order: &str, place: Option<u32>| DespatchLine {
        order: order.to_owned(),
        order_line: place,
        sku: "HK-1001".to_owned(),
        gtin: Some("5901234123457".parse().unwrap()),
        name: "Kawa <Arabica> 1 kg".to_owned(),
        quantity: "7.5".parse().unwrap(),
        unit: Some(Unit::Kilogram),
    };
    DespatchAdvice {
        language,
        letterhead: Arc::new(Letterhead { seller, logo: None }),
        buyer: Recipient {
            name: "Delikatesy".to_owned(),
            tax_id: Some(TaxId::Nip { number: "1111111111".parse().unwrap() }),
            address: Some(address.clone()),
        },
        deliver_to: Some(address),
        number: "SHP/2026/000042".to_owned(),
        on: "2026-11-23".parse().unwrap(),
        courier: Some("DPD".to_owned()),
        tracking: Some("000123".to_owned()),
        lines: vec![line("Z-1", Some(1)), line("Z-2", None)],
        parcels: vec![
            DespatchedParcel {
                weight_grams: 12_500,
                sides_mm: Some([600, 400, 300]),
                tracking: Some("000123".to_owned()),
            },
            DespatchedParcel { weight_grams: 800, sides_mm: None, tracking: None },
        ],
    }
}

#[test]
fn the_pdf_says_what_left_in_either_language() {
    for (language, expected) in [
        (Language::Pl, ["Awizo wysyłki", "13,3", "Z-1 / 1", "Miejsce dostawy"]),
        (Language::En, ["Despatch advice", "13.3", "Z-1 / 1", "Delivery address"]),
    ] {
        let file = pdf(&advice(language)).unwrap();
        assert_eq!(pdf(&advice(language)).unwrap(), file, "the same bytes");
        let text = pdf_extract::extract_text_from_mem(&file).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in expected.into_iter().chain(["SHP/2026/000042", "HK-1001", "DPD", "Delikatesy"])
        {
            assert!(text.contains(words), "{words:?} is not in {text}");
        }
    }
}

#[test]
fn the_xml_has_the_elements_of_the_profile() {
    let xml_of = || String::from_utf8(xml(&advice(Language::Pl)).unwrap()).unwrap();
    let text = xml_of();
    assert_eq!(text, xml_of(), "the same bytes");
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><DespatchAdvice xmlns=\"urn:oasis",
        "<cbc:CustomizationID>urn:fdc:peppol.eu:poacc:trns:despatch_advice:3<",
        "<cbc:ID>SHP/2026/000042</cbc:ID><cbc:IssueDate>2026-11-23</cbc:IssueDate>",
        "<cbc:EndpointID schemeID=\"9945\">PL5260250274</cbc:EndpointID>",
        "<cbc:RegistrationName>Hurtownia &amp; Synowie</cbc:RegistrationName>",
        "<cbc:GrossWeightMeasure unitCode=\"KGM\">13.3</cbc:GrossWeightMeasure>",
        "<cbc:DeliveredQuantity unitCode=\"KGM\">7.5</cbc:DeliveredQuantity>",
        "<cbc:LineID>1</cbc:LineID><cac:OrderReference><cbc:ID>Z-1</cbc:ID>",
        "<cbc:LineID>NA</cbc:LineID><cac:OrderReference><cbc:ID>Z-2</cbc:ID>",
        "<cbc:Name>Kawa &lt;Arabica&gt; 1 kg</cbc:Name>",
        "<cbc:ID schemeID=\"0160\">5901234123457</cbc:ID>",
        "<cbc:Measure unitCode=\"MMT\">600</cbc:Measure>",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    // Two orders: neither is the order of the whole.
    assert!(!text.contains("</cbc:IssueDate><cac:OrderReference>"), "{text}");
}
