//! Number formats of Excel (ECMA-376, 18.8.31): the text that a numeric cell displays.
//!
//! Identifiers lose leading zeros in numeric cells, and formats such as `00000` display them;
//! percentages are stored as `0.05` and displayed as `5%`; days are numbers. An ambiguous format is
//! refused.

use jiff::{ToSpan, civil::Date};
use rust_decimal::Decimal;

type Shown = Result<String, &'static str>;

const UNKNOWN: &str = "a number format that is ambiguous: format the column as text or number";
const TOO_LONG: &str =
    "a number of more than 15 digits, of which a spreadsheet keeps 15: format the column as text";
const HIDDEN_DIGITS: &str =
    "a number that is shown with fewer decimal places than it has: round it or show them all";
const NOT_WHOLE: &str = "a format for whole numbers on one that is not whole";
/// The last day of the year 9999.
const LAST_DAY: i32 = 2_958_465;
const NO_DAY: &str = "a date or a time that does not show a whole day: format it as YYYY-MM-DD";

/// The formats of positive, negative and zero numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NumberFormat {
    sections: Vec<Section>,
}

/// The format of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Section {
    /// As many digits as the number has.
    General,
    /// At most this number of decimal places; other characters are decoration.
    Decimals(usize),
    /// A percentage with at most this number of decimal places.
    Percent(usize),
    /// At least as many digits as the format has zeros, between other characters.
    Padded(Vec<Mask>),
    /// A day, possibly with a time.
    Day,
    /// A dash or nothing for zero.
    Zero,
    /// Unsupported.
    Doubtful(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mask {
    Digit,
    Letter(char),
}

impl NumberFormat {
    /// The format of a code, such as `#,##0.00`.
    pub(super) fn of(code: &str) -> Self {
        Self { sections: sections(code).iter().map(|section| Section::of(section)).collect() }
    }

    /// A built-in format, which workbooks do not define.
    pub(super) fn built_in(id: u32) -> Self {
        let section = match id {
            0 | 49 => Section::General,
            1 | 3 | 5 | 6 | 37 | 38 | 41 | 42 => Section::Decimals(0),
            2 | 4 | 7 | 8 | 39 | 40 | 43 | 44 => Section::Decimals(2),
            9 => Section::Percent(0),
            10 => Section::Percent(2),
            14 | 15 | 22 => Section::Day,
            16..=21 | 45..=47 => Section::Doubtful(NO_DAY),
            11 | 48 => Section::Doubtful(super::LACKS_DIGITS),
            _ => Section::Doubtful(UNKNOWN),
        };
        Self { sections: vec![section] }
    }

    /// The displayed text of a number in this format.
    pub(super) fn shown(&self, number: &str, is_1904: bool) -> Shown {
        let value = exact(number)?;
        let index = match (self.sections.len(), value.is_sign_negative(), value.is_zero()) {
            (3.., _, true) => 2,
            (2.., true, false) => 1,
            _ => 0,
        };
        match self.sections.get(index).unwrap_or(&Section::General) {
            Section::General => Ok(value.to_string()),
            Section::Decimals(places) => with_places(value, *places),
            Section::Percent(places) => {
                let hundredths = value.checked_mul(Decimal::ONE_HUNDRED).ok_or(UNKNOWN)?;
                Ok(format!("{}%", with_places(hundredths.normalize(), *places)?))
            }
            Section::Padded(mask) => padded(value, mask),
            Section::Day => day(value, is_1904),
            Section::Zero if value.is_zero() => Ok("0".to_owned()),
            Section::Zero => Err(UNKNOWN),
            Section::Doubtful(reason) => Err(reason),
        }
    }
}

/// A number as Excel stores it: a binary fraction with 15 significant digits.
fn exact(number: &str) -> Result<Decimal, &'static str> {
    let value: f64 = number.parse().map_err(|_| UNKNOWN)?;
    if !value.is_finite() {
        return Err(UNKNOWN);
    }
    if value.abs() >= 1e15 {
        return Err(TOO_LONG);
    }
    let value = Decimal::from_scientific(&format!("{value:.14e}")).map_err(|_| UNKNOWN)?;
    let value = value.normalize();
    Ok(if value.is_zero() { Decimal::ZERO } else { value })
}

