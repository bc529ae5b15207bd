//! Files that go out: sheets and documents.

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, MediaType, Operation},
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

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
        Some(described("The sheet as a file.", &Format::ALL.map(Format::media_type)))
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
        Some(described("The document as PDF.", &[Self::MEDIA_TYPE]))
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        when_ok(Self::operation_response(ctx, operation))
    }
}

fn described(what: &str, media_types: &[&str]) -> openapi::Response {
    let content =
        media_types.iter().map(|name| ((*name).to_owned(), MediaType::default())).collect();
    openapi::Response { description: what.to_owned(), content, ..openapi::Response::default() }
}

fn when_ok(response: Option<openapi::Response>) -> Vec<(Option<u16>, openapi::Response)> {
    response.map(|response| (Some(StatusCode::OK.as_u16()), response)).into_iter().collect()
}
