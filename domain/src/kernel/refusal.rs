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

/// Gives every variant of an error its code and its kind. The list is exhaustive, so a new variant fails
/// to compile until it has both.
///
/// ```text
/// refusals!(Error, {
///     AlreadyPlaced => ("order.already_placed", State),
///     // As the error that it carries says.
///     Approval => (inner),
///     // The code of the error that it carries.
///     Money => (inner, Invalid),
/// });
/// ```
macro_rules! refusals {
    ($error:ident, {}) => {
        impl $crate::kernel::Refusal for $error {
            fn code(&self) -> &'static str {
                match *self {}
            }

            fn kind(&self) -> $crate::kernel::RefusalKind {
                match *self {}
            }
        }
    };
    ($error:ident, { $($variant:ident => $answer:tt),+ $(,)? }) => {
        impl $crate::kernel::Refusal for $error {
            fn code(&self) -> &'static str {
                match self {
                    $(refusals!(@coded $variant $answer inner) => refusals!(@code $answer inner)),+
                }
            }

            fn kind(&self) -> $crate::kernel::RefusalKind {
                match self {
                    $(refusals!(@kept $variant $answer inner) => refusals!(@kind $answer inner)),+
                }
            }
        }
    };
    (@coded $variant:ident ($code:literal, $kind:ident) $inner:ident) => { Self::$variant { .. } };
    (@coded $variant:ident $answer:tt $inner:ident) => { Self::$variant($inner) };
    (@code ($code:literal, $kind:ident) $inner:ident) => { $code };
    (@code $answer:tt $inner:ident) => { $inner.code() };
    (@kept $variant:ident (inner) $inner:ident) => { Self::$variant($inner) };
    (@kept $variant:ident $answer:tt $inner:ident) => { Self::$variant { .. } };
    (@kind (inner) $inner:ident) => { $inner.kind() };
    (@kind ($code:tt, $kind:ident) $inner:ident) => { $crate::kernel::RefusalKind::$kind };
}

pub(crate) use refusals;