fn with_places(value: Decimal, places: usize) -> Shown {
    let has = usize::try_from(value.scale()).unwrap_or(usize::MAX);
    if has <= places { Ok(value.to_string()) } else { Err(HIDDEN_DIGITS) }
}

fn padded(value: Decimal, mask: &[Mask]) -> Shown {
    if value.scale() > 0 || value.is_sign_negative() {
        return Err(NOT_WHOLE);
    }
    let places = mask.iter().filter(|part| **part == Mask::Digit).count();
    let digits = format!("{:0>places$}", value.to_string());
    // Digits beyond the mask are placed before its first digit.
    let (over, fitting) = digits.split_at(digits.len() - places);
    let (mut over, mut fitting) = (Some(over), fitting.chars());
    let mut shown = String::new();
    for part in mask {
        match part {
            Mask::Digit => {
                shown.push_str(over.take().unwrap_or_default());
                shown.extend(fitting.next());
            }
            Mask::Letter(letter) => shown.push(*letter),
        }
    }
    Ok(shown)
}

/// The day of a number, counted from the end of 1899 or from 1904.
fn day(value: Decimal, is_1904: bool) -> Shown {
    let (first, begins) = if is_1904 { (0, (1904, 1, 1)) } else { (61, (1899, 12, 30)) };
    let days: i32 = value.trunc().try_into().map_err(|_| NO_DAY)?;
    // Excel treats 1900 as a leap year, so days before March 1900 are ambiguous.
    if !(first..=LAST_DAY).contains(&days) || value.is_sign_negative() {
        return Err(NO_DAY);
    }
    let (year, month, of_month) = begins;
    let day = Date::new(year, month, of_month).map_err(|_| NO_DAY)?;
    let day = day.checked_add(days.days()).map_err(|_| NO_DAY)?;
    let seconds = (value.fract() * Decimal::from(86_400)).round();
    let seconds: i32 = seconds.try_into().map_err(|_| NO_DAY)?;
    match seconds {
        0 => Ok(day.to_string()),
        // Midnight after rounding.
        86_400.. => day.tomorrow().map(|day| day.to_string()).map_err(|_| NO_DAY),
        _ => {
            let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            Ok(format!("{day}T{hour:02}:{minute:02}:{second:02}"))
        }
    }
}

/// The tokens of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Literal text.
    Letter(char),
    /// A currency symbol, which is decoration.
    Currency,
    /// `0`: a required digit.
    Zero,
    /// `#` or `?`: an optional digit.
    Optional,
    Point,
    Comma,
    Percent,
    /// A letter of a date or a time.
    Time(char),
    Slash,
    General,
    /// `@`
    Text,
    /// A condition, scale or fraction.
    Other(&'static str),
}

/// The sections of a format, separated by semicolons.
fn sections(code: &str) -> Vec<Vec<Token>> {
    let mut sections = vec![Vec::new()];
    let mut letters = code.chars().peekable();
    while let Some(letter) = letters.next() {
        let tokens = sections.last_mut().expect("there is one from the start");
        match letter {
            ';' => sections.push(Vec::new()),
            '"' => tokens.extend(letters.by_ref().take_while(|one| *one != '"').map(Token::Letter)),
            '\\' => tokens.extend(letters.next().map(Token::Letter)),
            // A space as wide as the next character, or a fill character.
            '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inside: String = letters.by_ref().take_while(|one| *one != ']').collect();
                tokens.extend(bracketed(&inside));
            }
            '0' => tokens.push(Token::Zero),
            '#' | '?' => tokens.push(Token::Optional),
            '.' => tokens.push(Token::Point),
            ',' => tokens.push(Token::Comma),
            '%' => tokens.push(Token::Percent),
            '/' => tokens.push(Token::Slash),
            '@' => tokens.push(Token::Text),
            'E' | 'e' if matches!(letters.peek(), Some('+' | '-')) => {
                tokens.push(Token::Other(super::LACKS_DIGITS));
            }
            'G' | 'g' if rest_is(&letters, "eneral") => {
                letters.by_ref().take("eneral".len()).for_each(drop);
                tokens.push(Token::General);
            }
            'A' | 'a' if rest_is(&letters, "m/pm") => {
                letters.by_ref().take("m/pm".len()).for_each(drop);
                tokens.push(Token::Time('h'));
            }
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' => {
                tokens.push(Token::Time(letter.to_ascii_lowercase()));
            }
            '$' | '€' | '£' | '¥' => tokens.push(Token::Currency),
            ' ' | '-' | '+' | '(' | ')' | ':' | '!' | '^' | '&' | '\'' | '~' | '{' | '}' | '<'
            | '>' | '=' | '\u{a0}' | '\u{202f}' => tokens.push(Token::Letter(letter)),
            _ => tokens.push(Token::Other(UNKNOWN)),
        }
    }
    sections
}

