//! The language and the rules of B2B trade: pure, no I/O, no clock.
