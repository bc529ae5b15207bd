//! File uploads: sheets, larger than other bodies.

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

/// A CSV or XLSX file that is not read yet, so that the handler can take a permit first.
#[derive(Debug)]
pub struct Upload {
    request: Request,
    format: Format,
}

/// An uploaded sheet.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// Its content.
    pub sheet: Sheet,
    /// SHA-256 of method, path with query, and file: equal requests have equal digests.
    pub digest: [u8; 32],
}

/// The maximum size of a file in bytes.
const MOST: usize = 32 << 20;
/// The time limit of an upload, during which it holds a permit.
const PATIENCE: Duration = Duration::from_mins(2);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let format = format_of(&request)?;
        // A body whose declared length exceeds the limit is not read.
        let said = request.headers().get(header::CONTENT_LENGTH);
        let said = said.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|bytes| bytes > MOST as u64) {
            return Err(too_large());
        }
        Ok(Self { request, format })
    }
}

impl Upload {
    /// Reads the file under a permit.
    pub async fn read(self, place: &Permit) -> Result<Uploaded, Problem> {
        let Self { request, format } = self;
        let target = format!("{} {}\n", request.method(), request.uri());
        let file = timeout(PATIENCE, to_bytes(request.into_body(), MOST)).await;
        let file = file.map_err(|_| too_slow())?.map_err(|_| too_large())?;
        let reading = place.run_blocking(move || {
            let digest = Sha256::new().chain_update(target).chain_update(&file).finalize().into();
            Ok(Uploaded { sheet: sheet::read(&file, format)?, digest })
        });
        reading.await.map_err(|panicked| Problem::internal(&panicked))?
    }
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body.too_slow")
        .detail(format!("a file must be uploaded within {} seconds", PATIENCE.as_secs()))
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large")
        .detail(format!("a file may have at most {} MiB", MOST >> 20))
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
