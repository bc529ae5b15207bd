//! An assortment: the products that an audience sees. Any other product does not exist for it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    kernel::{
        AssortmentId, CategoryId, CompanyId, OfCompany, ProductId, Selection, aggregate::aggregate,
        refusal::refusals,
    },
    parties::Audience,
};

/// The rules of one audience by selection.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assortment {
    /// Rules on products.
    products: BTreeMap<ProductId, Verdict>,
    /// Rules on categories, including those below them.
    categories: BTreeMap<CategoryId, Verdict>,
    /// The rule on everything.
    everything: Option<Verdict>,
}

/// Whether something is seen.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "AssortmentVerdict")]
pub enum Verdict {
    /// It is.
    Allowed,
    /// It is not; of two rules that are equally near, this one holds.
    Denied,
}

/// The commands of an assortment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Allow a selection.
    Allow {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
    /// Deny a selection.
    Deny {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
    /// Lift a rule: the rules of wider audiences or selections apply.
    Lift {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
}

/// What happened to an assortment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The audience sees something.
    Allowed {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
    /// Something is hidden from the audience.
    Denied {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
    /// Nothing is said of it any more.
    Lifted {
        /// Whose assortment it is.
        audience: Audience,
        /// What.
        selection: Selection,
    },
}

aggregate!(Assortment, "assortment", {
    Allowed => "allowed" v 1,
    Denied => "denied" v 1,
    Lifted => "lifted" v 1,
});

/// Why an assortment refuses a command, or a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many rules.
    #[error("an audience has at most {} rules; use categories", Assortment::MOST_RULES)]
    TooManyRules,
    /// The product is outside the assortment of the company.
    #[error("the product is outside of the company's assortment")]
    Outside,
}

refusals!(Error, {
    TooManyRules => ("assortment.too_many_rules", State),
    Outside => ("assortment.outside", State),
});

impl Assortment {
    /// The most rules of an audience.
    pub const MOST_RULES: usize = 20_000;

    /// Every rule of an assortment.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        Ok(match command {
            Command::Allow { audience, selection } => {
                self.rule(selection, Verdict::Allowed, Event::Allowed { audience, selection })?
            }
            Command::Deny { audience, selection } => {
                self.rule(selection, Verdict::Denied, Event::Denied { audience, selection })?
            }
            Command::Lift { selection, .. } if self.of(selection).is_none() => vec![],
            Command::Lift { audience, selection } => vec![Event::Lifted { audience, selection }],
        })
    }

    fn rule(&self, of: Selection, verdict: Verdict, event: Event) -> Result<Vec<Event>, Error> {
        match self.of(of) {
            Some(present) if present == verdict => Ok(vec![]),
            None if self.products.len() + self.categories.len() >= Self::MOST_RULES => {
                Err(Error::TooManyRules)
            }
            Some(_) | None => Ok(vec![event]),
        }
    }

    fn evolve(mut self, event: Event) -> Self {
        let (selection, verdict) = match event {
            Event::Allowed { selection, .. } => (selection, Some(Verdict::Allowed)),
            Event::Denied { selection, .. } => (selection, Some(Verdict::Denied)),
            Event::Lifted { selection, .. } => (selection, None),
        };
        self.put(selection, verdict);
        self
    }

    fn put(&mut self, selection: Selection, verdict: Option<Verdict>) {
        match selection {
            Selection::Everything => self.everything = verdict,
            Selection::Category { category } => put(&mut self.categories, category, verdict),
            Selection::Product { product } => put(&mut self.products, product, verdict),
        }
    }

    fn of(&self, selection: Selection) -> Option<Verdict> {
        match selection {
            Selection::Everything => self.everything,
            Selection::Category { category } => self.categories.get(&category).copied(),
            Selection::Product { product } => self.products.get(&product).copied(),
        }
    }

    /// The verdict of this audience on a product: its nearest rule.
    fn verdict(&self, product: ProductId, paths: &[impl AsRef<[CategoryId]>]) -> Option<Verdict> {
        let highest = paths.iter().map(|path| path.as_ref().len()).max().unwrap_or(0);
        let at = |height: usize| {
            let categories = paths.iter().filter_map(|path| path.as_ref().get(height));
            categories.filter_map(|category| self.categories.get(category)).max().copied()
        };
        self.products
            .get(&product)
            .copied()
            .or_else(|| (0..highest).find_map(at))
            .or(self.everything)
    }
}