fn rest_is(letters: &std::iter::Peekable<std::str::Chars<'_>>, word: &str) -> bool {
    let mut letters = letters.clone();
    word.chars().all(|one| letters.next().is_some_and(|letter| letter.eq_ignore_ascii_case(&one)))
}

/// The content of brackets: a currency, language, colour, condition or elapsed hours.
fn bracketed(inside: &str) -> Option<Token> {
    if let Some(currency) = inside.strip_prefix('$') {
        let is_language_alone = currency.is_empty() || currency.starts_with('-');
        return (!is_language_alone).then_some(Token::Currency);
    }
    let letters = inside.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let is_time = !letters.is_empty()
        && letters.chars().all(|one| matches!(one.to_ascii_lowercase(), 'h' | 'm' | 's'));
    match letters.to_lowercase().as_str() {
        _ if is_time => Some(Token::Other(NO_DAY)),
        "black" | "blue" | "cyan" | "green" | "magenta" | "red" | "white" | "yellow" | "color" => {
            None
        }
        _ => Some(Token::Other(UNKNOWN)),
    }
}

impl Section {
    fn of(tokens: &[Token]) -> Self {
        let count = |wanted: fn(&Token) -> bool| tokens.iter().filter(|one| wanted(one)).count();
        let time = |letter: char| tokens.contains(&Token::Time(letter));
        if let Some(reason) = tokens.iter().find_map(|one| match one {
            Token::Other(reason) => Some(*reason),
            _ => None,
        }) {
            return Self::Doubtful(reason);
        }
        if count(|one| matches!(one, Token::Time(_))) > 0 {
            let is_day = time('y') && time('m') && time('d');
            return if is_day { Self::Day } else { Self::Doubtful(NO_DAY) };
        }
        if tokens.iter().any(|one| matches!(one, Token::General | Token::Text)) {
            let is_alone = tokens.iter().all(|one| !matches!(one, Token::Letter(_)));
            return if is_alone { Self::General } else { Self::Doubtful(UNKNOWN) };
        }
        let is_digit = |one: &Token| matches!(one, Token::Zero | Token::Optional);
        let Some(last) = tokens.iter().rposition(is_digit) else {
            return Self::without_digits(tokens);
        };
        // A comma after the last digit divides by a thousand.
        let scales = tokens[last..].contains(&Token::Comma);
        let percents = count(|one| *one == Token::Percent);
        let points = count(|one| *one == Token::Point);
        if scales || percents > 1 || points > 1 || tokens.contains(&Token::Slash) {
            return Self::Doubtful(UNKNOWN);
        }
        let point = tokens.iter().position(|one| *one == Token::Point).unwrap_or(tokens.len());
        let places = tokens[point..].iter().filter(|one| is_digit(one)).count();
        let whole = &tokens[..point];
        let zeros = whole.iter().filter(|one| **one == Token::Zero).count();
        let is_plain = percents == 0 && points == 0 && !tokens.contains(&Token::Optional);
        match zeros {
            0 | 1 if percents == 1 => Self::Percent(places),
            0 | 1 if is_decorated_only(tokens, is_plain) => Self::Decimals(places),
            2.. if is_plain && !tokens.contains(&Token::Comma) => Self::masked(tokens),
            _ => Self::Doubtful(UNKNOWN),
        }
    }

    fn without_digits(tokens: &[Token]) -> Self {
        if tokens.contains(&Token::Letter('-')) { Self::Zero } else { Self::Doubtful(UNKNOWN) }
    }

