//! `/v1/shipments/{id}/despatch-advice`: what left, as a document.

use aide::{
    OperationOutput,
    axum::{ApiRouter, routing::get_with},
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::json_schema;
use service_kit::permissions::ReadTrade;
use service_kit::{
    download::Pdf,
    input::{PathId, Query},
    problem::Problem,
};

use crate::{
    Queries,
    app::fulfilment::despatch_advice::{self, Document, DocumentQuery},
    asker::By,
};

pub(super) fn routes() -> ApiRouter<Queries> {
    ApiRouter::new()
        .api_route(
            "/v1/shipments/{id}/despatch-advice",
            get_with(pdf, |o| {
                o.id("shipment.despatch_advice").summary("The despatch advice of a shipment as PDF")
            }),
        )
        .api_route(
            "/v1/shipments/{id}/despatch-advice/ubl",
            get_with(ubl, |o| {
                o.id("shipment.despatch_advice_ubl")
                    .summary("The despatch advice of a shipment as UBL 2.1 (Peppol BIS)")
            }),
        )
}

async fn pdf(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
    Query(query): Query<DocumentQuery>,
) -> Result<Pdf, Problem> {
    let Document { name, file } = despatch_advice::pdf(&queries, &asker, id, query).await?;
    Ok(Pdf { name, file })
}

async fn ubl(
    State(queries): State<Queries>,
    By { who: asker, .. }: By<ReadTrade>,
    PathId(id): PathId,
) -> Result<Xml, Problem> {
    let Document { name, file } = despatch_advice::ubl(&queries, &asker, id).await?;
    Ok(Xml { name, file })
}

/// A document for other programs.
#[derive(Debug)]
struct Xml {
    /// What it is called when it is saved, without the extension.
    name: String,
    file: Vec<u8>,
}

const XML: &str = "application/xml";

impl IntoResponse for Xml {
    fn into_response(self) -> Response {
        let disposition = format!("attachment; filename=\"{}.xml\"", self.name);
        let headers =
            [(header::CONTENT_TYPE, XML.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
        (headers, self.file).into_response()
    }
}

impl OperationOutput for Xml {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<openapi::Response> {
        let json_schema = json_schema!({ "type": "string", "format": "xml" });
        let schema = SchemaObject { json_schema, external_docs: None, example: None };
        let content = MediaType { schema: Some(schema), ..MediaType::default() };
        Some(openapi::Response {
            description: "The document as XML.".to_owned(),
            content: [(XML.to_owned(), content)].into_iter().collect(),
            ..openapi::Response::default()
        })
    }

    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, openapi::Response)> {
        let response = Self::operation_response(ctx, operation);
        response.map(|response| (Some(StatusCode::OK.as_u16()), response)).into_iter().collect()
    }
}
