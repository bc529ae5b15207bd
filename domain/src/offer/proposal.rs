//! What an offer says: lines, some of them optional or instead of others, with prices for larger
//! quantities, on terms that hold until a day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    CompanyId, Currency, DeliveryTerms, Line, Lines, Message, Money, PaymentTerm, Percent,
    Quantity, UnitPrice, day, money::MoneyError, negotiation::Conditions, vat::Totals,
};

/// What the seller proposes, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// To whom.
    pub company: CompanyId,
    /// In which currency.
    pub currency: Currency,
    /// What, how much, at which prices.
    pub lines: Lines<OfferedLine>,
    /// When the invoice will be due.
    pub payment_term: PaymentTerm,
    /// The last day on which it can be accepted, in the seller's time zone.
    pub valid_until: Date,
    /// How the goods travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_terms: Option<DeliveryTerms>,
    /// What has come off every price for taking the offer; the prices are after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// Whether the company may take some of the needed lines and leave others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub divisible: bool,
    /// What the seller has to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// A line as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedLine {
    /// How much of what at which price, all discounts taken off.
    #[serde(flatten)]
    pub line: Line,
    /// What the company's agreements and lists made of one unit when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<UnitPrice>,
    /// What came off for this line, before what came off the whole offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Percent>,
    /// What one unit costs in other quantities, the smallest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = OfferedLine::MOST_BREAKS))]
    pub breaks: Vec<Break>,
    /// The largest quantity that the company can take, where it can take others than the one
    /// offered: what has prices for other quantities says so, so that whoever agrees to the line
    /// knows to how much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Quantity>,
    /// Whether the company must take it.
    #[serde(default, skip_serializing_if = "Choice::is_needed")]
    pub choice: Choice,
}

/// From a quantity on, another price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// From so much on.
    pub at_least: Quantity,
    /// What one unit costs, all discounts taken off.
    pub unit_price: UnitPrice,
}

/// Whether a line is taken with the offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Choice {
    /// It is part of the offer.
    #[default]
    Needed,
    /// The company takes it or leaves it.
    Optional,
    /// The company may take it instead of another line.
    Alternative {
        /// That line's number, counted from 1; it is no alternative itself.
        to: u32,
    },
}

impl Choice {
    /// Whether the company must take it.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub fn is_needed(&self) -> bool {
        *self == Self::Needed
    }

    /// The number of the line whose place a line of this number takes: its own, or that of the one
    /// to which it is an alternative.
    pub fn place(self, number: u32) -> u32 {
        match self {
            Self::Needed | Self::Optional => number,
            Self::Alternative { to } => to,
        }
    }
}

/// A line that the company takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// Its number, counted from 1.
    pub line: u32,
    /// How much, where the line has prices for other quantities; as offered when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
}

/// A price after discounts, each off what the ones before it left: rounded once, half up, to the
/// fourth decimal place.
pub fn discounted(price: UnitPrice, discounts: impl IntoIterator<Item = Percent>) -> UnitPrice {
    let left = discounts.into_iter().fold(price.amount(), |price, discount| {
        price * (Decimal::ONE_HUNDRED - discount.hundredths()) / Decimal::ONE_HUNDRED
    });
    UnitPrice::round_half_up(left)
}

/// The largest sum without tax that can be ordered of numbered lines. Of alternatives the dearest
/// counts.
pub fn most_net<'a>(
    lines: impl IntoIterator<Item = (u32, &'a OfferedLine)>,
    currency: Currency,
) -> Result<Money, MoneyError> {
    let mut dearest = BTreeMap::<u32, Money>::new();
    for (number, line) in lines {
        let place = match line.choice {
            Choice::Needed | Choice::Optional => number,
            Choice::Alternative { to } => to,
        };
        let net = line.most_net(currency);
        let most = dearest.entry(place).or_insert(net);
        if most.amount() < net.amount() {
            *most = net;
        }
    }
    dearest.into_values().try_fold(Money::zero(currency), Money::plus)
}

impl OfferedLine {
    /// How many prices for other quantities a line can have.
    pub const MOST_BREAKS: usize = 20;

    /// A line that is part of the offer as it stands.
    pub fn plain(line: Line) -> Self {
        let (listed, discount, breaks, at_most) = (None, None, Vec::new(), None);
        Self { line, listed, discount, breaks, at_most, choice: Choice::Needed }
    }

