//! A generated export in the format of UCI Online Retail, with typical errors, and the balance of
//! each customer computed independently in pence.

use std::{collections::BTreeMap, fmt::Write};

/// An export and what comes of it.
pub(crate) struct Export {
    /// The CSV.
    pub(crate) csv: String,
    /// Pence owed, by customer; `unnamed` for documents without one.
    pub(crate) owed: BTreeMap<String, i64>,
    /// How many lines must be refused.
    pub(crate) refused: usize,
}

/// Makes one; the same seed makes the same.
pub(crate) fn export(seed: u64, documents: u32) -> Export {
    let mut random = Random(seed);
    let mut export = Export {
        csv: "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
            .to_owned(),
        owed: BTreeMap::new(),
        refused: 0,
    };
    for number in 0..documents {
        export.document(600_000 + number, &mut random);
    }
    export
}

impl Export {
    fn document(&mut self, number: u32, random: &mut Random) {
        let credit = random.below(6) == 0;
        let prefix = if credit { "C" } else { "" };
        // One in ten names no customer.
        let customer = match random.below(10) {
            0 => String::new(),
            _ => (17_000 + random.below(25)).to_string(),
        };
        let day = 1 + random.below(28);
        let mut earlier: Option<String> = None;
        for line in 0..=random.below(12) {
            let (code, description) = product(random);
            // A stock adjustment: a sale that counts down, at no price and for nobody.
            let adjustment = !credit && customer.is_empty() && random.below(4) == 0;
            let units = i64::from(1 + random.below(48));
            let quantity = if credit || adjustment { -units } else { units };
            let pence = if adjustment || random.below(30) == 0 { 0 } else { random.below(2_500) };
            // Lines repeat, and some carry a later timestamp.
            let time = if line > 5 { "08:27:00" } else { "08:26:00" };
            let row = format!(
                "{prefix}{number},{code},{description},{quantity},2010-12-{day:02}T{time},{}.{:02},\
                 {customer},United Kingdom",
                pence / 100,
                pence % 100,
            );
            let row = match earlier.take() {
                Some(same) if random.below(8) == 0 => same,
                _ => row,
            };
            writeln!(self.csv, "{row}").unwrap();
            self.count(&row);
            earlier = Some(row);
        }
    }

    /// Reads the row as the shop's accountant would.
    fn count(&mut self, row: &str) {
        let fields: Vec<&str> = row.split(',').collect();
        let quantity: i64 = fields[3].parse().unwrap();
        let pence: i64 = fields[5].replace('.', "").parse().unwrap();
        if quantity < 0 && !fields[0].starts_with('C') {
            self.refused += 1;
            return;
        }
        let customer = if fields[6].is_empty() { "unnamed" } else { fields[6] };
        *self.owed.entry(customer.to_owned()).or_default() += quantity * pence;
    }
}

fn product(random: &mut Random) -> (String, String) {
    match random.below(40) {
        0 => ("POST".to_owned(), "POSTAGE".to_owned()),
        1 => ("BANK CHARGES".to_owned(), "Bank Charges".to_owned()),
        2 => ("15056bl".to_owned(), String::new()),
        code => (format!("{}A", 20_000 + code), format!("LANTERN No {code}")),
    }
}

/// Xorshift: enough to make data with, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(limit)).unwrap()
    }
}
