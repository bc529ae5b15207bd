//! Files that go out: sheets and documents.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::json_schema;

use crate::{
    problem::Problem,
    sheet::{self, Cell, Format},
};

/// A sheet to be saved as a file.
#[derive(Debug)]
pub struct Download {
    name: String,
    format: Format,
    file: Vec<u8>,
}

impl Download {
    /// A sheet of this name, written where it does not hold up other requests.
    pub async fn sheet(
        name: &str,
        header: &'static [&'static str],
        rows: Vec<Vec<Cell>>,
        format: Format,
    ) -> Result<Self, Problem> {
        let writing =
            tokio::task::spawn_blocking(move || sheet::write(header, rows.into_iter(), format));
        let file = writing
            .await
            .map_err(|panicked| Problem::internal(&panicked))?
            .map_err(|error| Problem::internal(&error))?;
        Ok(Self { name: format!("{name}.{}", format.extension()), format, file })
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let Self { name, format, file } = self;
        sent(format.media_type(), format!("attachment; filename=\"{name}\""), file)
    }
}

/// A document to be read and printed.
#[derive(Debug)]
pub struct Pdf {
    /// What it is called when it is saved, without the extension: letters, digits and dashes.
    pub name: String,
    /// It itself.
    pub file: Vec<u8>,
}

impl Pdf {
    const MEDIA_TYPE: &str = "application/pdf";
}

impl IntoResponse for Pdf {
    fn into_response(self) -> Response {
        let Self { name, file } = self;
        sent(Self::MEDIA_TYPE, format!("inline; filename=\"{name}.pdf\""), file)
    }
}

fn sent(media_type: &str, disposition: String, file: Vec<u8>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, file).into_response()
}

impl OperationOutput for Download {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        Some(answered(
            "The sheet as a file.",
            Format::ALL.map(|format| (format.media_type(), described(format))),
        ))
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        when_ok(Self::operation_response(ctx, operation))
    }
}

impl OperationOutput for Pdf {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        let content = [(Self::MEDIA_TYPE, holding("binary"))];
        Some(answered("The document as PDF.", content))
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        when_ok(Self::operation_response(ctx, operation))
    }
}

/// A sheet in a format, as the document describes it.
pub(crate) fn described(format: Format) -> MediaType {
    holding(match format {
        Format::Csv => "csv",
        Format::Xlsx => "binary",
    })
}

/// A file: bytes, or text in a format.
fn holding(format: &str) -> MediaType {
    let json_schema = json_schema!({ "type": "string", "format": format });
    let schema = SchemaObject { json_schema, external_docs: None, example: None };
    MediaType { schema: Some(schema), ..MediaType::default() }
}

fn answered<const N: usize>(what: &str, content: [(&str, MediaType); N]) -> openapi::Response {
    let content = content.into_iter().map(|(name, content)| (name.to_owned(), content)).collect();
    openapi::Response { description: what.to_owned(), content, ..openapi::Response::default() }
}

fn when_ok(response: Option<openapi::Response>) -> Vec<(Option<u16>, openapi::Response)> {
    response.map(|response| (Some(StatusCode::OK.as_u16()), response)).into_iter().collect()
}
