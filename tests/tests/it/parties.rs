//! Tests of the parties context.

mod company_hierarchy;
mod territories;
