//! Price resolution: the most specific rule wins, and the result explains every candidate.
//!
//! The order of precedence: first the audience (the company, the companies above it from the
//! nearest on, its group, everyone); within an audience a promotion before other agreements; then
//! the selection (the product, its categories from the nearest on, everything). Within a rule the
//! highest quantity break reached applies. Without a rule the product's base price applies. Only a
//! rule of an agreement that yields gives way to a lower, less specific price. Percentages are off
//! the base: the fixed price for everyone, else the product's base price. The company's purchase
//! discount applies to base prices and to prices of agreements that allow it. No price is below the
//! product's floor.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    kernel::{
        AgreementId, CategoryId, Currency, Name, Percent, PriceId, PricedBy, ProductId, Quantity,
        Selection, UnitPrice,
    },
    parties::Audience,
    pricing::{
        PriceAgreement,
        price::{Rule, Subject, Value},
    },
};

/// The streams that may have rules for a company and a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The audience and the selection.
    pub subject: Subject,
    /// The rank of the audience among the company's; 0 is the most specific.
    pub breadth: usize,
    /// The distance of the selection from the product.
    pub distance: usize,
}

/// Every stream that may have rules for a company with these audiences and a product in these
/// categories. `paths` are its categories, each with its ancestors, nearest first.
pub fn places(
    audiences: &[Audience],
    product: ProductId,
    paths: &[Vec<CategoryId>],
    currency: Currency,
) -> Vec<Place> {
    let selections = selections(product, paths);
    let of_audience = |(breadth, audience): (usize, &Audience)| {
        let place = |&(selection, distance): &(Selection, usize)| Place {
            subject: Subject { audience: audience.clone(), selection, currency },
            breadth,
            distance,
        };
        selections.iter().map(place).collect::<Vec<_>>()
    };
    audiences.iter().enumerate().flat_map(of_audience).collect()
}

/// Every selection that contains a product in these categories, with its distance: 0 is the
/// product, then its categories with their ancestors, last everything.
pub fn selections(product: ProductId, paths: &[Vec<CategoryId>]) -> Vec<(Selection, usize)> {
    let mut categories: BTreeMap<CategoryId, usize> = BTreeMap::new();
    for (height, category) in paths.iter().flat_map(|path| path.iter().enumerate()) {
        let distance = categories.entry(*category).or_insert(height + 1);
        *distance = (*distance).min(height + 1);
    }
    let categories = categories
        .into_iter()
        .map(|(category, distance)| (Selection::Category { category }, distance));
    std::iter::once((Selection::Product { product }, 0))
        .chain(categories)
        .chain([(Selection::Everything, usize::MAX)])
        .collect()
}

impl Place {
    /// The stream of its rules.
    pub fn id(&self) -> PriceId {
        PriceId::of(&self.subject)
    }

    /// A rule of this stream as a candidate.
    pub fn candidate<'a>(&'a self, rule: &'a Rule, agreement: &'a PriceAgreement) -> Candidate<'a> {
        Candidate {
            audience: &self.subject.audience,
            breadth: self.breadth,
            selection: self.subject.selection,
            distance: self.distance,
            rule,
            agreement,
        }
    }
}

/// A price query.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The day.
    pub on: Date,
    /// The quantity, in the product's units.
    pub quantity: Quantity,
    /// The product's own base price.
    pub base: Option<UnitPrice>,
    /// The company's purchase discount; see [`crate::pricing::discount`].
    pub earned: Option<Percent>,
    /// The price floor of the product.
    pub floor: Option<UnitPrice>,
    /// All candidate rules, in any order.
    pub candidates: Vec<Candidate<'a>>,
}

/// A candidate rule.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// For whom it is.
    pub audience: &'a Audience,
    /// The rank of the audience among the company's; 0 is the most specific.
    pub breadth: usize,
    /// Of what it is.
    pub selection: Selection,
    /// The distance of the selection: 0 is the product, then its categories, last everything.
    pub distance: usize,
    /// The rule.
    pub rule: &'a Rule,
    /// The agreement that it belongs to.
    pub agreement: &'a PriceAgreement,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PriceResolution")]
