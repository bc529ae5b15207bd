//! What of one order is on pick lists, and what of it was picked: a quantity is on one open list at
//! most. Internal: pick lists decide about it in the same append.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{
        CompanyId, OfCompany, OrderId, PickListId, Quantity, aggregate::aggregate,
        refusal::refusals,
    },
    sales::order::Item,
};

/// What of an order is on open lists, and what was picked of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Picking {
    /// What open lists hold.
    assigned: BTreeMap<PickListId, Vec<Item>>,
    /// What completed lists have picked, by line number.
    #[serde(with = "crate::kernel::numbered")]
    picked: BTreeMap<u32, Decimal>,
}

/// How much of a line of the order is still to leave, and how much has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineState {
    /// The line's number, counted from 1.
    pub line: u32,
    /// What is still to leave.
    pub outstanding: Quantity,
    /// What has left.
    pub shipped: Decimal,
}

/// The commands of a picking.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Put lines on a new list.
    Assign {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
        /// Which lines, and how much of each; `None` is all that is to be picked.
        items: Option<Vec<Item>>,
        /// The order's lines that are still to leave.
        lines: Vec<LineState>,
    },
    /// The list is completed.
    Pick {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
        /// What was picked.
        items: Vec<Item>,
    },
    /// The list is cancelled.
    Release {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
    },
}

/// What happened to a picking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Lines were put on a list.
    Assigned {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
        /// Which lines, and how much of each.
        items: Vec<Item>,
    },
    /// The list is completed.
    Picked {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
        /// What was picked; the rest is to be picked again.
        items: Vec<Item>,
    },
    /// The list is cancelled: what it held is to be picked again.
    Released {
        /// The order.
        order: OrderId,
        /// The list.
        pick_list: PickListId,
    },
}

aggregate!(Picking, "picking", {
    Assigned => "assigned" v 1,
    Picked => "picked" v 1,
    Released => "released" v 1,
});

/// Why a picking refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line is named twice.
    #[error("line {line} is named twice")]
    NamedTwice {
        /// Its number.
        line: u32,
    },
    /// More than is to be picked: the rest is on other lists, was picked, or has left.
    #[error("line {line} has only {available} to pick")]
    TooMuch {
        /// Its number.
        line: u32,
        /// What is to be picked of it.
        available: Decimal,
    },
    /// All of it is on other lists, was picked, or has left.
    #[error("nothing of the order is to be picked")]
    NothingToPick,
}

refusals!(Error, {
    NamedTwice => ("picking.line_named_twice", Invalid),
    TooMuch => ("picking.too_much", State),
    NothingToPick => ("picking.nothing_to_pick", State),
});

impl Picking {
    /// Every rule of a picking.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::Assign { order, pick_list, items, lines } => {
                if self.assigned.contains_key(&pick_list) {
                    return Ok(vec![]);
                }
                let items = match items {
                    Some(items) => self.checked(items, &lines)?,
                    None => self.to_pick(&lines),
                };
                if items.is_empty() {
                    return Err(Error::NothingToPick);
                }
                Ok(vec![Event::Assigned { order, pick_list, items }])
            }
            Command::Pick { order, pick_list, items } => {
                let is_assigned = self.assigned.contains_key(&pick_list);
                let picked = is_assigned.then_some(Event::Picked { order, pick_list, items });
                Ok(picked.into_iter().collect())
            }
            Command::Release { order, pick_list } => {
                let is_assigned = self.assigned.contains_key(&pick_list);
                let released = is_assigned.then_some(Event::Released { order, pick_list });
                Ok(released.into_iter().collect())
            }
        }
    }

    /// What is to be picked of an order: what is outstanding, without what is on open lists, and
    /// without what was picked and has not left. What leaves is taken from what was picked first.
    pub fn to_pick(&self, lines: &[LineState]) -> Vec<Item> {
        let item = |state: &LineState| {
            let quantity = Quantity::new(self.available(state)).ok()?;
            Some(Item { line: state.line, quantity })
        };
        lines.iter().filter_map(item).collect()
    }

    fn available(&self, state: &LineState) -> Decimal {
        let items = self.assigned.values().flatten();
        let assigned: Decimal =
            items.filter(|item| item.line == state.line).map(|item| item.quantity.units()).sum();
        let picked = self.picked.get(&state.line).copied().unwrap_or_default();
        let waiting = (picked - state.shipped).max(Decimal::ZERO);
        (state.outstanding.units() - assigned - waiting).max(Decimal::ZERO)
    }

    fn checked(&self, items: Vec<Item>, lines: &[LineState]) -> Result<Vec<Item>, Error> {
        let mut named = BTreeSet::new();
        for &Item { line, quantity } in &items {
            if !named.insert(line) {
                return Err(Error::NamedTwice { line });
            }
            let state = lines.iter().find(|state| state.line == line);
            let available = state.map_or(Decimal::ZERO, |state| self.available(state));
            if quantity.units() > available {
                return Err(Error::TooMuch { line, available });
            }
        }
        Ok(items)
    }

    /// What a list holds of the order.
    pub fn on(&self, pick_list: PickListId) -> &[Item] {
        self.assigned.get(&pick_list).map_or(&[], Vec::as_slice)
    }

    fn evolve(mut self, event: Event) -> Self {
        match event {
            Event::Assigned { pick_list, items, .. } => {
                self.assigned.insert(pick_list, items);
            }
            Event::Picked { pick_list, items, .. } => {
                self.assigned.remove(&pick_list);
                for Item { line, quantity } in items {
                    *self.picked.entry(line).or_default() += quantity.units();
                }
            }
            Event::Released { pick_list, .. } => {
                self.assigned.remove(&pick_list);
            }
        }
        self
    }
}

