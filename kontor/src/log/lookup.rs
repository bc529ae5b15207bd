//! What is looked for in history, as the command line says it.

use anyhow::Context;
use event_log::Lookup;
use jiff::{Timestamp, civil::DateTime};
use service_kit::clock::Clock;
use uuid::Uuid;

/// Which events are wanted.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct EventFilter {
    /// Of this stream: an id, or a kind and an id such as `offer/0192…`.
    #[arg(long, value_parser = Stream::parse)]
    stream: Option<Stream>,
    /// Of this kind of aggregate, such as `offer`.
    #[arg(long)]
    aggregate: Option<String>,
    /// Of this type, such as `offer.sent`; may be given more than once.
    #[arg(long = "type")]
    types: Vec<String>,
    /// Of this company's history.
    #[arg(long)]
    company: Option<Uuid>,
    /// Set off by the request with this correlation id.
    #[arg(long)]
    correlation: Option<Uuid>,
    /// Done by this command.
    #[arg(long)]
    command: Option<Uuid>,
    /// What policies made of the event with this id.
    #[arg(long)]
    causation: Option<Uuid>,
    /// Recorded at this time or later: `2026-10-01`, `2026-10-01T12:00` (in Warsaw), or with an
    /// offset or `Z`.
    #[arg(long, value_parser = instant)]
    since: Option<Timestamp>,
    /// Recorded before this time.
    #[arg(long, value_parser = instant)]
    until: Option<Timestamp>,
}

/// A stream's name.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Its kind, if it was said.
    pub(crate) kind: Option<String>,
    /// Its id.
    pub(crate) id: Uuid,
}

impl Stream {
    /// Reads `0192…` or `offer/0192…`.
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

/// An instant, or a time as the clocks in Warsaw show it; a bare day is its midnight.
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
