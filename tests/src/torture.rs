//! How long faults are thrown: shortly in `make test`, for long in `make torture`.

use std::sync::OnceLock;

use rand::{SeedableRng, rngs::StdRng};

/// How often a fault is repeated: `short` times, or `long` times in `make torture`, which sets
/// `KONTOR_TORTURE`.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("KONTOR_TORTURE").is_some() { long } else { short }
}

/// Chance, from the seed of this run: a new one, or that of `KONTOR_TORTURE_SEED`. It decides what
/// happens and how much of the load goes by before; the machine decides the rest, so a seed makes
/// a failure likely to come again, not certain.
pub fn chance() -> StdRng {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = SEED.get_or_init(|| {
        let given = std::env::var("KONTOR_TORTURE_SEED").ok();
        let seed = given.map_or_else(rand::random, |seed| seed.parse().unwrap());
        eprintln!("KONTOR_TORTURE_SEED={seed}");
        seed
    });
    StdRng::seed_from_u64(*seed)
}
