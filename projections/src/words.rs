//! Normalised search words: lower case letters and digits without diacritics, so that `żółć`,
//! `Zolc` and `ŻÓŁĆ` are one word.

use std::collections::{BTreeSet, HashMap, HashSet};

use deunicode::{deunicode, deunicode_char};
use unicode_normalization::UnicodeNormalization;

/// How many letters of a word count, in what is searched and in what is typed. PostgreSQL keeps none of
/// more than 2,046 bytes, and folding one letter may give dozens.
pub const LONGEST: usize = 255;

/// The words of a text, in order.
pub fn of(text: &str) -> Vec<String> {
    let folded = deunicode(text).to_ascii_lowercase();
    let words = folded.split(|each: char| !each.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(|word| shortened(word).to_owned()).collect()
}

/// A folded word, or several written as one, as far as they count. What is folded is ASCII.
fn shortened(word: &str) -> &str {
    word.get(..LONGEST).unwrap_or(word)
}

/// The words of some texts with a space between them, in at most `most` bytes. When they are more, each
/// word counts once, and then the first ones do.
pub fn within<'a>(most: usize, texts: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = texts.into_iter().flat_map(of).collect();
    let all = words.join(" ");
    if all.len() <= most {
        return all;
    }
    let mut seen = HashSet::new();
    let mut spelled = String::new();
    for word in words.iter().filter(|word| seen.insert(word.as_str())) {
        if spelled.len() + 1 + word.len() > most {
            break;
        }
        if !spelled.is_empty() {
            spelled.push(' ');
        }
        spelled.push_str(word);
    }
    spelled
}

/// A code without what separates its parts.
pub fn whole(code: &str) -> String {
    shortened(&of(code).concat()).to_owned()
}

/// The words of some texts with a space between them.
pub fn spelled<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = texts.into_iter().flat_map(of).collect();
    words.join(" ")
}

/// The words of some codes, and each code without what separates its parts: `AB-12/3` is found by
/// `ab`, `12` and `ab123`; in at most `most` bytes.
pub fn code<'a>(most: usize, codes: impl IntoIterator<Item = &'a str>) -> String {
    within(most, words_of_codes(codes).iter().map(String::as_str))
}

/// The vocabulary entries of some codes, so that their letters find them: their words without
/// digits, and `kaw*` for a code that begins with `kaw` and continues with digits.
pub fn letters_of_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let words = words_of_codes(codes);
    let letters = |word: &String| {
        let digit = word.find(|each: char| each.is_ascii_digit());
        match digit.map(|digit| &word[..digit]) {
            None => Some(word.clone()),
            Some(letters) if letters.is_empty() || words.contains(letters) => None,
            Some(letters) => Some(format!("{letters}*")),
        }
    };
    words.iter().filter_map(letters).collect()
}

/// How long a sort key is at most, in bytes: an index takes keys of up to 2,704.
const LONGEST_SORT_KEY: usize = 1_000;

/// A sort key for names by the Polish alphabet: ą after a, ł after l, ź and then ż after z. Letters
/// of other languages sort with their base letter; case is ignored. It is ASCII, sorted by bytes.
pub fn sort_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for letter in name.nfc() {
        let (base, mark) = match letter {
            'ą' | 'Ą' => ("a", "~"),
            'ć' | 'Ć' => ("c", "~"),
            'ę' | 'Ę' => ("e", "~"),
            'ł' | 'Ł' => ("l", "~"),
            'ń' | 'Ń' => ("n", "~"),
            'ó' | 'Ó' => ("o", "~"),
            'ś' | 'Ś' => ("s", "~"),
            'ź' | 'Ź' => ("z", "}"),
            'ż' | 'Ż' => ("z", "~"),
            other => (deunicode_char(other).unwrap_or_default(), ""),
        };
        for each in base.chars() {
            if each.is_ascii_alphanumeric() {
                key.push(each.to_ascii_lowercase());
            } else if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        }
        // Both come after every letter, digit and blank.
        key.push_str(mark);
    }
    key.truncate(LONGEST_SORT_KEY);
    key.truncate(key.trim_end().len());
    key
}

