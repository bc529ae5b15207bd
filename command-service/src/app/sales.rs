//! Use cases of sales.

pub(crate) mod approvals;
pub(crate) mod lines;
pub(crate) mod negotiating;
pub(crate) mod offering;
pub(crate) mod ordering;
pub(crate) mod quotation_lines;
