//! Imports of parties.

pub(crate) mod companies;