fn words_of_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let of_code = |code: &str| of(code).into_iter().chain([whole(code)]);
    codes.into_iter().flat_map(of_code).collect()
}

/// The words of a search.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchWords {
    words: Vec<Typed>,
}

/// A word as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Typed {
    word: String,
    /// Whether it is all of a word: a part of a code, before its last one.
    whole: bool,
}

impl SearchWords {
    /// The most words of a search; further words are ignored.
    pub const MOST_WORDS: usize = 8;
    /// The most words of the vocabulary that a stem is expanded to.
    pub const MOST_SPELLED: usize = 64;

    /// Parses a search text; `None` if it has no words.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<Typed> = text.split_whitespace().flat_map(typed).collect();
        words.truncate(Self::MOST_WORDS);
        (!words.is_empty()).then_some(Self { words })
    }

    /// The words.
    pub fn words(&self) -> Vec<&str> {
        self.words.iter().map(|typed| typed.word.as_str()).collect()
    }

    /// The same with other words in place of some.
    #[must_use]
    pub fn with(mut self, replaced: impl Fn(&str) -> Option<String>) -> Self {
        for Typed { word, whole } in &mut self.words {
            *whole = false;
            if let Some(other) = replaced(word) {
                *word = other;
            }
        }
        self
    }

    /// All words as one code.
    pub fn code(&self) -> String {
        shortened(&self.words().concat()).to_owned()
    }

    /// As a `tsquery`: products that have all words, in any inflection and with any continuation.
    /// Words of one or two letters match exactly.
    pub fn query(&self) -> String {
        let words: Vec<String> = self.words.iter().map(form).collect();
        words.join(" & ")
    }

    /// The stems to look up in the vocabulary for [`Self::spelled_out`].
    pub fn stems(&self) -> Vec<&str> {
        self.words.iter().filter_map(open_stem).collect()
    }

    /// The same as [`Self::query`] with each stem replaced by its words in the vocabulary. It finds
    /// the same, faster; `None` if a stem has no word.
    pub fn spelled_out(&self, vocabulary: &HashMap<String, Vec<String>>) -> Option<String> {
        let spelled = |typed: &Typed| {
            let Some(words) = open_stem(typed).and_then(|stem| vocabulary.get(stem)) else {
                return Some(form(typed));
            };
            if words.is_empty() {
                return None;
            }
            if words.len() > Self::MOST_SPELLED || words.iter().any(|word| word.ends_with('*')) {
                return Some(form(typed));
            }
            let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            Some(format!("({})", words.join(" | ")))
        };
        let words: Vec<String> = self.words.iter().map(spelled).collect::<Option<_>>()?;
        Some(words.join(" & "))
    }

    /// The same for products whose code begins with all of it, when it can be one.
    pub fn code_query(&self) -> Option<String> {
        let code = self.code();
        let is_code = code.len() >= LEAST && has_digit(&code);
        is_code.then(|| format!("'{code}':*A"))
    }

    /// As a `tsquery` for ranking: every word in any inflection, and once more as it was typed.
    pub fn rank(&self) -> String {
        let both = |typed: &Typed| format!("{} | '{}'", form(typed), typed.word);
        let words: Vec<String> = self.words.iter().map(both).collect();
        format!("{} | '{}':A", words.join(" | "), self.code())
    }
}

/// The letters that the beginning of a word must have to be searched by.
const LEAST: usize = 3;

fn form(Typed { word, whole }: &Typed) -> String {
    if *whole || word.len() < LEAST { format!("'{word}'") } else { format!("'{}':*", stem(word)) }
}

/// What a word begins with, if it can go on to other words of letters.
fn open_stem(Typed { word, whole }: &Typed) -> Option<&str> {
    (!*whole && word.len() >= LEAST && !has_digit(word)).then(|| stem(word))
}

