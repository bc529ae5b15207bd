//! What the log tells about itself, and what each figure means.

#![allow(clippy::cast_precision_loss, reason = "metrics are floats and need not be exact")]

use metrics::gauge;
use service_kit::metric::Metric;

use crate::EventLog;

/// Every metric of the log, its relay and its memory.
pub const METRICS: &[Metric] = &[
    Metric::counter("kontor_append_events_total", "events that were written"),
    Metric::counter("kontor_append_conflicts_total", "appends refused since a stream moved on"),
    Metric::counter("kontor_append_careful_batches_total", "batches written under the head lock"),
    Metric::counter("kontor_append_connections_lost_total", "connections that the writer lost"),
    Metric::counter("kontor_append_panics_total", "batches lost to a bug in the writer"),
    Metric::gauge("kontor_append_queue_depth", "appends that wait for the next batch"),
    Metric::histogram("kontor_append_seconds", "from asking for an append to its answer"),
    Metric::histogram("kontor_append_batch_seconds", "from a batch's start to its commit"),
    Metric::histogram("kontor_append_batch_commands", "appends in one transaction"),
    Metric::gauge("kontor_log_head_position", "the newest position that this process wrote"),
    Metric::counter("kontor_command_retries_total", "decisions made again on fresh facts"),
    Metric::counter("kontor_command_conflicts_total", "commands given up after all retries"),
    Metric::counter("kontor_aggregate_cache_hits_total", "aggregates found in memory"),
    Metric::counter("kontor_aggregate_cache_misses_total", "aggregates read from the log"),
    Metric::gauge("kontor_aggregate_cache_bytes", "what aggregates in memory take up"),
    Metric::gauge("kontor_aggregate_cache_entries", "aggregates in memory"),
    Metric::labelled("kontor_snapshots_total", "snapshots by outcome: stored or lost"),
    Metric::counter("kontor_directory_entries_total", "events entered into the directory"),
    Metric::gauge("kontor_directory_position", "the last position in the directory"),
    Metric::gauge("kontor_relay_published_position", "the last position in the stream"),
    Metric::gauge("kontor_relay_lag_events", "events written but not published"),
    Metric::histogram("kontor_relay_lag_seconds", "from an event's commit to its publication"),
    Metric::histogram("kontor_relay_batch_messages", "messages in one atomic batch"),
    Metric::counter("kontor_relay_batches_total", "atomic batches that were stored"),
    Metric::counter("kontor_relay_reconnects_total", "times the relay had to look again"),
    Metric::gauge("kontor_relay_halted", "1 while the stream is not this history"),
    Metric::gauge("kontor_log_behind_stream", "1 while the log has lost its end: no commands"),
    Metric::gauge("kontor_stream_first_sequence", "the first sequence in the stream"),
    Metric::gauge("kontor_stream_last_sequence", "the last sequence in the stream"),
    Metric::gauge("kontor_stream_holes", "sequences missing between first and last"),
];

impl EventLog {
    /// Brings the gauges of memory up to date; to be called when metrics are asked for.
    pub fn measure(&self) {
        let (entries, bytes) = self.cache().size();
        gauge!("kontor_aggregate_cache_entries").set(entries as f64);
        gauge!("kontor_aggregate_cache_bytes").set(bytes as f64);
    }
}
