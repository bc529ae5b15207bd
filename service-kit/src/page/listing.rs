//! The query of a list: page and filter.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::{Map, Value};

use super::PageRequest;

/// A page of filtered items. In a query, the parameters of the filter are beside those of the page.
/// `serde(flatten)` would accept unknown parameters, and would not parse numbers.
#[derive(Debug, Clone, Default)]
pub struct Listing<F> {
    /// The page.
    pub page: PageRequest,
    /// The filter.
    pub filter: F,
}

const LIMIT: &str = "limit";
const CURSOR: &str = "cursor";

impl<'de, F: Deserialize<'de>> Deserialize<'de> for Listing<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parameters(PhantomData))
    }
}

/// All parameters of a query.
struct Parameters<F>(PhantomData<F>);

impl<'de, F: Deserialize<'de>> Visitor<'de> for Parameters<F> {
    type Value = Listing<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parameters of a list")
    }

    fn visit_map<M: MapAccess<'de>>(self, parameters: M) -> Result<Listing<F>, M::Error> {
        let mut page = PageRequest::default();
        let others = Others { parameters, page: &mut page };
        let filter = F::deserialize(MapAccessDeserializer::new(others))?;
        Ok(Listing { page, filter })
    }
}

/// The parameters of the filter; those of the page are stored while reading.
struct Others<'p, M> {
    parameters: M,
    page: &'p mut PageRequest,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Others<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        mut seed: K,
    ) -> Result<Option<K::Value>, M::Error> {
        loop {
            match self.parameters.next_key_seed(Name(seed))? {
                None => return Ok(None),
                Some(Named::Other(name)) => return Ok(Some(name)),
                Some(Named::Limit(unused)) => {
                    let value = self.parameters.next_value()?;
                    once(&mut self.page.limit, LIMIT, value)?;
                    seed = unused;
                }
                Some(Named::Cursor(unused)) => {
                    let value = self.parameters.next_value()?;
                    once(&mut self.page.cursor, CURSOR, value)?;
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.parameters.next_value_seed(seed)
    }
}

fn once<T, E: Error>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match place.replace(value) {
        Some(_) => Err(E::duplicate_field(name)),
        None => Ok(()),
    }
}

/// Reads the name of a parameter; names of the filter are passed on.
struct Name<K>(K);

enum Named<V, K> {
    Limit(K),
    Cursor(K),
    Other(V),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<K> {
    type Value = Named<K::Value, K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, K: DeserializeSeed<'de>> Visitor<'de> for Name<K> {
    type Value = Named<K::Value, K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a parameter")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match name {
            LIMIT => Ok(Named::Limit(self.0)),
            CURSOR => Ok(Named::Cursor(self.0)),
            other => self.0.deserialize(other.into_deserializer()).map(Named::Other),
        }
    }
}

impl<F: JsonSchema> JsonSchema for Listing<F> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Listing", F::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = F::json_schema(generator);
        let page = PageRequest::json_schema(generator);
        if let Some(of_page) = page.get("properties").and_then(Value::as_object) {
            let properties =
                schema.ensure_object().entry("properties").or_insert(Map::new().into());
            if let Value::Object(properties) = properties {
                properties.extend(of_page.clone());
            }
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        company: Option<u32>,
        #[serde(default)]
        unread: bool,
    }

    fn read(query: &str) -> Result<Listing<Filter>, String> {
        serde_urlencoded::from_str(query).map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_of_page_and_filter_stand_side_by_side() {
        let Listing { page, filter } = read("limit=5&company=7&cursor=abc&unread=true").unwrap();
        assert_eq!((page.limit, page.cursor.as_deref()), (Some(5), Some("abc")));
        assert_eq!(filter, Filter { company: Some(7), unread: true });
        let Listing { page, filter } = read("").unwrap();
        assert_eq!((page.limit, page.cursor, filter), (None, None, Filter::default()));
    }

    #[test]
    fn what_is_unknown_twice_or_no_number_is_refused() {
        for (query, says) in [
            ("limit=5&colour=blue", "unknown field `colour`"),
            ("limit=5&limit=6", "duplicate field `limit`"),
            ("company=1&cursor=a&company=2", "duplicate field `company`"),
            ("limit=many", "invalid digit"),
            ("company=many", "invalid digit"),
        ] {
            let error = read(query).unwrap_err();
            assert!(error.contains(says), "{query}: {error}");
        }
    }

    #[test]
    fn its_schema_has_the_parameters_of_both() {
        let schema = SchemaGenerator::default().into_root_schema_for::<Listing<Filter>>();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap();
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(names, ["company", "cursor", "limit", "unread"]);
    }
}