pub struct Resolution {
    /// What one unit costs, net; missing when nothing says so.
    pub price: Option<UnitPrice>,
    /// What made it so.
    pub made_by: Option<PricedBy>,
    /// What is off is off this.
    pub base: Option<UnitPrice>,
    /// Every rule that was looked at, the most specific first, and what became of it.
    pub considered: Vec<Considered>,
}

/// A rule that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ConsideredPriceRule")]
pub struct Considered {
    /// Of which agreement.
    pub agreement: AgreementId,
    /// What that is called.
    pub name: Option<Name>,
    /// For whom it is.
    pub audience: Audience,
    /// Of what.
    pub selection: Selection,
    /// What it would have one unit cost, if it says so on this day for this quantity.
    pub price: Option<UnitPrice>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PriceRuleVerdict")]
pub enum Verdict {
    /// It made the price.
    Won,
    /// Its agreement is not active.
    NotActive,
    /// It does not hold on this day.
    OtherDays,
    /// It begins at a larger quantity.
    TooFew,
    /// It takes something off a base that there is not.
    NoBase,
    /// Another rule is for fewer people.
    LessSpecificAudience,
    /// A promotion holds for the same people.
    Promotion,
    /// Another rule is nearer to the product.
    LessSpecificSelection,
    /// Of rules that are equally near, another one is lower.
    NotTheLowest,
    /// Its agreement yields, and another price is lower.
    Yielded,
}

/// What one unit costs from a quantity on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PriceStep")]
pub struct Step {
    /// The least quantity, in the product's units.
    pub at_least: Quantity,
    /// Net.
    pub price: UnitPrice,
}

/// Resolves the price. The order of the candidates does not matter.
pub fn resolve(question: &Question<'_>) -> Resolution {
    let Answer { base, judged, winner } = answer(question);
    let considered = judged
        .iter()
        .enumerate()
        .map(|(index, (candidate, price))| Considered {
            agreement: candidate.rule.agreement,
            name: candidate.agreement.header().map(|header| header.name.clone()),
            audience: candidate.audience.clone(),
            selection: candidate.selection,
            price: price.ok(),
            verdict: price.err().unwrap_or_else(|| verdict(&judged, index, winner)),
        })
        .collect();
    let made = made(question, winner.map(|index| judged[index].0), base);
    let (price, made_by) = made.unzip();
    Resolution { price, made_by, base, considered }
}

/// What one unit costs from a quantity on, and what made that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedStep {
    /// The least quantity, in the product's units.
    pub at_least: Quantity,
    /// Net.
    pub price: UnitPrice,
    /// What made it so.
    pub made_by: PricedBy,
}

/// The result of [`resolve`] for every quantity from the given one on: a step wherever it changes.
pub fn explained_steps(question: &Question<'_>) -> Vec<ExplainedStep> {
    let mut steps: Vec<ExplainedStep> = Vec::new();
    for at_least in quantities(question) {
        let question = Question { quantity: at_least, ..question.clone() };
        let Answer { base, judged, winner } = answer(&question);
        let winner = winner.map(|index| judged[index].0);
        let Some((price, made_by)) = made(&question, winner, base) else { continue };
        if steps.last().is_none_or(|last| last.price != price || last.made_by != made_by) {
            steps.push(ExplainedStep { at_least, price, made_by });
        }
    }
    steps
}

/// The price that a rule makes, or without one the base price, and what it is made of.
fn made(
    question: &Question<'_>,
    winner: Option<&Candidate<'_>>,
    base: Option<UnitPrice>,
) -> Option<(UnitPrice, PricedBy)> {
    match winner {
        Some(candidate) => stated(candidate, question, base).ok().map(|stated| {
            let Charged { price, earned, floor } = question.charged(stated, discounts(candidate));
            let Candidate { rule, selection, .. } = *candidate;
            let at_least = rule.reached(question.quantity).and_then(|each| each.at_least);
            let agreement = rule.agreement;
            (price, PricedBy::Rule { agreement, selection, at_least, earned, floor })
        }),
        None => question.base.map(|stated| {
            let Charged { price, earned, floor } = question.charged(stated, true);
            (price, PricedBy::Base { earned, floor })
        }),
    }
}

