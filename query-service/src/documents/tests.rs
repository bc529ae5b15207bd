//! Properties of every rendered document.

use serde_json::json;

use super::*;

/// The text of a document as extracted by a reader, with single spaces between words.
pub(crate) fn words(pdf: &[u8]) -> String {
    let text = pdf_extract::extract_text_from_mem(pdf).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn set(text: &str, data: &Value) -> Result<Vec<u8>, DocumentError> {
    render(&template("test.typ", text), data, None)
}

const SHOWN: &str = "#import \"letter.typ\": *\n#set text(font: (\"Lato\", \"DejaVu Sans\"))\n\
                     #fitted(json(\"data.json\"))";

#[track_caller]
fn check_shown(typed: &str, shown: &str) {
    assert_eq!(words(&set(SHOWN, &json!(typed)).unwrap()), shown);
}

#[test]
fn what_is_typed_is_text() {
    for typed in [
        "#read(\"/etc/passwd\") #panic() #{1 + 1}",
        "$x^2$ *bold* _slanted_ `raw` @name <label>",
        "= No heading",
        "- no list + none / here: either",
        "\\ \\u{41} ~ -- --- ... // /* */ [ ] { }",
        "\"quoted\" 'so' <b>&amp;</b> https://example.com",
    ] {
        check_shown(typed, typed);
    }
}

#[test]
fn every_polish_letter_can_be_taken_out_again() {
    check_shown("ąćęłńóśżź ĄĆĘŁŃÓŚŻŹ", "ąćęłńóśżź ĄĆĘŁŃÓŚŻŹ");
    check_shown(
        "Zażółć gęślą jaźń; office, waffle, fjord",
        "Zażółć gęślą jaźń; office, waffle, fjord",
    );
}

#[test]
fn other_scripts_and_smileys_are_shown() {
    check_shown("Ελλάδα Україна 😀", "Ελλάδα Україна 😀");
    // The order of right-to-left text in a file is that of the page.
    let hebrew = words(&set(SHOWN, &json!("שלום 12")).unwrap());
    assert!("שלום".chars().all(|letter| hebrew.contains(letter)), "{hebrew}");
    assert!(hebrew.contains("12"), "{hebrew}");
}

#[test]
fn what_cannot_be_printed_is_left_out() {
    check_shown("a\u{7}b\u{0}c\u{202e}d\u{2066}e\u{9f}f", "abcdef");
    check_shown("first\nsecond\tthird", "first second third");
}

#[test]
fn a_word_of_any_length_is_whole() {
    let code = "ABCDEFGHIJ".repeat(20);
    let shown = words(&set(SHOWN, &json!(format!("code {code} ends"))).unwrap());
    assert_eq!(shown.replace(' ', ""), format!("code{code}ends"));
}

#[test]
fn a_template_reaches_nothing_else() {
    for (text, why) in [
        ("#read(\"/etc/passwd\")", "access denied"),
        ("#read(\"../../Cargo.toml\")", "project root"),
        ("#json(\"other.json\")", "access denied"),
        ("#image(\"logo\")", "access denied"),
        ("#import \"offer.typ\": data", "access denied"),
        ("#import \"@preview/example:0.1.0\": add", "access denied"),
        ("#plugin(\"plugin.wasm\")", "access denied"),
        ("#datetime.today()", "unable to get the current date"),
    ] {
        let error = set(text, &Value::Null).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert!(
            matches!(error, DocumentError::Template { template, .. } if template == "test.typ")
        );
    }
}

#[test]
fn no_document_is_endless() {
    let text = "a".repeat(MOST_TEXT);
    assert!(matches!(set("", &json!(text)), Err(DocumentError::TooLong)));
}

#[test]
fn the_same_data_makes_the_same_bytes() {
    let make = |words: &str| set(SHOWN, &json!(words)).unwrap();
    let first = make("one");
    assert_ne!(make("two"), first);
    assert_eq!(make("one"), first);
}
