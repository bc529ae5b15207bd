//! Imports: the rows of a sheet, decided one after the other and recorded in one append.

pub(crate) mod assortments;
mod cells;
pub(crate) mod companies;
pub(crate) mod prices;
pub(crate) mod product_codes;
pub(crate) mod products;
pub(crate) mod stock;

use std::sync::Arc;

use axum::http::StatusCode;
use domain::{Claim, CompanyId, ProductId, Reference, Sku, claim};
use event_log::Work;
use futures::{FutureExt, future::BoxFuture};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{problem::Problem, sheet::Sheet, upload::Upload};

pub(crate) use self::cells::{Cells, Column};
use crate::{
    Services,
    caller::Caller,
    failure::{Failure, problem},
};

/// A row of an import, as it was read.
pub(crate) trait Import: Send + Sync + Sized + 'static {
    /// What its sheet says.
    const COLUMNS: &'static [Column];

    /// Reads a row; what is wrong with it is noted in `cells`.
    fn read(cells: &mut Cells<'_>) -> Option<Self>;

    /// Loads what the rows need, with a few queries for all of them.
    fn load(
        work: &mut Work,
        rows: &[(u32, Self)],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Lets the row's commands be decided upon.
    fn decide(&self, work: &mut Work) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How an import is to go.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// What becomes of the good rows when others are bad.
    #[serde(default)]
    mode: Mode,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// What becomes of the good rows when others are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportMode")]
enum Mode {
    /// One bad row, and nothing is recorded.
    #[default]
    AllOrNothing,
    /// They are recorded without the bad ones.
    SkipBad,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "ImportReport")]
pub(crate) struct Report {
    /// How many rows there are, blank ones not counted.
    rows: usize,
    /// How many changed something.
    changed: usize,
    /// How many say what is so already.
    unchanged: usize,
    /// How many were refused.
    refused: usize,
    /// Why: the first thousand reasons, in the order of rows.
    errors: Vec<RowError>,
    /// Whether nothing was recorded because nothing was to be.
    dry_run: bool,
    /// A query with `wait_for` this position shows what the import did; missing when nothing was
    /// recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// Whether it had been done before under this Idempotency-Key; then only the position is told.
    repeated: bool,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ImportRowError")]
pub(crate) struct RowError {
    /// Its number in the file, the header being 1.
    row: u32,
    /// The column to blame, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'static str>,
    /// What it says there.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The stable code.
    code: String,
    /// What is wrong, in words.
    detail: String,
}

/// The rows that could be read, with their numbers, and what was wrong with the others.
struct Rows<R> {
    good: Vec<(u32, R)>,
    report: Report,
}

/// Carries an import out, or says what it would do.
pub(crate) async fn run<R: Import>(
    services: &Services,
    caller: &Caller,
    Upload { sheet, digest }: Upload,
    wish: Wish,
) -> Result<Report, Problem> {
    let rows: Arc<Rows<R>> = Arc::new(read(&sheet)?);
    if wish.dry_run {
        let rehearsed = services.log.rehearse(|work| decided(&rows, work, wish));
        return Ok(Report { dry_run: true, ..rehearsed.await.map_err(problem)? });
    }
    let envelope = caller.envelope(digest);
    let executed = services.log.execute(&envelope, |work| decided(&rows, work, wish));
    let executed = executed.await.map_err(problem)?;
    let position = Some(executed.outcome.position.0);
    Ok(match executed.value {
        Some(report) => Report { position: position.filter(|_| report.changed > 0), ..report },
        None => Report { position, repeated: true, ..Report::default() },
    })
}

fn decided<'w, R: Import>(
    rows: &Arc<Rows<R>>,
    work: &'w mut Work,
    wish: Wish,
) -> BoxFuture<'w, Result<Report, Failure>> {
    let rows = rows.clone();
    async move { rows.decide(work, wish).await }.boxed()
}

fn read<R: Import>(sheet: &Sheet) -> Result<Rows<R>, Problem> {
    let columns = cells::find(&sheet.header, R::COLUMNS)?;
    let mut report = Report { rows: sheet.rows.len(), ..Report::default() };
    let mut good = Vec::with_capacity(sheet.rows.len());
    for row in &sheet.rows {
        let mut cells = Cells::new(&columns, row);
        let record = R::read(&mut cells);
        match (record, cells.into_errors()) {
            (Some(record), errors) if errors.is_empty() => good.push((row.number, record)),
            (_, errors) => report.refuse(errors),
        }
    }
    Ok(Rows { good, report })
}

impl<R: Import> Rows<R> {
    async fn decide(&self, work: &mut Work, wish: Wish) -> Result<Report, Failure> {
        let mut report = self.report.clone();
        R::load(work, &self.good).await?;
        for (number, row) in &self.good {
            let before = work.events();
            work.mark();
            match row.decide(work).await {
                Ok(()) if work.events() > before => report.changed += 1,
                Ok(()) => report.unchanged += 1,
                Err(Failure::Refused(problem)) => {
                    work.roll_back();
                    report.refuse(vec![RowError::of(*number, &problem)]);
                }
                Err(failure @ Failure::Log(_)) => return Err(failure),
            }
        }
        report.errors.sort_by_key(|error| error.row);
        if report.refused > 0 && wish.mode == Mode::AllOrNothing && !wish.dry_run {
            return Err(report.into_problem().into());
        }
        Ok(report)
    }
}

impl Report {
    /// As many reasons as anybody looks through.
    const MOST_ERRORS: usize = 1_000;

    /// Counts a row as refused.
    fn refuse(&mut self, errors: Vec<RowError>) {
        self.refused += 1;
        let room = Self::MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    fn into_problem(self) -> Problem {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.rows_refused").detail(
            format!("{} of {} rows are bad; nothing was recorded", self.refused, self.rows),
        );
        self.errors.iter().fold(problem, |problem, error| problem.field(error.field()))
    }
}

/// The product of a code, once its claim is loaded.
fn product_of(work: &Work, sku: &Sku) -> Result<ProductId, Failure> {
    let claim = work.get::<Claim>(claim::Value::Sku(sku.clone()).id().0);
    let missing = || refused("import.product_missing", "there is no such product");
    claim.and_then(Claim::holder).map(ProductId).ok_or_else(missing)
}

/// The company of a number of the seller's, once its claim is loaded.
fn company_of(work: &Work, reference: &Reference) -> Result<CompanyId, Failure> {
    let claim = work.get::<Claim>(claim::Value::CompanyReference(reference.clone()).id().0);
    let missing = || refused("import.company_missing", "there is no such company");
    claim.and_then(Claim::holder).map(CompanyId).ok_or_else(missing)
}

/// A row that names what is not there, or cannot be.
fn refused(code: &'static str, detail: &'static str) -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code).detail(detail).into()
}