impl OfCompany for Picking {
    /// How the seller picks is its own affair.
    fn company(&self) -> Option<CompanyId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::answer;

    fn order() -> OrderId {
        OrderId(Uuid::from_u128(1))
    }

    fn list(number: u128) -> PickListId {
        PickListId(Uuid::from_u128(number))
    }

    fn item(line: u32, quantity: &str) -> Item {
        Item { line, quantity: quantity.parse().unwrap() }
    }

    /// Line 1 with so much to leave and so much that has left.
    fn state(outstanding: &str, shipped: i64) -> Vec<LineState> {
        let outstanding = outstanding.parse().unwrap();
        vec![LineState { line: 1, outstanding, shipped: shipped.into() }]
    }

    fn assign(number: u128, items: Option<Vec<Item>>, lines: Vec<LineState>) -> Command {
        Command::Assign { order: order(), pick_list: list(number), items, lines }
    }

    fn assigned(number: u128, quantity: &str) -> Event {
        let items = vec![item(1, quantity)];
        Event::Assigned { order: order(), pick_list: list(number), items }
    }

    fn picked(number: u128, items: Vec<Item>) -> Event {
        Event::Picked { order: order(), pick_list: list(number), items }
    }

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<Picking>(given, when), then);
    }

    #[test]
    fn a_quantity_is_on_one_open_list_at_most() {
        check(&[], assign(1, None, state("10", 0)), Ok(vec![assigned(1, "10")]));
        let given = [assigned(1, "4")];
        check(&given, assign(2, None, state("10", 0)), Ok(vec![assigned(2, "6")]));
        check(&given, assign(1, None, state("10", 0)), Ok(vec![]));
        let much = assign(2, Some(vec![item(1, "7")]), state("10", 0));
        check(&given, much, Err(Error::TooMuch { line: 1, available: 6.into() }));
        let other = assign(2, Some(vec![item(2, "1")]), state("10", 0));
        check(&given, other, Err(Error::TooMuch { line: 2, available: 0.into() }));
        let twice = assign(2, Some(vec![item(1, "1"), item(1, "1")]), state("10", 0));
        check(&given, twice, Err(Error::NamedTwice { line: 1 }));
        let all = [assigned(1, "10")];
        check(&all, assign(2, None, state("10", 0)), Err(Error::NothingToPick));
    }

    #[test]
    fn what_was_not_found_is_picked_again() {
        let given = [assigned(1, "10"), picked(1, vec![item(1, "7")])];
        check(&given, assign(2, None, state("10", 0)), Ok(vec![assigned(2, "3")]));
        // Five of the seven have left.
        check(&given, assign(2, None, state("5", 5)), Ok(vec![assigned(2, "3")]));
        let released = Event::Released { order: order(), pick_list: list(1) };
        let release = Command::Release { order: order(), pick_list: list(1) };
        check(&[assigned(1, "10")], release.clone(), Ok(vec![released.clone()]));
        let given = [assigned(1, "10"), released];
        check(&given, release, Ok(vec![]));
        check(&given, assign(2, None, state("10", 0)), Ok(vec![assigned(2, "10")]));
    }

    proptest! {
        /// Over random histories of lists and dispatches: what is on open lists and what was picked
        /// and has not left is never more than what is outstanding, when goods leave as picked.
        #[test]
        fn no_quantity_is_picked_twice(steps in prop::collection::vec((0_u8..4, 1_i64..6), 1..40)) {
            let (ordered, mut shipped, mut picking) = (20_i64, 0_i64, Picking::default());
            let (mut open, mut ready) = (Vec::new(), 0_i64);
            for (step, (kind, units)) in (1_u128..).zip(steps) {
                let outstanding = ordered - shipped;
                let Ok(quantity) = Quantity::new(outstanding.into()) else { break };
                let lines = vec![LineState { line: 1, outstanding: quantity, shipped: shipped.into() }];
                let command = match kind {
                    0 => assign(step, Some(vec![item(1, &units.to_string())]), lines),
                    1 if !open.is_empty() => {
                        let (number, held) = open.remove(0);
                        let found = units.min(held);
                        ready += found;
                        let items = vec![item(1, &found.to_string())];
                        Command::Pick { order: order(), pick_list: list(number), items }
                    }
                    2 if !open.is_empty() => {
                        let (number, _) = open.remove(0);
                        Command::Release { order: order(), pick_list: list(number) }
                    }
                    _ => {
                        let leaves = units.min(ready);
                        ready -= leaves;
                        shipped += leaves;
                        continue;
                    }
                };
                for event in picking.decide(command).unwrap_or_default() {
                    if let Event::Assigned { items, .. } = &event {
                        prop_assert_eq!(items[0].quantity.units(), Decimal::from(units));
                        open.push((step, units));
                    }
                    picking = picking.evolve(event);
                }
                let on_lists: i64 = open.iter().map(|(_, held)| held).sum();
                prop_assert!(on_lists + ready <= ordered - shipped);
            }
        }
    }
}
