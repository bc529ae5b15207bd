//! The quantities of one invoice that goods returns hold: requested and not credited yet, or received
//! and kept without a credit note.
//!
//! The id of its stream derives from the invoice, and every return of the invoice writes to it, so that
//! concurrent returns cannot hold more than was sold and is not credited.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    CompanyId, GoodsReturnId, OfCompany, Quantity, aggregate::aggregate, refusal::refusals,
};

/// Numbers of units, by the line of the invoice.
pub type Quantities = BTreeMap<u32, Decimal>;

/// What the returns of one invoice hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvoiceReturns {
    company: Option<CompanyId>,
    /// By return, and by the line of the invoice.
    held: BTreeMap<GoodsReturnId, Quantities>,
}

/// The commands.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Set what a return holds.
    Hold {
        /// Whose invoice it is.
        company: CompanyId,
        /// The return.
        goods_return: GoodsReturnId,
        /// What it holds from now on, by the line of the invoice.
        held: Quantities,
        /// What of the lines of the invoice is not credited, as the invoice says.
        not_credited: Quantities,
    },
}

/// What happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A return holds these quantities, and no others.
    Held {
        /// Whose invoice it is.
        company: CompanyId,
        /// The return.
        goods_return: GoodsReturnId,
        /// What it holds; nothing when it has ended.
        items: Vec<Item>,
    },
}

/// So much of one line of the invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "HeldItem")]
pub struct Item {
    /// The line's number on the invoice, counted from 1.
    pub line: u32,
    /// How much of it.
    pub quantity: Quantity,
}

aggregate!(InvoiceReturns, "invoice_returns", { Held => "held" v 1 });

/// Why it refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than was sold and is neither credited nor held by other returns.
    #[error("only {left} of line {line} of the invoice is neither credited nor in another return")]
    MoreThanLeft {
        /// The line's number on the invoice.
        line: u32,
        /// The quantity that can still be returned.
        left: Decimal,
    },
}

refusals!(Error, { MoreThanLeft => ("goods_return.more_than_left", State) });

impl InvoiceReturns {
    /// Every rule of it. What a return held already it may keep.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let Command::Hold { company, goods_return, mut held, not_credited } = command;
        held.retain(|_, quantity| !quantity.is_zero());
        let none = BTreeMap::new();
        let before = self.held.get(&goods_return).unwrap_or(&none);
        if *before == held {
            return Ok(vec![]);
        }
        for (&line, &quantity) in &held {
            if quantity <= before.get(&line).copied().unwrap_or_default() {
                continue;
            }
            let others = self.held.iter().filter(|(other, _)| **other != goods_return);
            let others: Decimal = others.filter_map(|(_, held)| held.get(&line)).sum();
            let left = not_credited.get(&line).copied().unwrap_or_default() - others;
            if quantity > left {
                return Err(Error::MoreThanLeft { line, left: left.max(Decimal::ZERO) });
            }
        }
        let item = |(line, units)| Some(Item { line, quantity: Quantity::new(units).ok()? });
        let items = held.into_iter().filter_map(item).collect();
        Ok(vec![Event::Held { company, goods_return, items }])
    }

    fn evolve(mut self, event: Event) -> Self {
        let Event::Held { company, goods_return, items } = event;
        self.company = Some(company);
        if items.is_empty() {
            self.held.remove(&goods_return);
        } else {
            let held = items.into_iter().map(|item| (item.line, item.quantity.units()));
            self.held.insert(goods_return, held.collect());
        }
        self
    }
}

impl OfCompany for InvoiceReturns {
    fn company(&self) -> Option<CompanyId> {
        self.company
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{answer, company};

    fn goods_return(number: u128) -> GoodsReturnId {
        GoodsReturnId(Uuid::from_u128(number))
    }

    fn lines(quantities: &[(u32, &str)]) -> Quantities {
        quantities.iter().map(|(line, units)| (*line, units.parse().unwrap())).collect()
    }

    fn hold(number: u128, held: &[(u32, &str)], not_credited: &[(u32, &str)]) -> Command {
        Command::Hold {
            company: company(),
            goods_return: goods_return(number),
            held: lines(held),
            not_credited: lines(not_credited),
        }
    }

    fn held(number: u128, items: &[(u32, &str)]) -> Event {
        let item =
            |(line, units): &(u32, &str)| Item { line: *line, quantity: units.parse().unwrap() };
        Event::Held {
            company: company(),
            goods_return: goods_return(number),
            items: items.iter().map(item).collect(),
        }
    }

    #[track_caller]
    fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
        assert_eq!(answer::<InvoiceReturns>(given, when), then);
    }

    #[test]
    fn returns_hold_together_no_more_than_is_not_credited() {
        let sold = [(1, "10"), (2, "0.5")];
        let given = [held(1, &[(1, "6")])];
        check(&[], hold(1, &[(1, "6")], &sold), Ok(vec![held(1, &[(1, "6")])]));
        check(&given, hold(2, &[(1, "4"), (2, "0.5")], &sold), {
            Ok(vec![held(2, &[(1, "4"), (2, "0.5")])])
        });
        let left = Decimal::from(4);
        check(&given, hold(2, &[(1, "4.001")], &sold), Err(Error::MoreThanLeft { line: 1, left }));
        let left = Decimal::ZERO;
        check(&given, hold(2, &[(3, "1")], &sold), Err(Error::MoreThanLeft { line: 3, left }));
        // A credit note without a return has taken five meanwhile.
        check(&given, hold(2, &[(1, "1")], &[(1, "5")]), {
            Err(Error::MoreThanLeft { line: 1, left })
        });
    }

    #[test]
    fn a_return_keeps_or_lowers_what_it_holds() {
        let given = [held(1, &[(1, "6")])];
        check(&given, hold(1, &[(1, "6")], &[]), Ok(vec![]));
        check(&given, hold(1, &[(1, "2")], &[]), Ok(vec![held(1, &[(1, "2")])]));
        check(&given, hold(1, &[(1, "0")], &[]), Ok(vec![held(1, &[])]));
        check(&[given[0].clone(), held(1, &[])], hold(1, &[], &[]), Ok(vec![]));
        check(&[given[0].clone(), held(1, &[])], hold(2, &[(1, "10")], &[(1, "10")]), {
            Ok(vec![held(2, &[(1, "10")])])
        });
    }
}
