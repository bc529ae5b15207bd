//! The duration of fault tests: short in `make test`, long in `make torture`.

use std::{cell::Cell, sync::OnceLock};

use rand::{SeedableRng, rngs::StdRng};

/// How often a fault is repeated: `short` times, or `long` times in `make torture`, which sets
/// `KONTOR_TORTURE`.
pub fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// Whether this is `make torture`.
pub fn is_long() -> bool {
    std::env::var_os("KONTOR_TORTURE").is_some()
}

/// Chance, each time another one, from the seed of this run: a new one, or that of
/// `KONTOR_TORTURE_SEED`. It decides what happens and how much of the load goes by before; the
/// machine decides the rest, so a seed makes a failure likely to come again, not certain.
pub fn chance() -> StdRng {
    static SEED: OnceLock<u64> = OnceLock::new();
    // Each test has a thread of its own.
    thread_local!(static ASKED: Cell<u64> = const { Cell::new(0) });
    let seed = SEED.get_or_init(|| {
        let given = std::env::var("KONTOR_TORTURE_SEED").ok();
        let seed = given.map_or_else(rand::random, |seed| seed.parse().unwrap());
        eprintln!("KONTOR_TORTURE_SEED={seed}");
        seed
    });
    let asked = ASKED.replace(ASKED.get() + 1);
    StdRng::seed_from_u64(seed.wrapping_add(asked))
}
