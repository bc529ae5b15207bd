//! Rows as they are sent: as JSON, pasted text, CSV, XLSX, or an order of UBL.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{MediaType, Operation, ReferenceOr, SchemaObject},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use schemars::json_schema;
use service_kit::{
    input::Body,
    problem::{FieldError, Problem},
};
use sha2::{Digest, Sha256};

use crate::{app::sales::cart::adding::AddLines, imports::sales::GivenFile};

/// Rows of a request.
pub(super) enum GivenRows {
    /// As JSON.
    Json(Body<AddLines>),
    /// As a file, with the SHA-256 of method, path and file.
    File { file: GivenFile, digest: [u8; 32] },
}

impl<S: Send + Sync> FromRequest<S> for GivenRows {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let known = GivenFile::MEDIA_TYPES.iter().find(|(name, _)| *name == media_type);
        let Some((_, of)) = known else {
            if media_type == "application/json" {
                return Body::from_request(request, state).await.map(Self::Json);
            }
            let names: Vec<&str> = GivenFile::MEDIA_TYPES.iter().map(|(name, _)| *name).collect();
            let detail = format!("must be application/json, {}", names.join(" or "));
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.no_rows")
                .field(FieldError::header("Content-Type", detail)));
        };
        let target = format!("{} {}\n", request.method(), request.uri().path());
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body.too_large")
                .detail("the file is too large, or was not sent whole")
        })?;
        let digest = Sha256::new().chain_update(target).chain_update(&bytes).finalize().into();
        Ok(Self::File { file: of(bytes.to_vec()), digest })
    }
}

impl OperationInput for GivenRows {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Body::<AddLines>::operation_input(ctx, operation);
        let Some(ReferenceOr::Item(body)) = &mut operation.request_body else { return };
        for (name, _) in GivenFile::MEDIA_TYPES {
            let json_schema = json_schema!({ "type": "string" });
            let schema = SchemaObject { json_schema, external_docs: None, example: None };
            let media_type = MediaType { schema: Some(schema), ..MediaType::default() };
            body.content.insert((*name).to_owned(), media_type);
        }
    }
}
