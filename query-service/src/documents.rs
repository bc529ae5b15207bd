//! Documents: renders an embedded template with the data of one document as PDF, using typst. It
//! does not depend on the kind of document.
//!
//! User input reaches a template as JSON and is shown as text, never parsed as markup. A template
//! can access only that data, the logo and [`LETTER`]: no files, network, packages or clock. So the
//! same data renders to the same bytes.

pub mod despatch_advice;
mod letter;
mod logo;
pub mod offer;
mod wording;

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;
use service_kit::concurrency::ConcurrencyLimit;
use tokio::task;
use typst::{
    Library, LibraryExt, World, comemo,
    diag::{FileError, FileResult, SourceDiagnostic, Warned},
    foundations::{Bytes, Datetime, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

pub use self::{
    letter::{Buyer, Letterhead, Seller},
    logo::{Logo, LogoError},
    wording::Language,
};

/// Why a document could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The text is longer than the limit.
    #[error("a document holds at most {MOST_TEXT} bytes of text")]
    TooLong,
    /// The data cannot be serialised as JSON.
    #[error("the data of a document cannot be written as JSON")]
    Data(#[from] serde_json::Error),
    /// The template does not fit its data, or the result cannot be written as PDF.
    #[error("the template {template} cannot be rendered: {reason}")]
    Template {
        /// The template.
        template: String,
        /// The error of typst.
        reason: String,
    },
    /// The thread ended before the document was rendered.
    #[error("rendering of a document was aborted")]
    Unfinished(#[from] task::JoinError),
}

/// The maximum text of one document in bytes: the largest number of lines, with the longest names.
const MOST_TEXT: usize = 8 * 1024 * 1024;

/// The limit of concurrent renderings: the largest document takes a few hundred megabytes and some
/// seconds of a core.
pub(crate) static LIMIT: LazyLock<ConcurrencyLimit> =
    LazyLock::new(|| ConcurrencyLimit::new("document", 2));

/// The fonts. The second family has characters that the first lacks, such as Arabic, Hebrew and
/// smileys.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/Lato-Regular.ttf"),
    include_bytes!("../fonts/Lato-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSans.ttf"),
];

/// An embedded typst file, parsed once per process.
type Template = LazyLock<Source>;

/// The common layout; the templates import it.
static LETTER: Template =
    LazyLock::new(|| template("letter.typ", include_str!("../templates/letter.typ")));

fn template(name: &str, text: &str) -> Source {
    Source::new(file(name), text.to_owned())
}

/// The id of a file as templates name it. Only embedded files are named, so few ids are interned.
fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// The parts that typst needs for every document, created once per process.
struct TypstResources {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    data: FileId,
    logo: FileId,
}

static RESOURCES: LazyLock<TypstResources> = LazyLock::new(|| {
    let fonts: Vec<Font> =
        FONTS.into_iter().flat_map(|font| Font::iter(Bytes::new(font))).collect();
    TypstResources {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
        data: file("data.json"),
        logo: file("logo"),
    }
});

/// The files that one template can access.
struct DocumentWorld<'a> {
    resources: &'static TypstResources,
    template: &'a Source,
    data: Bytes,
    logo: Option<Bytes>,
}

impl World for DocumentWorld<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.resources.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.resources.book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [self.template, &LETTER]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let known = if id == self.resources.data {
            Some(&self.data)
        } else if id == self.resources.logo {
            self.logo.as_ref()
        } else {
            None
        };
        known.cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.resources.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Renders a template with its data. This takes milliseconds to seconds of a core: see [`LIMIT`].
fn render(
    template: &Source,
    data: &impl Serialize,
    logo: Option<&Logo>,
) -> Result<Vec<u8>, DocumentError> {
    let mut data = serde_json::to_value(data)?;
    make_printable(&mut data);
    let data = serde_json::to_vec(&data)?;
    if data.len() > MOST_TEXT {
        return Err(DocumentError::TooLong);
    }
    let logo = logo.map(|logo| logo.bytes().clone());
    let world = DocumentWorld { resources: &RESOURCES, template, data: Bytes::new(data), logo };
    let Warned { output, warnings: _ } = typst::compile::<PagedDocument>(&world);
    let options =
        PdfOptions { creator: Smart::Custom(Some("Kontor".to_owned())), ..PdfOptions::default() };
    let pdf = output.and_then(|document| typst_pdf::pdf(&document, &options));
    // Cached results of this document are not useful for another one.
    comemo::evict(0);
    pdf.map_err(|problems| DocumentError::Template {
        template: template.id().get().vpath().get_without_slash().to_owned(),
        reason: reason(&problems),
    })
}

fn reason(problems: &[SourceDiagnostic]) -> String {
    let all: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    all.join("; ")
}

/// Removes characters that a document cannot show: control characters, and marks that would change
/// the direction of the following text, including figures.
fn make_printable(data: &mut Value) {
    match data {
        Value::String(text)
            if text.contains(|character| printable(character) != Some(character)) =>
        {
            *text = text.chars().filter_map(printable).collect();
        }
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(values) => values.values_mut().for_each(make_printable),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn printable(character: char) -> Option<char> {
    match character {
        '\n' | '\t' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        _ if character.is_control() => None,
        _ => Some(character),
    }
}

#[cfg(test)]
mod tests;
