//! Files that come in: sheets, larger than other bodies.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{Operation, ReferenceOr, RequestBody},
};
use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use sha2::{Digest, Sha256};

use crate::{
    download::described,
    problem::{FieldError, Problem},
    sheet::{self, Format, Sheet},
};

/// A sheet that was sent as CSV or XLSX.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What the file holds.
    pub sheet: Sheet,
    /// SHA-256 of method, path with query, and file: the same request has the same digest.
    pub digest: [u8; 32],
}

/// How large a file may be, in bytes.
const MOST: usize = 32 << 20;

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let format = format_of(&request)?;
        let target = format!("{} {}\n", request.method(), request.uri());
        let file = to_bytes(request.into_body(), MOST).await.map_err(|_| {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large")
                .detail(format!("a file has at most {} MiB", MOST >> 20))
        })?;
        let digest = Sha256::new().chain_update(target).chain_update(&file).finalize().into();
        Ok(Self { sheet: read(file, format).await?, digest })
    }
}

/// Reading a large one takes a while: not where other requests wait.
async fn read(file: Bytes, format: Format) -> Result<Sheet, Problem> {
    match tokio::task::spawn_blocking(move || sheet::read(&file, format)).await {
        Ok(sheet) => Ok(sheet?),
        Err(panicked) => Err(Problem::internal(&panicked)),
    }
}

fn format_of(request: &Request) -> Result<Format, Problem> {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    Format::ALL
        .into_iter()
        .find(|format| media_type.eq_ignore_ascii_case(format.media_type()))
        .ok_or_else(|| {
            let known = Format::ALL.map(Format::media_type).join(" or ");
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.not_a_sheet")
                .field(FieldError::header("Content-Type", format!("must be {known}")))
        })
}

impl OperationInput for Upload {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let content = Format::ALL
            .map(|format| (format.media_type().to_owned(), described(format)))
            .into_iter()
            .collect();
        operation.request_body = Some(ReferenceOr::Item(RequestBody {
            description: Some("A sheet whose first row names the columns.".to_owned()),
            content,
            required: true,
            ..RequestBody::default()
        }));
    }
}
