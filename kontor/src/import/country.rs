//! The countries of the UCI Online Retail export.

/// The ISO 3166-1 code of a country, by its name in the export.
pub fn code(name: &str) -> &'static str {
    match name {
        "Australia" => "AU",
        "Austria" => "AT",
        "Bahrain" => "BH",
        "Belgium" => "BE",
        "Brazil" => "BR",
        "Canada" => "CA",
        "Channel Islands" => "JE",
        "Cyprus" => "CY",
        "Czech Republic" => "CZ",
        "Denmark" => "DK",
        "EIRE" => "IE",
        "Finland" => "FI",
        "France" => "FR",
        "Germany" => "DE",
        "Greece" => "GR",
        "Hong Kong" => "HK",
        "Iceland" => "IS",
        "Israel" => "IL",
        "Italy" => "IT",
        "Japan" => "JP",
        "Lebanon" => "LB",
        "Lithuania" => "LT",
        "Malta" => "MT",
        "Netherlands" => "NL",
        "Norway" => "NO",
        "Portugal" => "PT",
        "RSA" => "ZA",
        "Saudi Arabia" => "SA",
        "Singapore" => "SG",
        "Spain" => "ES",
        "Sweden" => "SE",
        "Switzerland" => "CH",
        "USA" => "US",
        "United Arab Emirates" => "AE",
        "United Kingdom" => "GB",
        // ISO 3166 reserves ZZ for private use: here it is any country that the export does not
        // name, and Poland, because Polish companies need a NIP, which the export does not have.
        _ => "ZZ",
    }
}
