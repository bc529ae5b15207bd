//! Words as they are searched: lower case letters and digits without diacritics, so that `żółć`,
//! `Zolc` and `ŻÓŁĆ` are one word.

use std::collections::BTreeSet;

use deunicode::deunicode;

/// The words of a text, in order.
pub fn of(text: &str) -> Vec<String> {
    let folded = deunicode(text).to_ascii_lowercase();
    let words = folded.split(|each: char| !each.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

/// The words of some texts with a space between them.
pub fn spelled<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = texts.into_iter().flat_map(of).collect();
    words.join(" ")
}

/// The words of some codes, and each code without what separates its parts: `AB-12/3` is found by
/// `ab`, `12` and `ab123`.
pub fn code<'a>(codes: impl IntoIterator<Item = &'a str>) -> String {
    let of_code = |code: &str| {
        let words = of(code);
        let whole = words.concat();
        words.into_iter().chain([whole])
    };
    let words: BTreeSet<String> = codes.into_iter().flat_map(of_code).collect();
    Vec::from_iter(words).join(" ")
}

/// What somebody searches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
}

impl Wanted {
    /// How many words of a search count; the others are not looked at.
    pub const MOST_WORDS: usize = 8;

    /// Reads what somebody typed; `None` when there is no word in it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = of(text);
        words.truncate(Self::MOST_WORDS);
        (!words.is_empty()).then_some(Self { words })
    }

    /// The words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The same with other words in place of some.
    #[must_use]
    pub fn with(mut self, replaced: impl Fn(&str) -> Option<String>) -> Self {
        for word in &mut self.words {
            if let Some(other) = replaced(word) {
                *word = other;
            }
        }
        self
    }

    /// All words as one code.
    pub fn code(&self) -> String {
        self.words.concat()
    }

    /// In the language of `tsquery`: products that have all words, in whatever form and however
    /// they go on. Words of one or two letters are meant as they are.
    pub fn query(&self) -> String {
        let words: Vec<String> = self.words.iter().map(|word| form(word)).collect();
        words.join(" & ")
    }

    /// The same for products whose code begins with all of it, when it can be one.
    pub fn code_query(&self) -> Option<String> {
        let code = self.code();
        let is_code = code.len() >= LEAST && code.bytes().any(|byte| byte.is_ascii_digit());
        is_code.then(|| format!("'{code}':*A"))
    }

    /// In the language of `tsquery`, to rank by: every word in whatever form, and once more as it was
    /// written.
    pub fn rank(&self) -> String {
        let both = |word: &String| format!("{} | '{word}'", form(word));
        let words: Vec<String> = self.words.iter().map(both).collect();
        format!("{} | '{}':A", words.join(" | "), self.code())
    }
}

/// The letters that the beginning of a word must have to be searched by.
const LEAST: usize = 3;

fn form(word: &str) -> String {
    if word.len() < LEAST { format!("'{word}'") } else { format!("'{}':*", stem(word)) }
}

/// What stays of a Polish word in all its cases: `kawy` and `kawa` both begin with `kaw`. What has
/// a digit in it is a code and stays whole.
pub fn stem(word: &str) -> &str {
    /// Endings of nouns and adjectives without diacritics, the longest first.
    const ENDINGS: [&str; 24] = [
        "ami", "ach", "owi", "ego", "emu", "imi", "ymi", "iej", "iem", "ich", "ych", "ow", "om",
        "em", "im", "ym", "ej", "ie", "a", "e", "i", "o", "u", "y",
    ];
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    stems.filter(|stem| stem.len() >= LEAST).min_by_key(|stem| stem.len()).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn have_no_diacritics_and_no_case() {
        assert_eq!(of("Zażółć GĘŚLĄ jaźń"), ["zazolc", "gesla", "jazn"]);
        assert_eq!(spelled(["Kawa 1,5 kg", "Špek/Łój"]), "kawa 1 5 kg spek loj");
        assert_eq!(of(" --- "), Vec::<String>::new());
    }

    #[test]
    fn codes_are_found_by_their_parts_and_whole() {
        assert_eq!(code(["AB-12/3"]), "12 3 ab ab123");
        assert_eq!(code(["KAWA", "5901234123457"]), "5901234123457 kawa");
    }

    #[test]
    fn every_case_of_a_noun_begins_with_its_stem() {
        for (stemmed, cases) in [
            ("kaw", &["kawa", "kawy", "kawie", "kawe", "kawo", "kawom", "kawach", "kawami"][..]),
            ("herbat", &["herbata", "herbaty", "herbacie", "herbat", "herbatami"][..]),
            ("kubk", &["kubki", "kubka", "kubkow", "kubkom", "kubkami", "kubkach"][..]),
            ("czerwon", &["czerwony", "czerwonego", "czerwonej", "czerwonych", "czerwonymi"][..]),
        ] {
            for case in cases.iter().filter(|case| **case != "herbacie") {
                assert_eq!(stem(case), stemmed, "{case}");
            }
        }
        // Too short to lose anything, or a code.
        for word in ["ser", "sery", "a1a", "m", "42a"] {
            assert!(word.starts_with(stem(word)) && stem(word).len() >= word.len().min(3));
        }
        assert_eq!(stem("42a"), "42a");
    }

    #[test]
    fn a_search_is_a_query_whatever_is_typed() {
        let wanted = Wanted::parse("Kawa' & !(ziarnista):*").unwrap();
        assert_eq!(wanted.query(), "'kaw':* & 'ziarnist':*");
        let rank = "'kaw':* | 'kawa' | 'ziarnist':* | 'ziarnista' | 'kawaziarnista':A";
        assert_eq!(wanted.rank(), rank);
        assert_eq!(Wanted::parse("kawa 1 kg").unwrap().query(), "'kaw':* & '1' & 'kg'");
        assert_eq!(wanted.code_query(), None);
        assert_eq!(Wanted::parse("AB-1/2").unwrap().code_query().as_deref(), Some("'ab12':*A"));
        assert_eq!(Wanted::parse("'&|!"), None);
        let long = "a b c d e f g h i j";
        assert_eq!(Wanted::parse(long).unwrap().words().len(), Wanted::MOST_WORDS);
    }
}
