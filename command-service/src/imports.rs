//! Imports: the rows of a sheet are decided one after the other and appended in slices.
//!
//! A slice is one append, small enough not to delay other commands much, and one command: an
//! interrupted import that is sent again with its `Idempotency-Key` continues after the recorded
//! slices. If one bad row must prevent all others from being recorded, all rows are rehearsed
//! first.

pub(crate) mod catalogue;
mod cells;
pub(crate) mod inventory;
pub(crate) mod parties;
pub(crate) mod pricing;
pub(crate) mod sales;

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use axum::http::StatusCode;
use domain::{Claim, CompanyId, ProductId, Reference, Sku, claim};
use event_log::{Envelope, EventLog, ExecuteError, Executed, Work};
use futures::FutureExt;
use projections::Views;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_kit::{
    concurrency::ConcurrencyLimit,
    problem::Problem,
    sheet::Sheet,
    upload::{Upload, Uploaded},
};
use tracing::Instrument;
use uuid::Uuid;

pub(crate) use self::cells::{Cells, Column};
use crate::{
    Services,
    caller::Caller,
    failure::{Failure, problem},
};

/// A row of an import.
pub(crate) trait Import: Send + Sync + Sized + 'static {
    /// The values of the row.
    const COLUMNS: &'static [Column];

    /// Reads a row; errors are recorded in `cells`.
    fn read(cells: &mut Cells<'_>) -> Option<Self>;

    /// Loads the aggregates that the rows need, with a constant number of queries.
    fn load(
        work: &mut Work,
        rows: &[(u32, Self)],
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Decides the commands of a row.
    fn decide(&self, work: &mut Work) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The options of an import.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportOptions {
    /// Whether valid rows are recorded when others are invalid.
    #[serde(default)]
    mode: Mode,
    /// Report what would happen, and record nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Whether valid rows are recorded when others are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportMode")]
enum Mode {
    /// One invalid row, and nothing is recorded.
    #[default]
    AllOrNothing,
    /// Valid rows are recorded, invalid ones are not.
    SkipBad,
}

/// The result of an import or of a dry run.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(rename = "ImportReport")]
pub(crate) struct Report {
    /// The number of rows, without blank ones.
    rows: usize,
    /// The number of rows that changed something.
    changed: usize,
    /// The number of rows that changed nothing.
    unchanged: usize,
    /// The number of refused rows.
    refused: usize,
    /// The first 1,000 reasons, in the order of rows.
    errors: Vec<RowError>,
    /// Whether this was a dry run.
    dry_run: bool,
    /// A query with `wait_for` this position includes the effects of the import; missing if nothing
    /// was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    /// The number of readable rows that an earlier, interrupted request with this Idempotency-Key
    /// has recorded; the other counts do not include them.
    #[serde(skip_serializing_if = "is_none")]
    recorded_before: usize,
    /// Whether the import had been completed before with this Idempotency-Key; then only the
    /// position is reported.
    repeated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ImportRowError")]
pub(crate) struct RowError {
    /// Its number in the file; the header has number 1.
    row: u32,
    /// The column with the error, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'static str>,
    /// The value of the cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The stable code.
    code: String,
    /// The error message.
    detail: String,
}

/// The readable rows with their numbers, and the errors of the others.
struct Rows<R> {
    good: Vec<(u32, R)>,
    report: Report,
}

/// The limit of concurrent imports: in total, and one per key.
static LIMIT: LazyLock<ConcurrencyLimit> = LazyLock::new(|| ConcurrencyLimit::new("import", 2));

/// The number of rows per append: each append delays other commands by some milliseconds. The
/// command id of a slice derives from its rows, so after a change of this number, an import that an
/// older build has left incomplete starts again.
const SLICE: usize = 100;
/// The number of rows that are decided before the task yields.
const STEP: usize = 16;

/// The namespace of the command ids of later slices: a random constant.
const SLICES: Uuid = Uuid::from_u128(0x0d0e_71f5_a2a9_4c55_9f3e_6f1a_83b7_c9d4);

/// Executes an import, or a dry run.
pub(crate) async fn run<R: Import>(
    services: &Services,
    caller: &Caller,
    upload: Upload,
    options: ImportOptions,
) -> Result<Report, Problem> {
    let place = LIMIT.take(caller.key_id()).await?;
    let Uploaded { sheet, digest } = upload.read(&place).await?;
    let read = place.beside(move || read::<R>(&sheet)).await;
    let Rows { good, report } = read.map_err(|panicked| Problem::internal(&panicked))??;
    let (log, envelope) = (services.log.clone(), caller.envelope(digest));
    let views = services.views.clone();
    let import = Importing { log, views, envelope, options, rows: good.into(), read: report };
    // Continues to the end of the slice even if the client disconnects.
    let carried_out = tokio::spawn(
        async move {
            let _place = place;
            import.carry_out().await
        }
        .in_current_span(),
    );
    carried_out.await.map_err(|panicked| Problem::internal(&panicked))?
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

/// An import in progress.
struct Importing<R> {
    log: EventLog,
    views: Views,
    envelope: Envelope,
    options: ImportOptions,
    /// The readable rows with their numbers.
    rows: Arc<[(u32, R)]>,
    /// The number of rows, and the errors of those that could not be read.
    read: Report,
}

impl<R: Import> Importing<R> {
    async fn carry_out(self) -> Result<Report, Problem> {
        if self.options.dry_run {
            return Ok(Report { dry_run: true, ..self.rehearse(0).await?.sorted() });
        }
        let slices = self.slices();
        let (count, mut done) = (slices.len(), 0);
        while done < count && self.is_recorded(&slices[done]).await? {
            done += 1;
        }
        let rest = slices.get(done).map_or(self.rows.len(), |slice| slice.start);
        // A single append needs no rehearsal: it is recorded as a whole or not at all.
        if count - done > 1 && self.options.mode == Mode::AllOrNothing {
            let rehearsed = self.rehearse(rest).await?.sorted();
            if rehearsed.refused > 0 {
                return Err(self.refusal(rehearsed, rest));
            }
        }
        let mut report = Report { recorded_before: rest, ..self.read.clone() };
        let mut last = None;
        for slice in slices {
            let (start, rows, is_repeated) = (slice.start, slice.len(), slice.start < rest);
            let executed = self.record(slice).await.map_err(|error| match error {
                ExecuteError::Refused(Stopped::Refused(report)) => self.refusal(*report, start),
                error => problem(error),
            })?;
            let position = executed.outcome.position.0;
            match executed.value {
                Some(slice) => {
                    if slice.changed > 0 {
                        last = last.max(Some(position));
                    }
                    report.add(slice);
                }
                None => {
                    last = last.max(Some(position));
                    // The same request, sent to another process too, has recorded the slice in the
                    // meantime.
                    report.recorded_before += if is_repeated { 0 } else { rows };
                }
            }
        }
        if done == count {
            return Ok(Report { position: last, repeated: true, ..Report::default() });
        }
        Ok(Report { position: last, ..report.sorted() })
    }

    /// The slices of rows; at least one, so that the outcome of an empty import is stored too.
    fn slices(&self) -> Vec<Range<usize>> {
        let count = self.rows.len();
        let starts = (0..count.max(1)).step_by(SLICE);
        starts.map(|start| start..(start + SLICE).min(count)).collect()
    }

    /// The command of a slice; the first has the id of the request.
    fn envelope(&self, slice: &Range<usize>) -> Envelope {
        let whole = self.envelope.command_id;
        let command_id = match slice.start {
            0 => whole,
            start => Uuid::new_v5(&SLICES, format!("{whole} {start}..{}", slice.end).as_bytes()),
        };
        Envelope { command_id, ..self.envelope.clone() }
    }

    async fn is_recorded(&self, slice: &Range<usize>) -> Result<bool, Problem> {
        if self.envelope.remember.is_none() {
            return Ok(false);
        }
        let outcome = self.log.outcome(self.envelope(slice).command_id).await;
        Ok(outcome.map_err(Failure::from)?.is_some())
    }

    /// Rehearses all rows from a row on.
    async fn rehearse(&self, from: usize) -> Result<Report, Problem> {
        let (rows, read, views) = (self.rows.clone(), self.read.clone(), self.views.clone());
        let rehearsed = self.log.rehearse(|work| {
            let (rows, mut report, views) = (rows.clone(), read.clone(), views.clone());
            async move {
                work.lend(views);
                work.in_parts();
                for slice in rows[from..].chunks(SLICE) {
                    report.add(decide(slice, work).await?);
                }
                Ok::<_, Failure>(report)
            }
            .boxed()
        });
        rehearsed.await.map_err(problem)
    }

    async fn record(&self, slice: Range<usize>) -> Result<Executed<Report>, ExecuteError<Stopped>> {
        let envelope = self.envelope(&slice);
        let whole = self.options.mode == Mode::AllOrNothing;
        let (rows, read, views) = (self.rows.clone(), self.read.clone(), self.views.clone());
        let execute = self.log.execute(&envelope, |work| {
            let (rows, slice, mut all) = (rows.clone(), slice.clone(), read.clone());
            let views = views.clone();
            async move {
                work.lend(views);
                let report = decide(&rows[slice], work).await.map_err(Stopped::Failed)?;
                if whole && all.refused + report.refused > 0 {
                    all.add(report);
                    return Err(Stopped::Refused(Box::new(all.sorted())));
                }
                Ok(report)
            }
            .boxed()
        });
        execute.await
    }

    /// The reasons why rows from a row on were not recorded.
    fn refusal(&self, report: Report, from: usize) -> Problem {
        match from.checked_sub(1).and_then(|last| self.rows.get(last)) {
            Some((number, _)) => report.into_stop(*number),
            None => report.into_problem(),
        }
    }
}

/// Why a slice was not recorded.
enum Stopped {
    /// A row is invalid, and the import is all or nothing.
    Refused(Box<Report>),
    Failed(Failure),
}

impl From<Stopped> for Problem {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Refused(report) => report.into_problem(),
            Stopped::Failed(failure) => failure.into(),
        }
    }
}

/// Decides rows one after the other.
async fn decide<R: Import>(rows: &[(u32, R)], work: &mut Work) -> Result<Report, Failure> {
    let mut report = Report::default();
    R::load(work, rows).await?;
    for (index, (number, row)) in rows.iter().enumerate() {
        if index % STEP == 0 {
            tokio::task::yield_now().await;
        }
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
    Ok(report)
}

impl Report {
    /// The maximum number of reported reasons.
    const MOST_ERRORS: usize = 1_000;

    /// Counts a refused row.
    fn refuse(&mut self, errors: Vec<RowError>) {
        self.refused += 1;
        let room = Self::MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Adds the result of further rows.
    fn add(&mut self, more: Self) {
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.refused += more.refused;
        let room = Self::MOST_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(more.errors.into_iter().take(room));
    }

    fn sorted(mut self) -> Self {
        self.errors.sort_by_key(|error| error.row);
        self
    }

    fn into_problem(self) -> Problem {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import.rows_refused");
        let detail =
            format!("{} of {} rows are invalid; nothing was recorded", self.refused, self.rows);
        self.explained(problem.detail(detail))
    }

    /// The facts have changed since the rehearsal.
    fn into_stop(self, recorded_up_to: u32) -> Problem {
        let problem = Problem::new(StatusCode::CONFLICT, "import.stopped");
        let detail = format!(
            "the rows up to {recorded_up_to} are recorded, none after them: {} are invalid; send the \
             same file again under the same Idempotency-Key to go on there",
            self.refused
        );
        self.explained(problem.detail(detail))
    }

    fn explained(&self, problem: Problem) -> Problem {
        self.errors.iter().fold(problem, |problem, error| problem.field(error.field()))
    }
}

/// The product of a SKU, once its claim is loaded.
fn product_of(work: &Work, sku: &Sku) -> Result<ProductId, Failure> {
    let claim = work.get::<Claim>(claim::Value::Sku(sku.clone()).id().0);
    let missing = || refused("import.product_missing", "no product has this SKU");
    claim.and_then(Claim::holder).map(ProductId).ok_or_else(missing)
}

/// The company of a reference, once its claim is loaded.
fn company_of(work: &Work, reference: &Reference) -> Result<CompanyId, Failure> {
    let claim = work.get::<Claim>(claim::Value::CompanyReference(reference.clone()).id().0);
    let missing = || refused("import.company_missing", "no company has this reference");
    claim.and_then(Claim::holder).map(CompanyId).ok_or_else(missing)
}

/// A row that names something missing or contains an invalid value.
fn refused(code: &'static str, detail: &'static str) -> Failure {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code).detail(detail).into()
}
