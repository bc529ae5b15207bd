//! The definition of a read model: its name, its tables, and the changes of every event.

use domain::Event;
use event_log::RecordedEvent;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// A read model. Its SQL names tables without a schema, so that the same statements fill the live
/// tables and a new generation beside them.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    /// Its name, also of its main table.
    pub name: &'static str,
    /// `CREATE TABLE` statements.
    pub schema: &'static str,
    /// The names of its tables.
    pub tables: &'static [&'static str],
    /// The kinds of aggregates whose events concern it; it never looks at others, so an event that
    /// this build cannot read stops only those that would need it.
    pub reads: &'static [&'static str],
    /// The key of what is left out when an event cannot be applied: that event and all later ones of the
    /// same key, while all others go on. `None` where the rows of others would be wrong without it: then
    /// the read model stops before the event. It looks at nothing but the envelope, since the payload may
    /// be what cannot be read. See [`crate::aside`].
    pub aside: fn(&RecordedEvent) -> Option<Uuid>,
    /// The changes of an event. A function of the event alone.
    pub apply: fn(&RecordedEvent, &Event) -> Vec<Change>,
    /// A digest of all sources that determine the changes; see [`crate::build`].
    pub build: u64,
}

impl Projection {
    /// The digest as it is stored beside the rows.
    pub(crate) fn bytes_of_build(&self) -> [u8; 8] {
        self.build.to_be_bytes()
    }
}

/// A parameter of a statement.
pub type Parameter = Box<dyn ToSql + Sync + Send>;

/// A statement with its parameters.
pub struct Change {
    pub(crate) sql: &'static str,
    pub(crate) parameters: Vec<Parameter>,
}

impl Change {
    /// A statement to execute.
    pub fn new(sql: &'static str, parameters: Vec<Parameter>) -> Self {
        Self { sql, parameters }
    }
}

/// `change!(SQL, a, b)`: a [`Change`] that owns its parameters.
macro_rules! change {
    ($sql:expr $(, $parameter:expr)* $(,)?) => {
        $crate::projection::Change::new($sql, vec![$(Box::new($parameter)),*])
    };
}

pub(crate) use change;
