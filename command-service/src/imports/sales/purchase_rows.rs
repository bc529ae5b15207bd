//! Rows of products and quantities from pasted text, CSV and XLSX: in any order of columns, with or
//! without a header in Polish or English. No row is lost: what cannot be read is a row that is
//! refused.

mod columns;
mod records;

use std::sync::LazyLock;

use axum::http::StatusCode;
use service_kit::{
    concurrency::ConcurrencyLimit,
    problem::Problem,
    sheet::{self, RawRow},
};

use self::columns::{Columns, Role};
use crate::app::sales::{
    cart::adding::MOST_ROWS,
    purchase_rows::{PurchaseRow, RowRefusal, RowRequest},
};

/// Where files are read: so many at once, one of a key.
pub(super) static LIMIT: LazyLock<ConcurrencyLimit> =
    LazyLock::new(|| ConcurrencyLimit::new("rows", 2));

/// Reads the first sheet of a workbook of Excel.
pub(super) fn of_workbook(file: &[u8]) -> Result<Vec<PurchaseRow>, Problem> {
    read_table(&sheet::workbook_rows(file)?)
}

pub(super) fn too_many() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rows.count_invalid")
        .detail(format!("1 to {MOST_ROWS} rows are added at once"))
}

/// Reads text. Its separator is a tab, a semicolon or a bar where most lines have one; otherwise the
/// one by which most of its lines name a product and a quantity.
pub(super) fn of_text(text: &str) -> Result<Vec<PurchaseRow>, Problem> {
    // A header is a line too.
    if text.lines().filter(|line| !line.trim().is_empty()).take(MOST_ROWS + 2).count()
        > MOST_ROWS + 1
    {
        return Err(too_many());
    }
    let tables = records::SEPARATORS.map(|separator| (separator, records::split(text, separator)));
    let is_clear = |(separator, table): &&(records::Separator, Vec<RawRow>)| {
        separator.is_clear()
            && table.iter().filter(|row| row.cells.len() > 1).count() * 2 > table.len()
    };
    if let Some((_, table)) = tables.iter().find(is_clear) {
        return read_table(table);
    }
    let best = tables.iter().map(|(separator, table)| {
        let read = read_table(table);
        let fits = separator.fits(table);
        let readable = read.as_ref().ok().filter(|_| fits).map_or(0, |rows| readable(rows));
        (readable, read)
    });
    // Of several that are as good the first is taken.
    let mut best = best.collect::<Vec<_>>().into_iter();
    let first = best.next().ok_or_else(too_many)?;
    let (_, read) = best.fold(first, |best, next| if next.0 > best.0 { next } else { best });
    read
}

fn readable(rows: &[PurchaseRow]) -> usize {
    rows.iter().filter(|row| row.asked.is_ok()).count()
}

/// Reads records: the first may name the columns.
fn read_table(table: &[RawRow]) -> Result<Vec<PurchaseRow>, Problem> {
    let columns = Columns::of(table)?;
    let rows = if columns.has_header { table.get(1..).unwrap_or_default() } else { table };
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return Err(too_many());
    }
    Ok(rows.iter().map(|row| columns.read(row)).collect())
}

impl Columns {
    fn read(&self, row: &RawRow) -> PurchaseRow {
        let doubtful = |place: &usize| row.doubts.iter().find(|(column, _)| column == place);
        if let Some((_, reason)) = self.roles.keys().find_map(doubtful) {
            let refusal = RowRefusal::new("row.cell_doubtful", *reason);
            return PurchaseRow { number: row.number, asked: Err(refusal) };
        }
        if let Some(most) = self.most_cells
            && row.cells.iter().filter(|cell| !cell.is_empty()).count() > most
        {
            let detail = "the row has more cells than a product, a quantity and a packaging";
            let refusal = RowRefusal::new("row.cells_ambiguous", detail);
            return PurchaseRow { number: row.number, asked: Err(refusal) };
        }
        let mut request = RowRequest::default();
        for (&place, role) in &self.roles {
            let Some(cell) = row.cells.get(place).filter(|cell| !cell.is_empty()) else { continue };
            let field = match role {
                Role::Sku => &mut request.sku,
                Role::Gtin => &mut request.gtin,
                Role::Code => &mut request.code,
                Role::Identifier => &mut request.identifier,
                Role::Quantity => &mut request.quantity,
                Role::Packaging => &mut request.packaging,
                Role::Note => &mut request.note,
            };
            field.get_or_insert_with(|| cell.clone());
        }
        one_name(&mut request);
        PurchaseRow::read(row.number, &request)
    }
}

/// A sheet may have several columns that name the product, such as the SKU and the bar code: the
/// first that says something counts.
fn one_name(request: &mut RowRequest) {
    let RowRequest { sku, gtin, code, identifier, .. } = request;
    let mut named = false;
    for name in [sku, code, gtin, identifier] {
        if named {
            *name = None;
        }
        named |= name.is_some();
    }
}

#[cfg(test)]
mod tests;
