//! What is printed: a Markdown table for the README.

use std::fmt;

/// Measurements, each with its target if it has one.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A measurement that has to be at least so much.
    pub(crate) fn at_least(&mut self, what: &str, measured: String, is: f64, target: (f64, &str)) {
        self.row(what, measured, format!("≥ {}", target.1), Some(is >= target.0));
    }

    /// A measurement that has to be at most so much.
    pub(crate) fn at_most(&mut self, what: &str, measured: String, is: f64, target: (f64, &str)) {
        self.row(what, measured, format!("≤ {}", target.1), Some(is <= target.0));
    }

    /// A measurement for comparison.
    pub(crate) fn beside(&mut self, what: &str, measured: String) {
        self.row(what, measured, String::new(), None);
    }

    fn row(&mut self, what: &str, measured: String, target: String, met: Option<bool>) {
        let met = match met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        println!("{what}: {measured} {target} {met}");
        self.rows.push([what.to_owned(), measured, target, met.to_owned()]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | target | met |\n|---|---:|---:|---|")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// `12,345`.
pub(crate) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
