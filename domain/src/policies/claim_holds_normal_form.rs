//! Whoever holds a value in a form of an older build holds it in the normal form too, so that it is
//! found by what is typed today, and nobody else takes it.

use crate::kernel::claim::{Command, Event};

/// What follows from an event of a claim.
pub fn react(event: &Event) -> Option<Command> {
    let Event::Taken { value, by } = event;
    let normal = value.normal()?;
    if normal == *value { None } else { Some(Command::Take { value: normal, by: *by }) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::{characters::stored, claim::Value};

    #[track_caller]
    fn check(kind: &str, value: &str, then: Option<&str>) {
        let by = Uuid::from_u128(7);
        let of = |value: &str| {
            let value = match kind {
                "tax_id" => {
                    serde_json::json!({ "kind": "foreign", "country": "DE", "number": value })
                }
                _ => value.into(),
            };
            let value = serde_json::json!({ "kind": kind, "value": value });
            stored(|| serde_json::from_value::<Value>(value).unwrap())
        };
        let then = then.map(|normal| Command::Take { value: of(normal), by });
        assert_eq!(react(&Event::Taken { value: of(value), by }), then, "{value:?}");
    }

    #[test]
    fn a_normal_value_is_held_already() {
        check("sku", "BL-22", None);
        check("sku", "BL-22\u{200b}", Some("BL-22"));
        check("sku", "\u{200b}", None);
        check("company_reference", "ＥＲＰ７", Some("ERP7"));
        check("tax_id", "12\u{ad}3", Some("123"));
        check("gtin", "5901234123457", None);
    }
}