/// Whether a company sees a product. `assortments` are those of its audiences, the most specific
/// first (see [`Audience::of`]): the first one with a matching rule decides, and a product without
/// a matching rule is visible. `paths` are the product's categories, each with its ancestors,
/// nearest first: a rule on the product takes precedence over one on a category, a nearer category
/// over a farther one, and a denial over an equally near permission.
pub fn sees<'a>(
    assortments: impl IntoIterator<Item = &'a Assortment>,
    product: ProductId,
    paths: &[impl AsRef<[CategoryId]>],
) -> bool {
    let verdict = assortments.into_iter().find_map(|audience| audience.verdict(product, paths));
    verdict != Some(Verdict::Denied)
}

/// The bounds of what a company sees, if it does not see everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// These categories…
    pub categories: BTreeSet<CategoryId>,
    /// …and the products that are allowed one by one by so many of its first assortments.
    pub picks: usize,
}

/// The bounds of what a company with these assortments sees (see [`sees`]); `None`: no bounds. It
/// need not see everything within the bounds.
pub fn bounds(assortments: &[Assortment]) -> Option<Bounds> {
    let speaks = |assortment: &Assortment| assortment.everything;
    let denying = assortments.iter().position(|assortment| speaks(assortment).is_some())?;
    if speaks(&assortments[denying]) == Some(Verdict::Allowed) {
        return None;
    }
    let picks = denying + 1;
    let allowed = |assortment: &Assortment| {
        let categories = assortment.categories.iter();
        let allowed = categories.filter(|(_, verdict)| **verdict == Verdict::Allowed);
        allowed.map(|(category, _)| *category).collect::<Vec<_>>()
    };
    Some(Bounds { categories: assortments[..picks].iter().flat_map(allowed).collect(), picks })
}

impl FromIterator<(Selection, Verdict)> for Assortment {
    fn from_iter<I: IntoIterator<Item = (Selection, Verdict)>>(rules: I) -> Self {
        let mut assortment = Self::default();
        assortment.extend(rules);
        assortment
    }
}

impl Extend<(Selection, Verdict)> for Assortment {
    fn extend<I: IntoIterator<Item = (Selection, Verdict)>>(&mut self, rules: I) {
        for (selection, verdict) in rules {
            self.put(selection, Some(verdict));
        }
    }
}

impl AssortmentId {
    /// The assortment of an audience: one each.
    pub fn of(audience: &Audience) -> Self {
        /// Separates these from other name-based UUIDs: a random constant.
        const NAMESPACE: Uuid = Uuid::from_u128(0x9b0e_4c1d_6a57_4a8e_b1f3_5d20_77c4_e913);
        Self(Uuid::new_v5(&NAMESPACE, audience.key().as_bytes()))
    }
}

fn put<K: Ord>(rules: &mut BTreeMap<K, Verdict>, key: K, verdict: Option<Verdict>) {
    match verdict {
        Some(verdict) => rules.insert(key, verdict),
        None => rules.remove(&key),
    };
}

