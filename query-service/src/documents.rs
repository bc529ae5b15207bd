//! Documents: what the parties print and sign. A template of ours is set by typst with the data of
//! one document, and written as PDF. Nothing here knows what a document is about.
//!
//! Whatever anybody typed reaches a template as JSON and is shown as text, never read as markup.
//! A template can reach nothing but that data, the logo and [`LETTER`]: no files, no network, no
//! packages, no clock. So the same data makes the same bytes.

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

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// More text than any document holds.
    #[error("a document holds at most {MOST_TEXT} bytes of text")]
    TooLong,
    /// Data that is no JSON.
    #[error("the data of a document cannot be written as JSON")]
    Data(#[from] serde_json::Error),
    /// The template does not fit its data, or something in it cannot be written as PDF.
    #[error("the template {template} cannot be set: {reason}")]
    Template {
        /// Which.
        template: String,
        /// What typst says.
        reason: String,
    },
    /// The work ended before the document was there.
    #[error("a document was not finished")]
    Unfinished(#[from] task::JoinError),
}

/// The most text of one document, in bytes: the most lines with names of the greatest length.
const MOST_TEXT: usize = 8 * 1024 * 1024;

/// Where documents are set, so many at once: one of the most lines takes a few hundred megabytes
/// and seconds of a processor.
pub(crate) static LIMIT: LazyLock<ConcurrencyLimit> =
    LazyLock::new(|| ConcurrencyLimit::new("document", 2));

/// The fonts. What the first family lacks, such as Arabic, Hebrew and smileys, is in the other.
const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/Lato-Regular.ttf"),
    include_bytes!("../fonts/Lato-Bold.ttf"),
    include_bytes!("../fonts/DejaVuSans.ttf"),
];

/// A typst file of ours, read once per process.
type Template = LazyLock<Source>;

/// What all documents look like; the templates import it.
static LETTER: Template =
    LazyLock::new(|| template("letter.typ", include_str!("../templates/letter.typ")));

fn template(name: &str, text: &str) -> Source {
    Source::new(file(name), text.to_owned())
}

/// A file as templates name it. There are only those that we name, so few are ever remembered.
fn file(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a plain name is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// What typst needs for every document, made once per process.
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

/// All that one template can reach.
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

/// Sets a template with its data. This works for milliseconds to seconds: see [`LIMIT`].
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
    // What typst remembers of this document helps no other.
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

/// Takes out what no document can show: control characters, and the marks that would turn the
/// order of all that follows, figures among it.
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
