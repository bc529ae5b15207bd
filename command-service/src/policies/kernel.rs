//! Policies that change kernel.

pub(crate) mod claim_holds_normal_form;
