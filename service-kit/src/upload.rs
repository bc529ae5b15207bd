//! Files that come in: sheets, larger than other bodies.

use std::time::Duration;

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{Operation, ReferenceOr, RequestBody},
};
use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::{
    concurrency::Permit,
    download::described,
    problem::{FieldError, Problem},
    sheet::{self, Format, Sheet},
};

/// A file that is sent as CSV or XLSX, and is not read yet: whoever takes it first finds a place for
/// the work.
#[derive(Debug)]
pub struct Upload {
    request: Request,
    format: Format,
}

/// A sheet that was sent.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// What the file holds.
    pub sheet: Sheet,
    /// SHA-256 of method, path with query, and file: the same request has the same digest.
    pub digest: [u8; 32],
}

/// How large a file may be, in bytes.
const MOST: usize = 32 << 20;
/// How long one may take to come in: others wait for the place.
const PATIENCE: Duration = Duration::from_mins(2);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let format = format_of(&request)?;
        // Who says beforehand that it is too much is not listened to.
        let said = request.headers().get(header::CONTENT_LENGTH);
        let said = said.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|bytes| bytes > MOST as u64) {
            return Err(too_large());
        }
        Ok(Self { request, format })
    }
}

impl Upload {
    /// Reads the file in a place for such work.
    pub async fn read(self, place: &Permit) -> Result<Uploaded, Problem> {
        let Self { request, format } = self;
        let target = format!("{} {}\n", request.method(), request.uri());
        let file = timeout(PATIENCE, to_bytes(request.into_body(), MOST)).await;
        let file = file.map_err(|_| too_slow())?.map_err(|_| too_large())?;
        let reading = place.beside(move || {
            let digest = Sha256::new().chain_update(target).chain_update(&file).finalize().into();
            Ok(Uploaded { sheet: sheet::read(&file, format)?, digest })
        });
        reading.await.map_err(|panicked| Problem::internal(&panicked))?
    }
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body.too_slow")
        .detail(format!("a file must have come in after {} seconds", PATIENCE.as_secs()))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large")
        .detail(format!("a file has at most {} MiB", MOST >> 20))
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
