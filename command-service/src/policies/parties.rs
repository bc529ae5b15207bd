//! Policies that change parties.

pub(crate) mod employee_keeps_keys;