    /// The line in another quantity: the highest break that it reaches makes the price. Only from
    /// the least quantity on that has a price, up to the largest that is offered.
    fn in_quantity(&self, quantity: Quantity) -> Option<Line> {
        let reached = self.prices().rfind(|price| price.at_least <= quantity)?;
        (quantity == self.line.quantity || self.at_most.is_some_and(|most| quantity <= most))
            .then(|| Line { quantity, unit_price: reached.unit_price, ..self.line.clone() })
    }

    /// Whether it was taken, in some quantity.
    pub(super) fn is_among(&self, ordered: &[Line]) -> bool {
        ordered.iter().any(|line| self.in_quantity(line.quantity).as_ref() == Some(line))
    }

    /// What one unit costs from which quantity on, the smallest first.
    fn prices(&self) -> std::vec::IntoIter<Break> {
        let offered = Break { at_least: self.line.quantity, unit_price: self.line.unit_price };
        let mut prices: Vec<Break> = self.breaks.iter().copied().chain([offered]).collect();
        prices.sort_by_key(|price| price.at_least);
        prices.into_iter()
    }

    /// No quantity of it that can be taken comes to more than this.
    fn most_net(&self, currency: Currency) -> Money {
        let most = self.at_most.unwrap_or(self.line.quantity);
        // A price holds for less than the quantity from which the next one does.
        let ends = self.prices().skip(1).map(|next| next.at_least).chain([most]);
        self.prices()
            .zip(ends)
            .map(|(Break { unit_price, .. }, quantity)| {
                Line { quantity, unit_price, ..self.line.clone() }.net(currency)
            })
            .max_by_key(|net| net.amount())
            .unwrap_or_else(|| self.line.net(currency))
    }

    /// The discounts that made its price of its list price, each off what the ones before it left;
    /// none where the price was made in another way.
    pub fn discounts(&self, of_whole: Option<Percent>) -> Vec<Percent> {
        let discounts: Vec<Percent> = self.discount.into_iter().chain(of_whole).collect();
        let made = self.listed.map(|listed| discounted(listed, discounts.iter().copied()));
        if made == Some(self.line.unit_price) { discounts } else { vec![] }
    }

    /// By how much it is cheaper than at its list price, both rounded as amounts of lines are;
    /// nothing where it is not.
    fn saved(&self, currency: Currency) -> Option<Money> {
        let listed = Line { unit_price: self.listed?, ..self.line.clone() }.net(currency);
        listed.minus(self.line.net(currency)).ok().filter(|saved| saved.amount() > Decimal::ZERO)
    }

    fn checked(&self) -> Result<(), Error> {
        self.line.deliver_on.map(day::checked).transpose()?;
        let quantities: BTreeSet<Quantity> =
            self.breaks.iter().map(|price| price.at_least).collect();
        let are_in_order = self.breaks.is_sorted_by_key(|price| price.at_least);
        let all_differ = quantities.len() == self.breaks.len();
        if !are_in_order || !all_differ || quantities.contains(&self.line.quantity) {
            return Err(Error::BreaksNotInOrder { sku: self.line.sku.clone() });
        }
        let largest = self.prices().next_back().map(|price| price.at_least);
        if self.at_most.map_or(!self.breaks.is_empty(), |most| Some(most) < largest) {
            return Err(Error::LargestQuantityNeeded { sku: self.line.sku.clone() });
        }
        if self.breaks.len() > Self::MOST_BREAKS {
            return Err(Error::TooManyBreaks { sku: self.line.sku.clone() });
        }
        Ok(())
    }
}

impl Proposal {
    /// Refuses what no company could accept.
    pub fn checked(&self) -> Result<(), Error> {
        day::checked(self.valid_until)?;
        for (number, line) in self.lines.numbered() {
            line.checked()?;
            if let Choice::Alternative { to } = line.choice {
                let instead = self.lines.line(to).map(|line| line.choice);
                match instead {
                    Some(Choice::Needed | Choice::Optional) if to != number => {}
                    _ => return Err(Error::AlternativeToNothing { line: number }),
                }
            }
        }
        Ok(())
    }

    /// What is ordered when nothing is chosen: every needed line as it stands.
    fn needed(&self) -> Vec<Line> {
        let needed = self.lines.iter().filter(|line| line.choice.is_needed());
        needed.map(|line| line.line.clone()).collect()
    }

