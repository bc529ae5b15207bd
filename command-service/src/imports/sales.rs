//! Sheets and documents of the sales context.

pub(crate) mod purchase_rows;
pub(crate) mod ubl_order;

use service_kit::{problem::Problem, sheet};
use uuid::Uuid;

use crate::app::sales::purchase_rows::PurchaseRow;

/// What makes a file of its bytes.
type MakeFile = fn(Vec<u8>) -> GivenFile;

/// A file of rows that name products and quantities.
#[derive(Debug)]
pub(crate) enum GivenFile {
    /// Text with a separator.
    Text(Vec<u8>),
    /// A workbook of Excel.
    Workbook(Vec<u8>),
    /// An order of UBL 2.1.
    UblOrder(Vec<u8>),
}

impl GivenFile {
    /// By which media types files are told apart.
    pub(crate) const MEDIA_TYPES: &'static [(&'static str, MakeFile)] = &[
        ("text/plain", Self::Text),
        ("text/csv", Self::Text),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Self::Workbook),
        ("application/xml", Self::UblOrder),
        ("text/xml", Self::UblOrder),
    ];

    /// Reads the rows of a file that somebody with a key has sent.
    pub(crate) async fn rows(self, key: Uuid) -> Result<Vec<PurchaseRow>, Problem> {
        let place = purchase_rows::LIMIT.take(key).await?;
        let reading = place.beside(move || match self {
            Self::Text(file) => purchase_rows::of_text(&sheet::decoded(&file)),
            Self::Workbook(file) => purchase_rows::of_workbook(&file),
            Self::UblOrder(file) => Ok(ubl_order::read(&sheet::decoded(&file))?.rows),
        });
        reading.await.map_err(|panicked| Problem::internal(&panicked))?
    }
}
