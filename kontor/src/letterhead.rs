//! Who the seller is, as a file says it: the head of every document that it writes.

use std::path::Path;

use anyhow::Context;
use query_service::{
    Letterhead,
    documents::{Logo, Seller},
};
use serde_json::{Map, Value};

/// Reads the file: the fields of [`Seller`], and `logo` with the path of a picture, which begins
/// where the file is.
pub fn read(path: &Path) -> anyhow::Result<Letterhead> {
    let what = || format!("cannot read who the seller is from {}", path.display());
    let text = std::fs::read(path).with_context(what)?;
    let mut fields: Map<String, Value> = serde_json::from_slice(&text).with_context(what)?;
    let logo = match fields.remove("logo") {
        None => None,
        Some(Value::String(name)) => Some(picture(&path.with_file_name(name))?),
        Some(_) => anyhow::bail!("`logo` in {} is no path", path.display()),
    };
    let seller = serde_json::from_value(Value::Object(fields)).with_context(what)?;
    Ok(Letterhead { seller, logo })
}

fn picture(path: &Path) -> anyhow::Result<Logo> {
    let what = || format!("cannot take {} as the seller's logo", path.display());
    let bytes = std::fs::read(path).with_context(what)?;
    Logo::new(bytes).with_context(what)
}

/// The wholesaler of the small trade that a new Kontor comes with.
pub fn example() -> anyhow::Result<Letterhead> {
    let seller: Seller = serde_json::from_str(include_str!("../seed/seller.json"))?;
    let logo = Logo::new(include_bytes!("../seed/logo.svg").to_vec())?;
    Ok(Letterhead { seller, logo: Some(logo) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> anyhow::Result<Letterhead> {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("logo.svg"), include_bytes!("../seed/logo.svg"))?;
        std::fs::write(directory.path().join("logo.txt"), "no picture")?;
        let path = directory.path().join("seller.json");
        std::fs::write(&path, text)?;
        read(&path)
    }

    #[test]
    fn the_example_is_complete() {
        let Letterhead { seller, logo } = example().unwrap();
        assert!(logo.is_some() && seller.nip.is_some() && seller.bank_account.is_some());
    }

    #[test]
    fn only_the_name_is_needed() {
        let Letterhead { seller, logo } = said(r#"{"name":"Hurtownia"}"#).unwrap();
        assert_eq!((seller.name.as_str(), logo.is_none()), ("Hurtownia", true));
        assert!(said(r#"{"name":"Hurtownia","logo":"logo.svg"}"#).unwrap().logo.is_some());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, what) in [
            ("{", "cannot read who the seller is"),
            ("{}", "missing field `name`"),
            (r#"{"name":"A","nip":"1234563219"}"#, "NIP"),
            (r#"{"name":"A","fax":"1"}"#, "unknown field `fax`"),
            (r#"{"name":"A","logo":7}"#, "`logo`"),
            (r#"{"name":"A","logo":"logo.txt"}"#, "PNG, JPEG or SVG"),
            (r#"{"name":"A","logo":"none.svg"}"#, "none.svg"),
        ] {
            let error = format!("{:#}", said(text).unwrap_err());
            assert!(error.contains(what), "{error}");
        }
    }
}