impl OfCompany for Assortment {
    fn company(&self) -> Option<CompanyId> {
        // Companies do not see assortments.
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::answer;

    fn product(number: u128) -> ProductId {
        ProductId(Uuid::from_u128(number))
    }

    fn category(number: u128) -> CategoryId {
        CategoryId(Uuid::from_u128(number))
    }

    /// `p1`, `c2` or `*`.
    fn selection(text: &str) -> Selection {
        match text.split_at(1) {
            ("p", number) => Selection::Product { product: product(number.parse().unwrap()) },
            ("c", number) => Selection::Category { category: category(number.parse().unwrap()) },
            _ => Selection::Everything,
        }
    }

    /// `+p1 -c2 -*`.
    fn assortment(rules: &str) -> Assortment {
        rules.split_whitespace().fold(Assortment::default(), |assortment, rule| {
            let (verdict, selected) = rule.split_at(1);
            let (audience, selection) = (Audience::Everyone, selection(selected));
            assortment.evolve(match verdict {
                "+" => Event::Allowed { audience, selection },
                _ => Event::Denied { audience, selection },
            })
        })
    }

    /// Product 1 stands in category 1, which is below 2, which is below 3; and in 4, below 3.
    #[track_caller]
    fn check(assortments: &[&str], seen: bool) {
        let rules: Vec<Assortment> = assortments.iter().map(|rules| assortment(rules)).collect();
        let paths = [[1, 2, 3].map(category).to_vec(), [4, 3].map(category).to_vec()];
        assert_eq!(sees(&rules, product(1), &paths), seen, "{assortments:?}");
    }

    #[test]
    fn the_nearest_rule_of_the_most_specific_audience_decides() {
        check(&[], true);
        check(&["", ""], true);
        check(&["-*"], false);
        check(&["-* +p1"], true);
        check(&["-* +c3"], true);
        check(&["+* -c3"], false);
        // Through 4, category 3 is as near as 2.
        check(&["-c3 +c2"], false);
        check(&["-c2 +c1"], true);
        check(&["+c1 -p1"], false);
        check(&["+c1 -c4"], false);
        check(&["+c2 -c4"], false);
        check(&["-c2 +c4"], true);
        check(&["-c5 -p2"], true);
        check(&["+*", "-p1"], true);
        check(&["-*", "+p1"], false);
        check(&["", "-p1", "+*"], false);
        check(&["+c5", "-*"], false);
    }

    #[test]
    fn says_a_thing_once_and_takes_it_back() {
        let (audience, selection) = (Audience::Everyone, selection("c1"));
        let allowed = Event::Allowed { audience: audience.clone(), selection };
        let denied = Event::Denied { audience: audience.clone(), selection };
        let lifted = Event::Lifted { audience: audience.clone(), selection };
        let allow = Command::Allow { audience: audience.clone(), selection };
        let deny = Command::Deny { audience: audience.clone(), selection };
        let lift = Command::Lift { audience, selection };
        for (given, when, then) in [
            (vec![], &allow, vec![allowed.clone()]),
            (vec![], &lift, vec![]),
            (vec![allowed.clone()], &allow, vec![]),
            (vec![allowed.clone()], &deny, vec![denied.clone()]),
            (vec![allowed.clone(), denied.clone()], &deny, vec![]),
            (vec![allowed.clone()], &lift, vec![lifted.clone()]),
            (vec![denied, lifted], &lift, vec![]),
        ] {
            assert_eq!(answer::<Assortment>(&given, when.clone()), Ok(then));
        }
    }

    proptest! {
        /// Rules of one audience do not depend on the order in which they were made.
        #[test]
        fn the_order_of_rules_does_not_matter(
            rules in proptest::collection::btree_map("[pc][1-4]|\\*", any::<bool>(), 0..9),
            rotation in 0_usize..9,
        ) {
            let spelled: Vec<String> = rules
                .iter()
                .map(|(selected, allowed)| format!("{}{selected}", if *allowed { '+' } else { '-' }))
                .collect();
            let mut turned = spelled.clone();
            turned.rotate_left(rotation % spelled.len().max(1));
            prop_assert_eq!(assortment(&spelled.join(" ")), assortment(&turned.join(" ")));
        }

        /// Nothing that is seen is out of bounds.
        #[test]
        fn what_is_seen_is_within_bounds(rules in proptest::collection::vec(
            "([+-][pc][1-4] ){0,4}([+-]\\*)?", 1..4,
        )) {
            let assortments: Vec<Assortment> = rules.iter().map(|one| assortment(one)).collect();
            let paths = [[1, 2, 3].map(category).to_vec(), [4, 3].map(category).to_vec()];
            if let Some(Bounds { categories, picks }) = bounds(&assortments) {
                let picked = assortments[..picks].iter().any(|assortment| {
                    assortment.products.get(&product(1)) == Some(&Verdict::Allowed)
                });
                let inside = paths.iter().flatten().any(|id| categories.contains(id));
                prop_assert!(picked || inside || !sees(&assortments, product(1), &paths));
            } else {
                // Everywhere: a product that no rule names is seen.
                prop_assert!(sees(&assortments, product(9), &paths[..0]));
            }
        }

        /// What a wider audience says never matters once a narrower one has spoken.
        #[test]
        fn a_wider_audience_is_not_asked(wider in "([+-][pc][1-4] ){0,5}") {
            check(&["+p1", &wider], true);
            check(&["-p1", &wider], false);
        }
    }
}
