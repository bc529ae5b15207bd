//! Filters of events on the command line.

use anyhow::Context;
use event_log::Lookup;
use jiff::{Timestamp, civil::DateTime};
use service_kit::clock::Clock;
use uuid::Uuid;

/// Which events to print.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct EventFilter {
    /// Only this stream: an id, or a type and an id such as `offer/0192…`.
    #[arg(long, value_parser = Stream::parse)]
    stream: Option<Stream>,
    /// Only this type of aggregate, such as `offer`.
    #[arg(long)]
    aggregate: Option<String>,
    /// Only this event type, such as `offer.sent`; may be repeated.
    #[arg(long = "type")]
    types: Vec<String>,
    /// Only this company.
    #[arg(long)]
    company: Option<Uuid>,
    /// Only this correlation id.
    #[arg(long)]
    correlation: Option<Uuid>,
    /// Only this command.
    #[arg(long)]
    command: Option<Uuid>,
    /// Only events that policies caused in reaction to the event with this id.
    #[arg(long)]
    causation: Option<Uuid>,
    /// Only events recorded at this time or later: `2026-10-01`, `2026-10-01T12:00` (in Warsaw), or
    /// with an offset or `Z`.
    #[arg(long, value_parser = instant)]
    since: Option<Timestamp>,
    /// Only events recorded before this time.
    #[arg(long, value_parser = instant)]
    until: Option<Timestamp>,
}

/// The name of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Its aggregate type, if given.
    pub(crate) kind: Option<String>,
    /// Its id.
    pub(crate) id: Uuid,
}

impl Stream {
    /// Parses `0192…` or `offer/0192…`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let (kind, id) = match text.split_once('/') {
            Some((kind, id)) => (Some(kind.to_owned()), id),
            None => (None, text),
        };
        let id = id.parse().with_context(|| format!("{id:?} is no id: a UUID is needed"))?;
        Ok(Self { kind, id })
    }
}

impl EventFilter {
    pub(crate) fn lookup(self) -> Lookup {
        let (kind, stream_id) = self.stream.map_or((None, None), |s| (s.kind, Some(s.id)));
        Lookup {
            stream_id,
            stream_type: kind.or(self.aggregate),
            event_types: self.types,
            company_id: self.company,
            correlation_id: self.correlation,
            command_id: self.command,
            causation_id: self.causation,
            since: self.since,
            until: self.until,
            disclosed: false,
        }
    }
}

/// A time with offset, or a local time in Warsaw; a day means its midnight.
pub(crate) fn instant(text: &str) -> anyhow::Result<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let time: DateTime =
        text.parse().context("a time looks like 2026-10-01T12:00 or 2026-10-01T12:00:00Z")?;
    Ok(time.in_tz(Clock::WARSAW)?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_warsaw_unless_they_say_otherwise() {
        let check = |text: &str, then: &str| assert_eq!(instant(text).unwrap().to_string(), then);
        check("2026-10-01T12:00", "2026-10-01T10:00:00Z");
        check("2026-12-01T12:00", "2026-12-01T11:00:00Z");
        check("2026-10-01", "2026-09-30T22:00:00Z");
        check("2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z");
        check("2026-10-01T12:00:00+05:00", "2026-10-01T07:00:00Z");
        assert!(instant("yesterday").is_err());
    }

    #[test]
    fn a_stream_may_say_its_kind() {
        let id = "01920000-0000-7000-8000-000000000001";
        assert_eq!(Stream::parse(id).unwrap().kind, None);
        assert_eq!(Stream::parse(&format!("offer/{id}")).unwrap().kind.unwrap(), "offer");
        assert!(Stream::parse("offer/1").is_err());
    }
}