/// The asked quantity and every larger one at which a rule has a break.
fn quantities(question: &Question<'_>) -> BTreeSet<Quantity> {
    let breaks = question.candidates.iter().flat_map(|candidate| &candidate.rule.breaks);
    let mut quantities: BTreeSet<Quantity> = breaks.filter_map(|each| each.at_least).collect();
    quantities.retain(|quantity| *quantity > question.quantity);
    quantities.insert(question.quantity);
    quantities
}

/// The unit price for every quantity from the given one on: a step wherever the result of
/// [`resolve`] changes. Quantities without a price have no step.
pub fn steps(question: &Question<'_>) -> Vec<Step> {
    let quantities = quantities(question);
    let mut question = question.clone();
    let mut steps: Vec<Step> = Vec::new();
    for at_least in quantities {
        question.quantity = at_least;
        let Answer { judged, winner, .. } = answer(&question);
        let of_base = || Some(question.charged(question.base?, true).price);
        let price = winner.map_or_else(of_base, |index| judged[index].1.ok());
        let Some(price) = price else { continue };
        if steps.last().is_none_or(|last| last.price != price) {
            steps.push(Step { at_least, price });
        }
    }
    steps
}

/// The verdicts on all candidates.
struct Answer<'a> {
    base: Option<UnitPrice>,
    judged: Vec<Judged<'a>>,
    winner: Option<usize>,
}

fn answer<'a>(question: &'a Question<'_>) -> Answer<'a> {
    let everyones = everyones(question);
    let base = everyones.or(question.base);
    let mut candidates: Vec<&Candidate<'_>> = question.candidates.iter().collect();
    candidates.sort_by_key(|one| rank(one));
    let judged: Vec<Judged<'_>> = candidates
        .into_iter()
        .map(|candidate| (candidate, priced(candidate, question, base)))
        .collect();
    // If a list has a price for everyone, the product's base price does not apply.
    let of_base = question.base.filter(|_| everyones.is_none());
    let winner = winner(&judged, of_base.map(|base| question.charged(base, true).price));
    Answer { base, judged, winner }
}

type Judged<'a> = (&'a Candidate<'a>, Result<UnitPrice, Verdict>);

/// The charged price for a stated price.
struct Charged {
    price: UnitPrice,
    /// What came off.
    earned: Option<Percent>,
    /// The floor to which it was raised.
    floor: Option<UnitPrice>,
}

impl Question<'_> {
    fn charged(&self, stated: UnitPrice, discounts: bool) -> Charged {
        let earned = self.earned.filter(|_| discounts);
        let left = earned.map_or(stated, |percent| less(stated, percent));
        let floor = self.floor.filter(|floor| left < *floor);
        Charged { price: floor.unwrap_or(left), earned, floor }
    }
}

/// A price minus a percentage, rounded half up.
fn less(price: UnitPrice, percent: Percent) -> UnitPrice {
    let left = Decimal::ONE_HUNDRED - percent.hundredths();
    UnitPrice::round_half_up(price.amount() * left / Decimal::ONE_HUNDRED)
}

/// The most specific first; equally specific ones in a fixed order.
fn rank<'a>(candidate: &'a Candidate<'_>) -> impl Ord + use<'a> {
    let Candidate { rule, selection, .. } = candidate;
    (specific(candidate), rule.agreement, *selection, rule.days)
}

/// The specificity of a rule; a lower value is more specific.
fn specific(candidate: &Candidate<'_>) -> (usize, bool, usize) {
    (candidate.breadth, !promotion(candidate), candidate.distance)
}

fn promotion(candidate: &Candidate<'_>) -> bool {
    candidate.agreement.header().is_some_and(|header| header.promotion)
}

