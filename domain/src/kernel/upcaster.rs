//! Upcasters: what was stored in an older schema version is read as if it were of today's.
//!
//! A stored event keeps its version for ever, in the log and on the stream; only readers see it
//! carried forward, one version at a time.

use std::borrow::Cow;

use cqrs_es::{Aggregate, DomainEvent};
use serde::de::Error as _;
use serde_json::Value;

use crate::kernel::{OfCompany, Upcaster, characters};

/// Reads a stored event of one kind of aggregate. A type or version to which no upcaster leads is
/// an error: what a newer build wrote may look like something that this one knows.
pub fn read<A: Aggregate + OfCompany>(
    event_type: &str,
    schema_version: u16,
    payload: &str,
) -> Result<A::Event, serde_json::Error> {
    let (version, payload) = carried(A::UPCASTERS, event_type, schema_version, payload)?;
    let event: A::Event = characters::stored(|| serde_json::from_str(&payload))?;
    if event.event_type() == event_type && event.event_version() == version.to_string() {
        Ok(event)
    } else {
        let problem = format!("{event_type} version {schema_version} is not known to this build");
        Err(serde_json::Error::custom(problem))
    }
}

/// As far forward as upcasters lead: the version reached, and its payload.
pub(crate) fn carried<'a>(
    upcasters: &[Upcaster],
    event_type: &str,
    mut version: u16,
    payload: &'a str,
) -> Result<(u16, Cow<'a, str>), serde_json::Error> {
    let step = |version| {
        upcasters.iter().find(|step| step.event_type == event_type && step.from == version)
    };
    let Some(mut next) = step(version) else { return Ok((version, Cow::Borrowed(payload))) };
    let mut value: Value = serde_json::from_str(payload)?;
    loop {
        value = (next.upcast)(value);
        version += 1;
        match step(version) {
            Some(further) => next = further,
            None => return Ok((version, Cow::Owned(value.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STEPS: &[Upcaster] = &[
        Upcaster {
            event_type: "tea.sold",
            from: 2,
            upcast: |mut value| {
                value["currency"] = json!("PLN");
                value
            },
        },
        Upcaster {
            event_type: "tea.sold",
            from: 1,
            upcast: |value| json!({ "price": value["prise"] }),
        },
    ];

    #[track_caller]
    fn check(event_type: &str, version: u16, payload: &str, then: (u16, &str)) {
        let (version, payload) = carried(STEPS, event_type, version, payload).unwrap();
        assert_eq!((version, payload.as_ref()), then);
    }

    #[test]
    fn carries_forward_step_by_step_as_far_as_it_goes() {
        let now = r#"{"currency":"PLN","price":"1.10"}"#;
        check("tea.sold", 1, r#"{"prise":"1.10"}"#, (3, now));
        check("tea.sold", 2, r#"{"price":"1.10"}"#, (3, now));
        check("tea.sold", 3, now, (3, now));
        check("tea.sold", 4, "?", (4, "?"));
        check("tea.drunk", 1, "?", (1, "?"));
        assert!(carried(STEPS, "tea.sold", 1, "?").is_err());
    }
}
