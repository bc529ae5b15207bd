//! Files that go out: sheets.

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
        let disposition = format!("attachment; filename=\"{name}\"");
        let headers = [
            (header::CONTENT_TYPE, format.media_type().to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ];
        (headers, file).into_response()
    }
}

impl OperationOutput for Download {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        let content = Format::ALL
            .map(|format| (format.media_type().to_owned(), MediaType::default()))
            .into_iter()
            .collect();
        Some(openapi::Response {
            description: "The sheet as a file.".to_owned(),
            content,
            ..openapi::Response::default()
        })
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        Self::operation_response(ctx, operation)
            .map(|response| (Some(StatusCode::OK.as_u16()), response))
            .into_iter()
            .collect()
    }
}
