//! An employee's keys open what the employee's role opens, and nothing once they have left.

use crate::parties::{Role, employee};

/// What becomes of an employee's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They open what this role opens.
    Open(Role),
    /// They open nothing.
    Revoked,
}

/// What follows from an event of an employee, if anything does.
pub fn react(event: &employee::Event) -> Option<Keys> {
    match event {
        employee::Event::RoleAssigned { role } => Some(Keys::Open(*role)),
        employee::Event::Left {} => Some(Keys::Revoked),
        employee::Event::Engaged { .. }
        | employee::Event::ProfileNoted { .. }
        | employee::Event::LimitGranted { .. }
        | employee::Event::LimitLifted { .. }
        | employee::Event::DiscountLimited { .. }
        | employee::Event::Restricted { .. }
        | employee::Event::SubstituteNamed { .. }
        | employee::Event::SubstituteDismissed {} => None,
    }
}
