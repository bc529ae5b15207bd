//! Faults, and that after each of them history is sound: nothing is lost and nothing done twice.
//!
//! Every test here throws one kind of fault at instances under load, and ends with
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
