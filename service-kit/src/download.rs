//! File downloads: sheets and documents.

use std::io;

use aide::{
    OperationOutput,
    generate::GenContext,
    openapi::{self, MediaType, Operation, SchemaObject},
};
use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use schemars::json_schema;
use tokio::{fs::File, io::AsyncReadExt, sync::mpsc};

use crate::{
    concurrency::Permit,
    problem::Problem,
    sheet::{self, Book, Cell, Format},
};

/// A sheet as a file download. It is sent while it is read, so a slow client keeps at most one page
/// in memory.
#[derive(Debug)]
pub struct Download {
    name: String,
    format: Format,
    body: Body,
}

/// A page of rows.
pub type Rows = Vec<Vec<Cell>>;

/// The number of bytes of a file read from the disk at once.
const PIECE: usize = 64 << 10;

impl Download {
    /// A sheet with this name, created under a permit that is held until all of it is sent. An
    /// error in the first rows is a problem document; a later error aborts the download.
    pub async fn sheet(
        name: &str,
        header: &'static [&'static str],
        pages: impl Stream<Item = Result<Rows, Problem>> + Send + 'static,
        format: Format,
        place: Permit,
    ) -> Result<Self, Problem> {
        let pages = pages.boxed();
        let body = match format {
            Format::Csv => csv(header, pages, place).await?,
            Format::Xlsx => xlsx(header, pages, place).await?,
        };
        Ok(Self { name: format!("{name}.{}", format.extension()), format, body })
    }
}

async fn csv(
    header: &[&str],
    mut pages: BoxStream<'static, Result<Rows, Problem>>,
    place: Permit,
) -> Result<Body, Problem> {
    let first = pages.next().await.transpose()?.unwrap_or_default();
    let first = sheet::csv_header(header).and_then(|header| {
        let rows = sheet::csv_rows(first)?;
        Ok([header, rows].concat())
    });
    let first = first.map_err(|error| Problem::internal(&error))?;
    let rest = pages.map(move |page| {
        let _place = &place;
        let rows = page.map_err(|problem| io::Error::other(problem.words().to_owned()))?;
        sheet::csv_rows(rows).map_err(io::Error::other)
    });
    Ok(Body::from_stream(stream::once(async { Ok(first) }).chain(rest)))
}

/// The directory of a ZIP file is at its end, so the workbook is first written to the disk.
async fn xlsx(
    header: &'static [&'static str],
    mut pages: BoxStream<'static, Result<Rows, Problem>>,
    place: Permit,
) -> Result<Body, Problem> {
    let (sender, mut received) = mpsc::channel::<Rows>(1);
    let reading = async move {
        while let Some(page) = pages.next().await {
            if sender.send(page?).await.is_err() {
                // The writer has failed and returns the error.
                break;
            }
        }
        Ok::<_, Problem>(())
    };
    let writing = place.run_blocking(move || {
        let mut book = Book::new(header)?;
        while let Some(rows) = received.blocking_recv() {
            book.add(rows)?;
        }
        book.finish()
    });
    let (read, written) = futures::join!(reading, writing);
    read?;
    let written = written.map_err(|panicked| Problem::internal(&panicked))?;
    let file = File::from_std(written.map_err(|error| Problem::internal(&error))?);
    let pieces = stream::try_unfold((file, place), async |(mut file, place)| {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).await?;
        piece.truncate(count);
        Ok::<_, io::Error>((count > 0).then_some((piece, (file, place))))
    });
    Ok(Body::from_stream(pieces))
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let Self { name, format, body } = self;
        sent(format.media_type(), format!("attachment; filename=\"{name}\""), body)
    }
}

/// A document as a file download.
#[derive(Debug)]
pub struct Pdf {
    /// The file name without extension: letters, digits and dashes.
    pub name: String,
    /// The content.
    pub file: Vec<u8>,
}

impl Pdf {
    const MEDIA_TYPE: &str = "application/pdf";
}

impl IntoResponse for Pdf {
    fn into_response(self) -> Response {
        let Self { name, file } = self;
        sent(Self::MEDIA_TYPE, format!("inline; filename=\"{name}.pdf\""), file.into())
    }
}

fn sent(media_type: &str, disposition: String, body: Body) -> Response {
    let headers =
        [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, body).into_response()
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

/// The schema of a sheet in a format.
pub(crate) fn described(format: Format) -> MediaType {
    holding(match format {
        Format::Csv => "csv",
        Format::Xlsx => "binary",
    })
}

/// The schema of a file: bytes, or text in a format.
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use axum::{Router, routing::get};
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        concurrency::ConcurrencyLimit,
        connections::{self, Limits},
    };

    /// Rows of a page of about 64 kB, and the maximum number of pages that a loopback connection
    /// buffers: twice the largest buffers that Linux gives to a sender and a receiver.
    const ROWS: usize = 64;
    const BUFFERED: usize = 2 * (4 << 20) * 2 / (64 << 10) + 10;

    fn endless(read: Arc<AtomicUsize>) -> impl Stream<Item = Result<Rows, Problem>> + Send {
        stream::repeat_with(move || {
            read.fetch_add(1, Ordering::SeqCst);
            Ok(vec![vec![Cell::Text("x".repeat(1_000))]; ROWS])
        })
    }

    /// A client that reads nothing is sent no more than its connection buffers, no further page is
    /// read for it, and it is disconnected after a while, which releases its permit.
    #[tokio::test]
    async fn a_client_that_reads_nothing_keeps_no_memory() {
        let (read, places) = (Arc::default(), Arc::new(ConcurrencyLimit::new("test", 1)));
        let (reading, given) = (Arc::clone(&read), places.clone());
        let export = move || {
            let (reading, given) = (Arc::clone(&reading), given.clone());
            async move {
                let place = given.take(Uuid::nil()).await?;
                Download::sheet("x", &["x"], endless(reading), Format::Csv, place).await
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits { stalled: Duration::from_secs(1), ..Limits::default() };
        let router = Router::new().route("/", get(export));
        tokio::spawn(connections::serve(listener, router, limits, std::future::pending()));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: k\r\n\r\n").await.unwrap();
        while read.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Its permit is released when it is disconnected.
        places.take(Uuid::nil()).await.unwrap();
        let pages = read.load(Ordering::SeqCst);
        assert!(pages <= BUFFERED, "{pages} pages were read for a client that reads nothing");
    }

    #[tokio::test]
    async fn what_fails_first_is_a_problem_and_later_breaks_off() {
        let place = async || ConcurrencyLimit::new("test", 1).take(Uuid::nil()).await.unwrap();
        let row = || Ok(vec![vec![Cell::Text("x".to_owned())]]);
        let failed = || Err(Problem::unavailable("gone"));
        for format in Format::ALL {
            let pages = stream::iter([failed()]);
            let refused = Download::sheet("x", &["x"], pages, format, place().await).await;
            assert_eq!(refused.unwrap_err().code(), "unavailable");
        }
        let pages = stream::iter([row(), failed()]);
        let begun = Download::sheet("x", &["x"], pages, Format::Csv, place().await).await.unwrap();
        assert!(axum::body::to_bytes(begun.body, 1 << 20).await.is_err());
    }
}
