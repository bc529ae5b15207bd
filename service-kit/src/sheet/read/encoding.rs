//! Detection of the encoding of a text file. Bytes that the encoding does not define become U+FFFD,
//! and the cell with it is refused.

use std::borrow::Cow;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250};

/// A byte order mark identifies UTF-8 and UTF-16. Without one, a file is UTF-8, or Windows-1250 if
/// nothing in it indicates UTF-8.
pub(super) fn decoded(file: &[u8]) -> Cow<'_, str> {
    match encoding_rs::Encoding::for_bom(file) {
        Some((encoding, length)) if encoding == UTF_16LE || encoding == UTF_16BE => {
            encoding.decode_without_bom_handling(&file[length..]).0
        }
        Some((_, length)) => String::from_utf8_lossy(&file[length..]),
        None => match std::str::from_utf8(file) {
            Ok(text) => text.into(),
            Err(_) if is_windows_1250(file) => windows_1250(file).into(),
            Err(_) => UTF_8.decode_without_bom_handling(file).0,
        },
    }
}

/// Whether no sequence of several bytes must be UTF-8. Two capitals such as the `ÓŁ` of SPÓŁKA form
/// a valid sequence by chance; other than Polish letters do not occur in pairs in Windows-1250.
fn is_windows_1250(file: &[u8]) -> bool {
    file.utf8_chunks().all(|chunk| {
        let several = chunk.valid().chars().filter(|letter| !letter.is_ascii());
        let mut bytes = [0; 4];
        several
            .into_iter()
            .all(|letter| letter.encode_utf8(&mut bytes).bytes().all(|byte| POLISH.contains(&byte)))
    })
}

/// Polish letters in Windows-1250.
const POLISH: &[u8] = b"\xa5\xc6\xca\xa3\xd1\xd3\x8c\x8f\xaf\xb9\xe6\xea\xb3\xf1\xf3\x9c\x9f\xbf";

/// The five bytes that Windows-1250 does not define are not letters of other encodings either.
fn windows_1250(file: &[u8]) -> String {
    let text = WINDOWS_1250.decode_without_bom_handling(file).0;
    let undefined = |letter: char| ('\u{80}'..='\u{9f}').contains(&letter);
    text.chars().map(|letter| if undefined(letter) { '\u{fffd}' } else { letter }).collect()
}