    fn masked(tokens: &[Token]) -> Self {
        let mask = tokens.iter().map(|token| match token {
            Token::Zero => Some(Mask::Digit),
            Token::Letter(letter) => Some(Mask::Letter(*letter)),
            _ => None,
        });
        mask.collect::<Option<Vec<_>>>().map_or(Self::Doubtful(UNKNOWN), Self::Padded)
    }
}

/// Whether the text around the digits cannot be part of an identifier: it has no digits, and
/// letters only if decimal places or optional digits show that it is a number.
fn is_decorated_only(tokens: &[Token], is_plain: bool) -> bool {
    tokens.iter().all(|token| match token {
        Token::Letter(letter) if is_plain => !letter.is_alphanumeric(),
        Token::Letter(letter) => !letter.is_numeric(),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, number: &str, shown: &str) {
        assert_eq!(NumberFormat::of(code).shown(number, false).as_deref(), Ok(shown), "{code}");
    }

    #[track_caller]
    fn refused(code: &str, number: &str) {
        let shown = NumberFormat::of(code).shown(number, false);
        assert!(shown.is_err(), "{code} shows {number} as {shown:?}");
    }

    #[test]
    fn zeros_in_front_are_shown() {
        check("00000", "123", "00123");
        check("00000", "1234567", "1234567");
        check("00\\-000", "80123", "80-123");
        check("00-000", "1123", "01-123");
        check("\"SKU-\"0000", "12", "SKU-0012");
        check("[$-415]00000", "7", "00007");
        for (code, number) in [("00000", "1.5"), ("00000", "-1"), ("00.00", "5.5"), ("#00", "1")] {
            refused(code, number);
        }
    }

    #[test]
    fn numbers_are_what_they_show() {
        check("General", "1.1000000000000001", "1.1");
        check("General", "0.30000000000000004", "0.3");
        check("General", "5901234123457", "5901234123457");
        check("General", "5.901234123457E+12", "5901234123457");
        check("@", "12", "12");
        check("0.00", "12.5", "12.5");
        check("#,##0.00\\ \"zł\"", "1234.56", "1234.56");
        check("_-* #,##0.00\\ [$zł-415]_-;\\-* #,##0.00\\ [$zł-415]_-", "-2.5", "-2.5");
        check("_-* #,##0.00_-;\\-* #,##0.00_-;_-* \"-\"??_-;_-@_-", "0", "0");
        check("0;[Red]-0", "-3", "-3");
        for (code, number) in [
            ("0", "12.7"),
            ("0.00", "12.345"),
            ("#,##0,", "12345"),
            ("0.00E+00", "5901234123457"),
            ("# ?/?", "0.5"),
            ("[>100]0;0.0", "5"),
            (";;;", "5"),
            ("0\" szt.\"", "5"),
            ("\"00\"0", "5"),
            ("General", "1234567890123456"),
            ("General", "1e400"),
            ("General", "rubbish"),
        ] {
            refused(code, number);
        }
    }

    #[test]
    fn hundredths_are_shown_as_such() {
        check("0%", "0.05", "5%");
        check("0.00%", "0.025", "2.5%");
        check("0.0%", "0.07", "7%");
        refused("0%", "0.025");
        assert_eq!(NumberFormat::built_in(9).shown("0.05", false).as_deref(), Ok("5%"));
    }

    #[test]
    fn days_are_whole() {
        check("yyyy\\-mm\\-dd", "46356", "2026-11-30");
        check("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "46356", "2026-11-30");
        check("dd/mm/yyyy\\ hh:mm", "46356.5", "2026-11-30T12:00:00");
        let in_1904 = NumberFormat::built_in(14).shown("0", true);
        assert_eq!(in_1904.as_deref(), Ok("1904-01-01"));
        for (code, number) in
            [("d\\-mmm", "46356"), ("mmm\\-yy", "46356"), ("hh:mm", "0.5"), ("[h]:mm", "2")]
        {
            refused(code, number);
        }
        refused("yyyy\\-mm\\-dd", "60");
        refused("yyyy\\-mm\\-dd", "99999999");
    }

    #[test]
    fn no_format_makes_it_panic() {
        for code in ["\"", "\\", "_", "[", "[$", "0\"", "E+", ";", "", "[h", "0.0.0", "%%", ",,0"] {
            for number in ["0", "-1", "1.5", "46356", ""] {
                let _ = NumberFormat::of(code).shown(number, true);
            }
        }
    }
}