fn discounts(candidate: &Candidate<'_>) -> bool {
    candidate.agreement.header().is_some_and(|header| header.discounts)
}

/// The fixed price for everyone, without promotions, of the selection nearest to the product.
fn everyones(question: &Question<'_>) -> Option<UnitPrice> {
    let fixed = |candidate: &&Candidate<'_>| {
        let reached = candidate.rule.reached(question.quantity);
        let is_fixed = matches!(reached.map(|each| each.value), Some(Value::Fixed { .. }));
        *candidate.audience == Audience::Everyone && is_fixed && !promotion(candidate)
    };
    let found: Vec<(usize, UnitPrice)> = question
        .candidates
        .iter()
        .filter(fixed)
        .filter_map(|one| Some((one.distance, stated(one, question, None).ok()?)))
        .collect();
    found.into_iter().min().map(|(_, price)| price)
}

/// The unit price by a rule, if the rule applies.
fn priced(
    candidate: &Candidate<'_>,
    question: &Question<'_>,
    base: Option<UnitPrice>,
) -> Result<UnitPrice, Verdict> {
    let stated = stated(candidate, question, base)?;
    Ok(question.charged(stated, discounts(candidate)).price)
}

/// The stated unit price of a rule, if the rule applies.
fn stated(
    candidate: &Candidate<'_>,
    Question { on, quantity, .. }: &Question<'_>,
    base: Option<UnitPrice>,
) -> Result<UnitPrice, Verdict> {
    if !candidate.agreement.is_active() {
        return Err(Verdict::NotActive);
    }
    let of_agreement = candidate.agreement.days();
    if !candidate.rule.days.contain(*on) || !of_agreement.contain(*on) {
        return Err(Verdict::OtherDays);
    }
    let reached = candidate.rule.reached(*quantity).ok_or(Verdict::TooFew)?;
    match reached.value {
        Value::Fixed { price } => Ok(price),
        Value::PercentOff { percent } => {
            base.map(|base| less(base, percent)).ok_or(Verdict::NoBase)
        }
        Value::AmountOff { amount } => {
            let base = base.ok_or(Verdict::NoBase)?;
            Ok(UnitPrice::round_half_up(base.amount() - amount.amount()))
        }
    }
}

/// The most specific rule that applies, the lowest price among equally specific ones; if its
/// agreement yields, a lower price that is less specific.
fn winner(judged: &[Judged<'_>], base: Option<UnitPrice>) -> Option<usize> {
    let holding = || (0..judged.len()).filter(|index| judged[*index].1.is_ok());
    let first = holding().min_by_key(|index| {
        let (candidate, price) = &judged[*index];
        (specific(candidate), price.ok(), *index)
    })?;
    let yields = |index: usize| judged[index].0.agreement.header().is_some_and(|it| it.yields);
    let mut winner = first;
    while yields(winner) {
        let (present, price) = (judged[winner].0, judged[winner].1.ok());
        let lower = holding()
            .filter(|index| {
                specific(judged[*index].0) > specific(present) && judged[*index].1.ok() < price
            })
            .min_by_key(|index| (specific(judged[*index].0), judged[*index].1.ok()));
        match lower {
            Some(index) => winner = index,
            // The base price is the least specific of all.
            None if base.is_some() && base < price => return None,
            None => break,
        }
    }
    Some(winner)
}

fn verdict(judged: &[Judged<'_>], index: usize, winner: Option<usize>) -> Verdict {
    let Some(winner) = winner else { return Verdict::Yielded };
    if index == winner {
        return Verdict::Won;
    }
    let (one, won) = (judged[index].0, judged[winner].0);
    match specific(one).cmp(&specific(won)) {
        Ordering::Less => Verdict::Yielded,
        Ordering::Equal => Verdict::NotTheLowest,
        Ordering::Greater if one.breadth > won.breadth => Verdict::LessSpecificAudience,
        Ordering::Greater if promotion(won) && !promotion(one) => Verdict::Promotion,
        Ordering::Greater => Verdict::LessSpecificSelection,
    }
}

#[cfg(test)]
mod tests;
