//! The OpenAPI document: made of the routes and their types, and completed in one place.
//!
//! A type that is read and a type that is written have different schemas: a field with a default may
//! be left out of a request, and one that is left out of an answer when it is empty is not required
//! there. So requests and answers have a schema generator each, and their schemas are merged.

mod example;
mod operations;
mod schemas;

use std::cell::RefCell;

use aide::{
    axum::ApiRouter,
    generate::{GenContext, in_context},
    openapi::{
        Contact, Info, License, OpenApi, Operation, Parameter, ParameterData,
        ParameterSchemaOrContent, ReferenceOr, SchemaObject, SecurityScheme, Server, Tag,
    },
};
use axum::Router;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// What only the product can say about its API.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// By what operations are grouped.
    pub tags: &'static [Group],
    /// Example bodies of operations by id, as a JSON object.
    pub bodies: &'static str,
    /// Example values of schemas by name, as a JSON object.
    pub values: &'static str,
}

/// A tag and the resources whose operations have it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The tag.
    pub name: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// The first segments of paths, such as `orders` of `/v1/orders/{id}`.
    pub resources: &'static [&'static str],
}

/// Routes with the document about them.
#[derive(Debug)]
pub struct Described {
    /// The routes.
    pub router: Router,
    /// The OpenAPI document.
    pub document: Value,
}

thread_local! {
    /// Makes the schemas of what requests say; `GenContext` makes those of answers.
    static REQUESTS: RefCell<Option<SchemaGenerator>> = const { RefCell::new(None) };
}

const SCHEMAS: &str = "#/components/schemas/";

/// Makes routes and describes them. They must be made within the closure: a route is described as
/// soon as it is made.
pub fn describe(routes: impl FnOnce() -> ApiRouter, about: &About) -> Described {
    REQUESTS.set(None);
    in_context(|ctx| ctx.schema = generator(SchemaSettings::draft2020_12().for_serialize()));
    let mut document = about_all(about);
    let router = routes().finish_api_with(&mut document, |document| {
        document.security_scheme(
            "api_key",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: Some("kontor_<id>_<secret>".to_owned()),
                description: Some("An API key; see `kontor token create`.".to_owned()),
                extensions: Default::default(),
            },
        )
    });
    let requests = REQUESTS.take().map(|mut generator| generator.take_definitions(true));
    let mut document =
        serde_json::to_value(&document).expect("an OpenAPI document holds nothing but JSON");
    schemas::merge(&mut document, requests.unwrap_or_default());
    operations::complete(&mut document, about);
    schemas::drop_unused(&mut document);
    Described { router, document }
}

fn about_all(about: &About) -> OpenApi {
    let tags = about.tags.iter().map(|group| Tag {
        name: group.name.to_owned(),
        description: Some(group.description.to_owned()),
        ..Tag::default()
    });
    OpenApi {
        info: Info {
            title: "Kontor".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: Some("Orders between businesses, from offer to booked payment".to_owned()),
            description: Some(
                "Commands answer the position at which they stand in the log; a query with \
                 `wait_for` that position shows what they did. Every error is a problem document \
                 (RFC 9457) with a stable `code`."
                    .to_owned(),
            ),
            contact: Some(Contact {
                name: Some("Kontor".to_owned()),
                url: Some("https://kontor.example/".to_owned()),
                ..Contact::default()
            }),
            license: Some(License {
                name: "MIT OR Apache-2.0".to_owned(),
                identifier: Some("MIT OR Apache-2.0".to_owned()),
                ..License::default()
            }),
            ..Info::default()
        },
        servers: vec![Server {
            url: "/".to_owned(),
            description: Some("The server that serves this document.".to_owned()),
            ..Server::default()
        }],
        tags: tags.collect(),
        ..OpenApi::default()
    }
}

fn generator(settings: SchemaSettings) -> SchemaGenerator {
    settings
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator()
}

/// Describes what a request says: by the schemas of what is read.
pub(crate) fn as_request(ctx: &mut GenContext, describe: impl FnOnce(&mut GenContext)) {
    let requests = REQUESTS
        .take()
        .unwrap_or_else(|| generator(SchemaSettings::draft2020_12().for_deserialize()));
    let answers = std::mem::replace(&mut ctx.schema, requests);
    describe(ctx);
    REQUESTS.set(Some(std::mem::replace(&mut ctx.schema, answers)));
}

/// Documents a header that an operation reads.
pub fn header_parameter(operation: &mut Operation, name: &str, description: &str, schema: Schema) {
    operation.parameters.push(ReferenceOr::Item(Parameter::Header {
        parameter_data: parameter(name, description, schema),
        style: Default::default(),
    }));
}

/// Documents a query parameter that an operation reads beside its [`crate::input::Query`].
pub fn query_parameter(operation: &mut Operation, name: &str, description: &str, schema: Schema) {
    operation.parameters.push(ReferenceOr::Item(Parameter::Query {
        parameter_data: parameter(name, description, schema),
        allow_reserved: false,
        style: Default::default(),
        allow_empty_value: None,
    }));
}

fn parameter(name: &str, description: &str, json_schema: Schema) -> ParameterData {
    ParameterData {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(SchemaObject {
            json_schema,
            external_docs: None,
            example: None,
        }),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    }
}

/// Every operation of a document: its path, its method and itself.
fn operations(
    document: &mut Value,
) -> impl Iterator<Item = (&String, &String, &mut Map<String, Value>)> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    paths.into_iter().flatten().flat_map(|(path, item)| {
        let operations = item.as_object_mut().into_iter().flatten();
        operations
            .filter_map(move |(method, operation)| Some((path, method, operation.as_object_mut()?)))
    })
}

/// Calls for a schema and every schema and object inside it.
fn each(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|field| each(field, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        _ => {}
    }
}
