//! The served OpenAPI document, against which all responses of these tests are validated.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// A document, and validators of the answers that came so far.
pub(crate) struct Contract {
    pub(crate) document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation of a document.
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) described: &'a Value,
}

impl Contract {
    /// The one of this build: a process asks once.
    pub(crate) async fn served_at(origin: &str) -> &'static Self {
        static SERVED: OnceCell<Contract> = OnceCell::const_new();
        SERVED
            .get_or_init(async || {
                let response = reqwest::get(format!("{origin}/openapi.json")).await.unwrap();
                let document = response.json().await.unwrap();
                Contract { document, validators: Mutex::default() }
            })
            .await
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, described)| Operation { path, method, described })
        })
    }

    /// What a reference leads to.
    pub(crate) fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(target) => self.document.pointer(target.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        }
    }

    /// A validator of a schema of the document.
    pub(crate) fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let made = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = json!({ "components": self.document["components"] });
            whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap())
        });
        made.clone()
    }

    /// Fails unless an answer is one that the document describes.
    pub(crate) fn check(&self, method: &str, path: &str, status: u16, media: &str, body: &Value) {
        let method = method.to_lowercase();
        let Some(operation) = self
            .operations()
            .find(|operation| operation.method == method && fits(operation.path, path))
        else {
            return;
        };
        let answers = &operation.described["responses"];
        let answer = &answers[status.to_string()];
        assert!(answer.is_object(), "{method} {path}: {status} is not described: {body}");
        if answer.get("content").is_none() {
            assert_eq!(body, "", "{method} {path}: {status} has no content");
            return;
        }
        let media = media.split(';').next().unwrap().trim();
        let content = &answer["content"][media];
        assert!(content.is_object(), "{method} {path}: {status} {media:?} is not described");
        if media.ends_with("json") {
            let errors: Vec<_> = self
                .validator(&content["schema"])
                .iter_errors(body)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{method} {path} breaks its schema: {errors:#?}\n{body:#}");
        }
    }
}

/// Whether a path is one of a template's.
fn fits(template: &str, path: &str) -> bool {
    let mut given = path.split('/');
    let fits = template
        .split('/')
        .all(|wanted| given.next().is_some_and(|given| wanted.starts_with('{') || wanted == given));
    fits && given.next().is_none()
}
