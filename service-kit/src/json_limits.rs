//! Limits on JSON text, checked in one pass before it is parsed.

/// A text that exceeds a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// The nesting depth.
    #[error("JSON may be nested {} deep", MAX_DEPTH)]
    Depth,
    /// The length of a number.
    #[error("a number may have {} characters", MAX_NUMBER)]
    Number,
    /// The length of a string.
    #[error("a string may have {} bytes", MAX_STRING)]
    String,
}

/// The maximum nesting depth.
pub const MAX_DEPTH: usize = 32;
/// The maximum length of a number in characters.
pub const MAX_NUMBER: usize = 64;
/// The maximum length of a string in bytes: 4,000 characters, each written as two escape sequences,
/// as some clients encode non-ASCII text.
pub const MAX_STRING: usize = 49_152;

/// Checks only sizes; the parser checks the syntax.
pub fn check(text: &[u8]) -> Result<(), TooMuch> {
    let (mut depth, mut number, mut string) = (0_usize, 0_usize, None::<usize>);
    let mut escaped = false;
    for &byte in text {
        if let Some(length) = &mut string {
            *length += 1;
            if *length > MAX_STRING {
                return Err(TooMuch::String);
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => string = None,
                _ => {}
            }
            continue;
        }
        match byte {
            b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' => {
                number += 1;
                if number > MAX_NUMBER {
                    return Err(TooMuch::Number);
                }
                continue;
            }
            b'"' => string = Some(0),
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(TooMuch::Depth);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        number = 0;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_too_much_wherever_it_stands() {
        assert_eq!(check(br#"{"a":[1,"]]]]\"",{"b":-1.5e9}]}"#), Ok(()));
        assert_eq!(check("[".repeat(32).as_bytes()), Ok(()));
        assert_eq!(check("[".repeat(33).as_bytes()), Err(TooMuch::Depth));
        assert_eq!(check("1".repeat(65).as_bytes()), Err(TooMuch::Number));
        assert_eq!(check(format!("[{}]", "1,".repeat(100)).as_bytes()), Ok(()));
        let smiles = |count| format!("\"{}\"", "\\ud83d\\ude00".repeat(count));
        assert_eq!(check(smiles(4_000).as_bytes()), Ok(()));
        assert_eq!(check(smiles(4_097).as_bytes()), Err(TooMuch::String));
        assert_eq!(check(format!("\"{}\"", "[".repeat(1_000)).as_bytes()), Ok(()));
    }
}