    /// The sum without tax of what is ordered when nothing is chosen.
    pub fn net(&self) -> Result<Money, MoneyError> {
        let nets = self.needed().into_iter().map(|line| line.net(self.currency));
        nets.into_iter().try_fold(Money::zero(self.currency), Money::plus)
    }

    /// What is paid when nothing is chosen.
    pub fn totals(&self) -> Result<Totals, MoneyError> {
        Totals::of(&self.needed(), self.currency)
    }

    /// By how much the needed lines are cheaper than at their list prices, those that are.
    pub fn saved(&self) -> Result<Money, MoneyError> {
        let needed = self.lines.iter().filter(|line| line.choice.is_needed());
        let mut saved = needed.filter_map(|line| line.saved(self.currency));
        saved.try_fold(Money::zero(self.currency), Money::plus)
    }

    /// The largest sum without tax that can be ordered: whoever must agree to the offer agrees to
    /// all of that.
    pub fn most_net(&self) -> Result<Money, MoneyError> {
        most_net(self.lines.numbered(), self.currency)
    }

    /// What of it is ordered when the company takes these lines, or all that are needed, where that
    /// is not all of its lines as they stand.
    pub(super) fn ordered(&self, chosen: Option<&[Chosen]>) -> Result<Option<Lines>, Error> {
        let ordered = self.choose(chosen)?;
        let is_all = ordered.iter().eq(self.lines.iter().map(|line| &line.line));
        Ok((!is_all).then_some(ordered))
    }

    /// What is ordered when the company takes these lines, or all that are needed.
    pub fn choose(&self, chosen: Option<&[Chosen]>) -> Result<Lines, Error> {
        let lines = match chosen {
            None => self.needed(),
            Some(chosen) => self.taken(chosen)?,
        };
        Lines::try_from(lines).map_err(|_| Error::NothingChosen)
    }

    fn taken(&self, chosen: &[Chosen]) -> Result<Vec<Line>, Error> {
        let mut places = BTreeSet::new();
        let mut lines = Vec::with_capacity(chosen.len().min(self.lines.len()));
        for &Chosen { line: number, quantity } in chosen {
            let line = self.lines.line(number).ok_or(Error::NoSuchLine { line: number })?;
            let place = line.choice.place(number);
            if !places.insert(place) {
                return Err(Error::ChosenTwice { line: place });
            }
            let quantity = quantity.unwrap_or(line.line.quantity);
            let taken = line.in_quantity(quantity);
            lines.push(taken.ok_or(Error::QuantityNotOffered { line: number })?);
        }
        let left = self
            .lines
            .numbered()
            .find(|(number, line)| line.choice.is_needed() && !places.contains(number));
        match left {
            Some((line, _)) if !self.divisible => Err(Error::LineNeeded { line }),
            Some(_) | None => Ok(lines),
        }
    }

