//! The OpenAPI document: generated from the routes and their types, and completed in one place.
//!
//! The schemas of a type for requests and for responses differ: a field with a default is optional
//! in a request, and a field that is omitted when empty is optional in a response. So requests and
//! responses have a schema generator each, and their schemas are merged.

mod example;
mod operations;
mod schemas;

use std::cell::RefCell;

use aide::{
    axum::ApiRouter,
    generate::{GenContext, in_context},
    openapi::{
        Info, License, OpenApi, Operation, Parameter, ParameterData, ParameterSchemaOrContent,
        ReferenceOr, SchemaObject, SecurityScheme, Server, Tag,
    },
};
use axum::Router;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The parts of the document that the product provides.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The groups of operations.
    pub tags: &'static [Group],
    /// Example bodies of operations by id, as a JSON object.
    pub bodies: &'static str,
    /// Example values of schemas by name, as a JSON object.
    pub values: &'static str,
    /// A response header of queries on read models (those with `wait_for`): name and description.
    pub read_model_header: (&'static str, &'static str),
}

/// A tag and the resources whose operations have it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The tag.
    pub name: &'static str,
    /// Its description.
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
    /// Generates the schemas of requests; `GenContext` generates those of responses.
    static REQUESTS: RefCell<Option<SchemaGenerator>> = const { RefCell::new(None) };
}

const SCHEMAS: &str = "#/components/schemas/";

/// Builds routes with their document. They must be built within the closure, because a route is
/// documented when it is built.
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
                "A command returns the position of its events in the log; a query with `wait_for` \
                 that position includes their effects. Every error is a problem document (RFC \
                 9457) with a stable `code`."
                    .to_owned(),
            ),
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

/// Generates the schema of a part of a request.
pub(crate) fn as_request(ctx: &mut GenContext, describe: impl FnOnce(&mut GenContext)) {
    let requests = REQUESTS
        .take()
        .unwrap_or_else(|| generator(SchemaSettings::draft2020_12().for_deserialize()));
    let answers = std::mem::replace(&mut ctx.schema, requests);
    describe(ctx);
    REQUESTS.set(Some(std::mem::replace(&mut ctx.schema, answers)));
}

/// Documents a request header.
pub fn header_parameter(operation: &mut Operation, name: &str, description: &str, schema: Schema) {
    operation.parameters.push(ReferenceOr::Item(Parameter::Header {
        parameter_data: parameter(name, description, schema),
        style: Default::default(),
    }));
}

/// Documents a query parameter that is not part of [`crate::input::Query`].
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

/// Every operation of a document, with its path and method.
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

/// Calls a function for a schema and every schema and object inside it.
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
