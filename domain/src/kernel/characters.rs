//! Which characters texts and identifiers consist of (Unicode 3.12, UAX #15, UTR #36).
//!
//! Two identifiers that look alike are one: what comes in is normalised once, at the door. An
//! identifier has the form NFKC, in which full-width letters and ligatures are plain ones; a name or
//! a text has NFC. Case is kept. What cannot be seen is refused in identifiers and names, and left
//! out of texts, where it comes along from other programs.
//!
//! Events, snapshots and read models of older builds may hold other forms. They are read as they are
//! (see [`stored`]).

use std::{borrow::Cow, cell::Cell};

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A character that cannot be seen, or that means something else to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must not contain the character U+{:04X}, which cannot be seen", u32::from(*.0))]
pub struct Unseen(pub char);

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To tell things apart: codes, numbers, addresses.
    Identifier,
    /// To call somebody or something.
    Name,
    /// To be read.
    Words,
}

thread_local! {
    static IS_STORED: Cell<bool> = const { Cell::new(false) };
}

/// Reads what has been checked by the build that stored it: as it is, whatever is asked of new texts
/// today.
pub fn stored<T>(read: impl FnOnce() -> T) -> T {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            IS_STORED.set(self.0);
        }
    }
    let _before = Before(IS_STORED.replace(true));
    read()
}

/// Whether what is read has been stored before.
pub(crate) fn is_stored() -> bool {
    IS_STORED.get()
}

/// A text in the form that its use has.
pub fn normalised(text: &str, r#use: Use) -> Result<Cow<'_, str>, Unseen> {
    if is_stored() || text.bytes().all(|byte| byte.is_ascii()) {
        return Ok(Cow::Borrowed(text));
    }
    let text: String = match r#use {
        Use::Identifier => text.nfkc().collect(),
        Use::Name | Use::Words => text.nfc().collect(),
    };
    let (mut kept, mut before) = (String::with_capacity(text.len()), None);
    for character in text.chars() {
        let is_refused = match r#use {
            Use::Identifier => is_unseen(character),
            Use::Name | Use::Words => is_unseen(character) && !joins(before, character),
        };
        match (is_refused, r#use) {
            (true, Use::Identifier | Use::Name) => return Err(Unseen(character)),
            (true, Use::Words) => {}
            (false, _) => kept.push(character),
        }
        before = Some(character);
    }
    Ok(Cow::Owned(kept))
}

/// The identifier that an older build would have stored in this form, had it normalised: without
/// what cannot be seen.
pub fn identifier_of(stored: &str) -> String {
    let seen = stored.nfkc().filter(|character| !is_unseen(*character));
    seen.collect::<String>().trim().to_owned()
}

/// Whether a character shows nothing or has no agreed meaning. Controls have a refusal of their own.
fn is_unseen(character: char) -> bool {
    match character.general_category() {
        GeneralCategory::Format
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned
        | GeneralCategory::Surrogate
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => true,
        _ => is_ignorable(character),
    }
}

/// `Default_Ignorable_Code_Point`s that are letters or marks, and the blank of Braille.
///
/// Source: Unicode, DerivedCoreProperties.txt.
const fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// Joiners and selectors that form letters of some scripts and pictures, after one of those. Between
/// Latin, Greek or Cyrillic letters they do nothing.
fn joins(before: Option<char>, character: char) -> bool {
    let forms = matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    forms && before.is_some_and(|before| before > '\u{58f}' && !is_space_or_mark(before))
}

fn is_space_or_mark(character: char) -> bool {
    matches!(character, '\u{2000}'..='\u{206f}')
}

#[cfg(test)]
mod tests;