    /// What was ordered of it, each line with the number under which it was offered.
    pub fn traced<'a>(&self, ordered: &'a [Line]) -> Vec<(u32, &'a Line)> {
        let mut found = BTreeMap::new();
        for line in ordered {
            let is_origin = |(number, offered): &(u32, &OfferedLine)| {
                !found.contains_key(number)
                    && offered.in_quantity(line.quantity).as_ref() == Some(line)
            };
            if let Some((number, _)) = self.lines.numbered().find(is_origin) {
                found.insert(number, line);
            }
        }
        found.into_iter().collect()
    }

    /// Whether a needed line is not among those of these numbers, nor what can be had instead.
    pub fn is_left_in_part(&self, numbers: impl IntoIterator<Item = u32>) -> bool {
        let place = |number| Some(self.lines.line(number)?.choice.place(number));
        let places: BTreeSet<u32> = numbers.into_iter().filter_map(place).collect();
        let mut needed = self.lines.numbered().filter(|(_, line)| line.choice.is_needed());
        needed.any(|(number, _)| !places.contains(&number))
    }

    /// What holds for all lines.
    pub fn conditions(&self) -> Conditions {
        Conditions { payment_term: self.payment_term, delivery_terms: self.delivery_terms.clone() }
    }

    /// The same with other lines on other conditions, as both agreed. Lines that were dropped leave
    /// their numbers to those after them; what was an alternative to one of them is optional.
    #[must_use]
    pub fn renegotiated(self, lines: Lines<OfferedLine>, conditions: Conditions) -> Self {
        let Conditions { payment_term, delivery_terms } = conditions;
        // It has gone into the prices, which are others now.
        Self { lines, payment_term, delivery_terms, discount: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        VatRate,
        fixtures::{TERM, company, day, line, pln},
    };

    fn offered(quantity: &str, price: &str) -> OfferedLine {
        OfferedLine::plain(line(quantity, price, VatRate::Basic))
    }

    fn with(lines: Vec<OfferedLine>) -> Proposal {
        Proposal {
            company: company(),
            currency: Currency::Pln,
            lines: Lines::try_from(lines).unwrap(),
            payment_term: TERM,
            valid_until: day("2026-03-31"),
            delivery_terms: None,
            discount: None,
            divisible: false,
            message: None,
        }
    }

    /// Ten coffees needed, another kind instead, rice optional, with prices for larger quantities.
    fn proposal() -> Proposal {
        let instead =
            OfferedLine { choice: Choice::Alternative { to: 1 }, ..offered("10", "3.00") };
        let at_least = |quantity: &str, price: &str| Break {
            at_least: quantity.parse().unwrap(),
            unit_price: price.parse().unwrap(),
        };
        let optional = OfferedLine {
            choice: Choice::Optional,
            breaks: vec![at_least("5", "1.20"), at_least("50", "0.80")],
            at_most: Some("5000".parse().unwrap()),
            ..offered("20", "1.00")
        };
        with(vec![offered("10", "2.00"), instead, optional])
    }

    fn chosen(line: u32, quantity: Option<&str>) -> Chosen {
        Chosen { line, quantity: quantity.map(|quantity| quantity.parse().unwrap()) }
    }

    #[track_caller]
    fn check(proposal: &Proposal, chosen: &[Chosen], then: Result<&[(&str, &str)], Error>) {
        let lines = proposal.choose(Some(chosen)).map(|lines| {
            let shown = |line: &Line| (line.quantity.to_string(), line.unit_price.to_string());
            lines.iter().map(shown).collect::<Vec<_>>()
        });
        let then = then.map(|lines| {
            lines.iter().map(|(of, at)| ((*of).to_owned(), (*at).to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(lines, then);
    }

    #[test]
    fn is_taken_as_it_stands_or_by_lines() {
        let whole = proposal().choose(None).unwrap();
        assert_eq!(whole.len(), 1, "what is optional, or instead of something, is left");
        check(&proposal(), &[chosen(1, None)], Ok(&[("10", "2.00")]));
        check(&proposal(), &[chosen(2, None)], Ok(&[("10", "3.00")]));
        check(
            &proposal(),
            &[chosen(2, None), chosen(3, None)],
            Ok(&[("10", "3.00"), ("20", "1.00")]),
        );
        check(
            &proposal(),
            &[chosen(1, None), chosen(2, None)],
            Err(Error::ChosenTwice { line: 1 }),
        );
        check(&proposal(), &[chosen(3, None)], Err(Error::LineNeeded { line: 1 }));
        check(&proposal(), &[chosen(9, None)], Err(Error::NoSuchLine { line: 9 }));
        check(&proposal(), &[chosen(0, None)], Err(Error::NoSuchLine { line: 0 }));
        let divisible = Proposal { divisible: true, ..proposal() };
        check(&divisible, &[chosen(3, None)], Ok(&[("20", "1.00")]));
        check(&divisible, &[], Err(Error::NothingChosen));
        let nothing_needed =
            with(vec![OfferedLine { choice: Choice::Optional, ..offered("1", "1.00") }]);
        assert_eq!(nothing_needed.choose(None), Err(Error::NothingChosen));
    }

    #[test]
    fn what_was_ordered_is_traced_to_its_lines() {
        let divisible = Proposal { divisible: true, ..proposal() };
        for (taken, numbers, in_part) in [
            (vec![chosen(1, None)], vec![1], false),
            (vec![chosen(3, Some("50")), chosen(2, None)], vec![2, 3], false),
            (vec![chosen(3, Some("5"))], vec![3], true),
        ] {
            let ordered = divisible.choose(Some(&taken)).unwrap();
            let traced: Vec<u32> =
                divisible.traced(&ordered).into_iter().map(|(number, _)| number).collect();
            assert_eq!(divisible.is_left_in_part(traced.iter().copied()), in_part, "{taken:?}");
            assert_eq!(traced, numbers);
        }
        // Two lines alike are each ordered once.
        let twice = with(vec![offered("10", "2.00"), offered("10", "2.00")]);
        let ordered = twice.choose(None).unwrap();
        assert_eq!(twice.traced(&ordered).len(), 2);
    }

    #[test]
    fn other_quantities_have_prices_of_their_own() {
        let divisible = Proposal { divisible: true, ..proposal() };
        for (quantity, then) in [
            ("4", Err(Error::QuantityNotOffered { line: 3 })),
            ("5", Ok("1.20")),
            ("19", Ok("1.20")),
            ("20", Ok("1.00")),
            ("49", Ok("1.00")),
            ("50", Ok("0.80")),
            ("5000", Ok("0.80")),
            ("5001", Err(Error::QuantityNotOffered { line: 3 })),
        ] {
            let then = then.map(|price| [(quantity, price)]);
            let then = then.as_ref().map(<[_; 1]>::as_slice).map_err(Clone::clone);
            check(&divisible, &[chosen(3, Some(quantity))], then);
        }
        let more = Err(Error::QuantityNotOffered { line: 1 });
        check(&proposal(), &[chosen(1, Some("11"))], more);
        check(&proposal(), &[chosen(1, Some("10"))], Ok(&[("10", "2.00")]));
    }

    #[test]
    fn says_what_it_comes_to() {
        assert_eq!(proposal().net(), Ok(pln("20.00")));
        // Ten at 3.00 instead, and five thousand at 0.80 if wanted.
        assert_eq!(proposal().most_net(), Ok(pln("4030.00")));
    }

    #[test]
    fn the_most_may_be_less_than_the_largest_quantity() {
        let most = |breaks: &[(&str, &str)], at_most: Option<&str>| {
            let breaks = breaks.iter().map(|(at_least, price)| Break {
                at_least: at_least.parse().unwrap(),
                unit_price: price.parse().unwrap(),
            });
            let at_most = at_most.map(|most| most.parse().unwrap());
            let line = OfferedLine { breaks: breaks.collect(), at_most, ..offered("10", "2.00") };
            with(vec![line]).most_net().unwrap()
        };
        assert_eq!(most(&[], None), pln("20.00"));
        assert_eq!(most(&[], Some("30")), pln("60.00"));
        // A hair less than a hundred at 2.00 is more than a hundred at 1.50.
        assert_eq!(most(&[("100", "1.50")], Some("100")), pln("200.00"));
        assert_eq!(most(&[("100", "1.50")], Some("200")), pln("300.00"));
        assert_eq!(most(&[("5", "3.00")], Some("10")), pln("30.00"));
    }

    #[test]
    fn nothing_stands_in_for_nothing() {
        let to = |to| OfferedLine { choice: Choice::Alternative { to }, ..offered("1", "1.00") };
        assert_eq!(proposal().checked(), Ok(()));
        for wrong in [0, 2, 3, 9] {
            let proposal = with(vec![offered("1", "1.00"), to(wrong), to(1)]);
            assert_eq!(proposal.checked(), Err(Error::AlternativeToNothing { line: 2 }), "{wrong}");
        }
    }

    #[test]
    fn breaks_go_up() {
        let sku = || "HK-1".parse().unwrap();
        let at = |quantities: &[&str]| {
            let breaks = quantities
                .iter()
                .map(|q| Break { at_least: q.parse().unwrap(), unit_price: "1".parse().unwrap() })
                .collect();
            let at_most = Some("1000".parse().unwrap());
            with(vec![OfferedLine { breaks, at_most, ..offered("10", "2.00") }]).checked()
        };
        assert_eq!(at(&["5", "20"]), Ok(()));
        for wrong in [&["20", "5"][..], &["20", "20"], &["5", "10"]] {
            assert_eq!(at(wrong), Err(Error::BreaksNotInOrder { sku: sku() }), "{wrong:?}");
        }
        let many: Vec<String> = (11..40).map(|quantity| quantity.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(at(&many), Err(Error::TooManyBreaks { sku: sku() }));
        let up_to = |breaks: &[&str], at_most: Option<&str>| {
            let breaks = breaks
                .iter()
                .map(|q| Break { at_least: q.parse().unwrap(), unit_price: "1".parse().unwrap() })
                .collect();
            let at_most = at_most.map(|most| most.parse().unwrap());
            with(vec![OfferedLine { breaks, at_most, ..offered("10", "2.00") }]).checked()
        };
        assert_eq!(up_to(&[], Some("10")), Ok(()));
        assert_eq!(up_to(&["20"], Some("20")), Ok(()));
        let needed = || Err(Error::LargestQuantityNeeded { sku: sku() });
        assert_eq!(up_to(&["20"], Some("19")), needed());
        assert_eq!(up_to(&["5"], Some("9")), needed());
        assert_eq!(up_to(&["20"], None), needed());
    }

    #[test]
    fn discounts_come_off_one_another_and_are_rounded_once() {
        let off = |price: &str, discounts: &[&str]| {
            let discounts = discounts.iter().map(|percent| percent.parse().unwrap());
            discounted(price.parse().unwrap(), discounts).to_string()
        };
        assert_eq!(off("10.00", &[]), "10.00");
        assert_eq!(off("10.00", &["10"]), "9.00");
        assert_eq!(off("10.00", &["10", "10"]), "8.10");
        // 0.0125 × 0.9 = 0.01125; rounded after each step it would be 0.0102.
        assert_eq!(off("0.0125", &["10"]), "0.0113");
        assert_eq!(off("0.0125", &["10", "10"]), "0.0101");
        assert_eq!(off("10.00", &["100", "5"]), "0.00");
    }

    #[test]
    fn says_what_is_saved() {
        let listed = |price: &str, line: OfferedLine| OfferedLine {
            listed: Some(price.parse().unwrap()),
            ..line
        };
        // 3 × 0.335 is 1.01, 3 × 0.30 is 0.90; dearer than the list, optional, without a list.
        let optional = OfferedLine { choice: Choice::Optional, ..offered("10", "1.00") };
        let proposal = with(vec![
            listed("0.335", offered("3", "0.30")),
            listed("2.00", offered("10", "1.50")),
            listed("1.00", offered("10", "1.20")),
            listed("9.00", optional),
            offered("1", "5.00"),
        ]);
        assert_eq!(proposal.saved(), Ok(pln("5.11")));
        assert_eq!(proposal.totals().map(|totals| totals.gross), Ok(pln("40.47")));
    }

    #[test]
    fn discounts_are_said_where_they_made_the_price() {
        let percent = |text: &str| text.parse::<Percent>().unwrap();
        let line = OfferedLine {
            listed: Some("10.00".parse().unwrap()),
            discount: Some(percent("10")),
            ..offered("1", "9.00")
        };
        assert_eq!(line.discounts(None), [percent("10")]);
        assert_eq!(line.discounts(Some(percent("5"))), [], "9.00 is no longer what they make");
        let both = OfferedLine { line: offered("1", "8.55").line, ..line.clone() };
        assert_eq!(both.discounts(Some(percent("5"))), [percent("10"), percent("5")]);
        let unlisted = OfferedLine { listed: None, ..line };
        assert_eq!(unlisted.discounts(None), []);
    }

    proptest! {
        /// Whatever is chosen, nothing is ordered but lines of the offer, at prices of the offer.
        #[test]
        fn only_what_is_offered_is_ordered(
            picks in proptest::collection::vec((0_u32..5, proptest::option::of(1_u32..80)), 0..5),
            divisible in any::<bool>(),
        ) {
            let proposal = Proposal { divisible, ..proposal() };
            let picks: Vec<Chosen> = picks
                .into_iter()
                .map(|(line, of)| chosen(line, of.map(|of| of.to_string()).as_deref()))
                .collect();
            if let Ok(lines) = proposal.choose(Some(&picks)) {
                prop_assert_eq!(lines.len(), picks.len());
                for (line, pick) in lines.iter().zip(&picks) {
                    let offered = proposal.lines.line(pick.line).unwrap();
                    let prices: Vec<UnitPrice> = offered.breaks.iter().map(|b| b.unit_price)
                        .chain([offered.line.unit_price]).collect();
                    prop_assert!(prices.contains(&line.unit_price));
                    prop_assert_eq!(line.product, offered.line.product);
                }
            }
        }
    }
}
