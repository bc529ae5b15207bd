//! Fault tests: after each fault nothing is lost and nothing is executed twice.
//!
//! Every test injects one kind of fault into instances under load, and ends with
//! [`sound::check_sound`]. Short in `make test`, long in `make torture`.

mod clock;
mod cuts;
mod disks;
mod kills;
mod load;
mod pauses;
mod poison;
pub(crate) mod site;
pub(crate) mod sound;
mod stream;
