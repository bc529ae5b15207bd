//! What is known by the numbers of lines, as JSON: a list of `{"line": 1, "value": …}` in their
//! order, each once. An object would have text for its keys, which not every reader takes back for
//! numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Something of one line.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Numbered{T}")]
pub(crate) struct Numbered<T> {
    /// Its number, counted from 1.
    line: u32,
    /// What it is.
    value: T,
}

pub(crate) fn serialize<T: Serialize, S: Serializer>(
    map: &BTreeMap<u32, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(map.iter().map(|(&line, value)| Numbered { line, value }))
}

pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u32, T>, D::Error> {
    let list = Vec::<Numbered<T>>::deserialize(deserializer)?;
    let count = list.len();
    let map: BTreeMap<u32, T> =
        list.into_iter().map(|Numbered { line, value }| (line, value)).collect();
    if map.len() == count { Ok(map) } else { Err(D::Error::custom("a line is named twice")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Event {
        Said {
            #[serde(with = "super")]
            lines: BTreeMap<u32, String>,
        },
    }

    #[test]
    fn survives_json_also_within_events() {
        let said = Event::Said { lines: [(2, "b".to_owned()), (1, "a".to_owned())].into() };
        let json = r#"{"type":"Said","lines":[{"line":1,"value":"a"},{"line":2,"value":"b"}]}"#;
        assert_eq!(serde_json::to_string(&said).unwrap(), json);
        assert_eq!(serde_json::from_str::<Event>(json).unwrap(), said);
        let twice = r#"{"type":"Said","lines":[{"line":1,"value":"a"},{"line":1,"value":"b"}]}"#;
        assert!(serde_json::from_str::<Event>(twice).is_err());
    }
}
