//! How a domain error presents itself at the edge: a stable code and whose fault it is.

/// Whether asking again later could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The command can never succeed as it stands (HTTP 422).
    Invalid,
    /// The command does not fit the present state (HTTP 409).
    State,
    /// The thing named does not exist (HTTP 404).
    Missing,
}

/// An error that names the broken rule.
pub trait Refusal: std::error::Error {
    /// Stable, lower-case, `aggregate.rule`; clients match on it.
    fn code(&self) -> &'static str;

    /// How the edge answers it.
    fn kind(&self) -> RefusalKind;
}
