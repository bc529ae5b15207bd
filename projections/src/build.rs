//! Which build a read model is of: a digest of the sources that say what events change in it, made
//! by the build script. Rows of another build are not touched; see [`crate::State::OtherBuild`].
//!
//! It covers the view's own sources, what all views share, and `domain`, whose rules and types the
//! views use: after a change of `domain` every read model is rebuilt once, after a change of one view
//! that view alone.

pub(crate) use self::made::*;

#[allow(clippy::unreadable_literal, reason = "the build script writes it, nobody reads it")]
mod made {
    use super::of;

    include!(concat!(env!("OUT_DIR"), "/builds.rs"));
}

const fn of(own: u64) -> u64 {
    /// FNV-1a's.
    const PRIME: u64 = 0x0100_0000_01b3;
    let digest = (own ^ SHARED).wrapping_mul(PRIME);
    (digest ^ domain::aggregate::RULES).wrapping_mul(PRIME)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::views;

    #[test]
    fn every_read_model_names_the_digest_of_its_own_sources() {
        let builds: BTreeSet<u64> = views::ALL.iter().map(|view| view.build).collect();
        assert_eq!(builds.len(), views::ALL.len(), "two read models name the same digest");
    }
}