/// The words of something without spaces: what has a digit in it and more than one part is a code, and
/// only its last part may go on.
fn typed(text: &str) -> Vec<Typed> {
    let words = of(text);
    let (parts, is_code) = (words.len(), words.iter().any(|word| has_digit(word)));
    let typed = |(number, word)| Typed { word, whole: is_code && number + 1 < parts };
    words.into_iter().enumerate().map(typed).collect()
}

/// The candidate with the smallest edit distance to a word (insertions, deletions, substitutions,
/// transpositions), the first one of several; none if the distance is too large.
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = match typed.len() {
        ..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    let counted = words.into_iter().map(|word| (strsim::damerau_levenshtein(typed, word), word));
    let (mistakes, word) = counted.min_by_key(|(mistakes, _)| *mistakes)?;
    (mistakes <= most).then_some(word)
}

pub(crate) fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The stem of a Polish word in all its cases: `kawy` and `kawa` have `kaw`. A word with a digit is
/// a code and stays whole.
pub fn stem(word: &str) -> &str {
    /// Endings of nouns and adjectives without diacritics, the longest first.
    const ENDINGS: [&str; 24] = [
        "ami", "ach", "owi", "ego", "emu", "imi", "ymi", "iej", "iem", "ich", "ych", "ow", "om",
        "em", "im", "ym", "ej", "ie", "a", "e", "i", "o", "u", "y",
    ];
    if has_digit(word) {
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

    /// As the collation of ICU sorts them, by letters alone.
    fn by_icu() -> icu_collator::CollatorBorrowed<'static> {
        use icu_collator::{
            CollatorBorrowed,
            options::{CollatorOptions, Strength},
        };
        let mut options = CollatorOptions::default();
        options.strength = Some(Strength::Primary);
        let polish: icu_locale_core::Locale = "pl".parse().unwrap();
        CollatorBorrowed::try_new((&polish).into(), options).unwrap()
    }

    #[test]
    fn names_stand_in_the_order_of_the_polish_alphabet() {
        let sorted = [
            "7 zbóż", "Ananas", "Azot", "Ątek", "cebula", "cytryna", "Ćma", "Dąb", "Éclair", "Ewa",
            "Ęcik", "Las", "lustro", "Łoś", "nuta", "Ńa", "Oset", "Özil", "Ósemka", "sok", "Szal",
            "Ślaz", "Zupa", "Źrebak", "Żaba", "żyto",
        ];
        let collator = by_icu();
        for two in sorted.windows(2) {
            assert!(sort_key(two[0]) < sort_key(two[1]), "{two:?}");
            assert!(collator.compare(two[0], two[1]).is_lt(), "{two:?}");
        }
        assert_eq!(sort_key("S\u{301}laz"), sort_key("ślaz"));
        assert_eq!(sort_key("  Kawa -  1,5 kg!"), "kawa 1 5 kg");
        assert_eq!(sort_key(&"東".repeat(200)).len(), LONGEST_SORT_KEY - 1);
    }

    proptest::proptest! {
        #[test]
        fn words_are_sorted_as_icu_sorts_them(
            one in "[a-zA-Ząćęłńóśźż0-9]{1,6}( [a-ząćęłńóśźż]{1,3})?",
            other in "[a-zA-ZĄĆĘŁŃÓŚŹŻ0-9]{1,6}( [a-ząćęłńóśźż]{1,3})?",
        ) {
            let by_key = sort_key(&one).cmp(&sort_key(&other));
            proptest::prop_assert_eq!(by_key, by_icu().compare(&one, &other));
        }
    }

    #[test]
    fn have_no_more_letters_than_postgresql_keeps() {
        let folds_to_many = "\u{fdfa}".repeat(500);
        for text in ["0f".repeat(1_400), "한".repeat(9_990), folds_to_many] {
            assert!(of(&text).iter().all(|word| word.len() <= LONGEST), "{text}");
            assert!(whole(&text).len() <= LONGEST);
            assert!(within(1_000, [text.as_str()]).len() <= 1_000);
            let searched = SearchWords::parse(&text).unwrap();
            assert!(searched.code().len() <= LONGEST);
            assert!(searched.words().iter().all(|word| word.len() <= LONGEST));
        }
    }

    #[test]
    fn when_they_are_too_many_each_counts_once() {
        assert_eq!(within(15, ["ala ma kota", "ala ma"]), "ala ma kota");
        assert_eq!(within(18, ["ala ma kota", "ala ma"]), "ala ma kota ala ma");
        assert_eq!(within(8, ["ala ma kota", "ala ma"]), "ala ma");
        assert_eq!(within(2, ["ala"]), "");
    }

    #[test]
    fn codes_are_found_by_their_parts_and_whole() {
        assert_eq!(code(100, ["AB-12/3"]), "12 3 ab ab123");
        assert_eq!(code(100, ["KAWA", "5901234123457"]), "5901234123457 kawa");
    }

    #[test]
    fn letters_of_codes_are_words() {
        assert_eq!(letters_of_codes(["SKU-4711", "0000000012345"]), ["sku"]);
        assert_eq!(letters_of_codes(["KAW01"]), ["kaw*"]);
        assert_eq!(letters_of_codes(["AB-CD/12"]), ["ab", "abcd*", "cd"]);
        assert_eq!(letters_of_codes(["AB-CD"]), ["ab", "abcd", "cd"]);
    }

    #[test]
    fn a_search_is_spelled_out_in_the_words_that_there_are() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let searched = SearchWords::parse("kawy w ziarnach 1kg SKU-4711").unwrap();
        assert_eq!(searched.stems(), ["kaw", "ziarn"]);
        let of = |kaw: &[&str]| {
            let ziarn = ("ziarn".to_owned(), words(&["ziarna"]));
            searched.spelled_out(&HashMap::from([("kaw".to_owned(), words(kaw)), ziarn]))
        };
        let rest = "& 'w' & ('ziarna') & '1kg':* & 'sku' & '4711':*";
        assert_eq!(of(&["kawa", "kawior"]).unwrap(), format!("('kawa' | 'kawior') {rest}"));
        assert_eq!(of(&["kaw*", "kawa"]).unwrap(), format!("'kaw':* {rest}"));
        assert_eq!(of(&["kawa"; 65]).unwrap(), format!("'kaw':* {rest}"));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn the_nearest_word_is_the_one_with_the_fewest_mistakes() {
        for (typed, words, near) in [
            ("cukeir", &["cukrowy", "cukier"][..], Some("cukier")),
            ("hrebata", &["herbata", "herbaty"], Some("herbata")),
            ("makk", &["makaron", "maka"], Some("maka")),
            ("wk", &["wok"], Some("wok")),
            ("wk", &["work"], None),
            ("filizanka", &["filizanki", "filtr"], Some("filizanki")),
            ("filizanka", &["fistaszki"], None),
            ("kawa", &[], None),
        ] {
            assert_eq!(nearest(typed, words.iter().copied()), near, "{typed}");
        }
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
        let searched = SearchWords::parse("Kawa' & !(ziarnista):*").unwrap();
        assert_eq!(searched.query(), "'kaw':* & 'ziarnist':*");
        let rank = "'kaw':* | 'kawa' | 'ziarnist':* | 'ziarnista' | 'kawaziarnista':A";
        assert_eq!(searched.rank(), rank);
        assert_eq!(SearchWords::parse("kawa 1 kg").unwrap().query(), "'kaw':* & '1' & 'kg'");
        assert_eq!(searched.code_query(), None);
        assert_eq!(SearchWords::parse("SKUA-47110").unwrap().query(), "'skua' & '47110':*");
        assert_eq!(SearchWords::parse("kawa/herbata").unwrap().query(), "'kaw':* & 'herbat':*");
        assert_eq!(
            SearchWords::parse("AB-1/2").unwrap().code_query().as_deref(),
            Some("'ab12':*A")
        );
        assert_eq!(SearchWords::parse("'&|!"), None);
        let long = "a b c d e f g h i j";
        assert_eq!(SearchWords::parse(long).unwrap().words().len(), SearchWords::MOST_WORDS);
    }
}
