//! What one warehouse holds of a product: its lots, and how much of it is allocated to orders.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Error, level::Balance, lot::Lot};
use crate::kernel::Reference;

/// The goods of one product in one warehouse.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// Balances by lot: what expires first is first, goods without a lot are last. None is zero.
    lots: Vec<(Option<Lot>, Balance)>,
    on_hand: Balance,
    allocated: Balance,
}

/// Which goods are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick<'a> {
    /// How much.
    pub(super) quantity: Decimal,
    /// Of this lot only.
    pub(super) lot: Option<&'a Reference>,
    /// Only of lots that are good on this day.
    pub(super) good_on: Option<Date>,
    /// Whether more may be taken than there is.
    pub(super) beyond: bool,
}

impl Holding {
    /// How many lots of a product a warehouse keeps apart.
    pub const MOST_LOTS: usize = 1_000;

    /// How much is in the warehouse.
    pub fn on_hand(&self) -> Decimal {
        self.on_hand.units()
    }

    /// How much of that is allocated to orders.
    pub fn allocated(&self) -> Decimal {
        self.allocated.units()
    }

    /// What can be allocated.
    pub fn free(&self) -> Decimal {
        (self.on_hand() - self.allocated()).max(Decimal::ZERO)
    }

    /// The balance of a lot.
    pub(super) fn of_lot(&self, code: &Reference) -> Decimal {
        let is_it = |lot: &Option<Lot>| lot.as_ref().is_some_and(|lot| lot.code == *code);
        let found = self.lots.iter().find(|(lot, _)| is_it(lot));
        found.map_or(Decimal::ZERO, |(_, balance)| balance.units())
    }

    /// A lot by its code.
    pub(super) fn lot(&self, code: &Reference) -> Option<&Lot> {
        self.lots.iter().filter_map(|(lot, _)| lot.as_ref()).find(|lot| lot.code == *code)
    }

    /// Whether it keeps lots apart.
    pub(super) fn has_lots(&self) -> bool {
        self.lots.iter().any(|(lot, _)| lot.is_some())
    }

    /// Whether one more lot fits.
    pub(super) fn admits(&self, lot: Option<&Lot>) -> Result<(), Error> {
        let is_new = lot.is_some_and(|lot| self.lot(&lot.code).is_none());
        if is_new && self.lots.len() >= Self::MOST_LOTS {
            return Err(Error::TooManyLots);
        }
        Ok(())
    }

    /// Which lots are taken: what expires first leaves first.
    pub(super) fn pick(&self, pick: Pick<'_>) -> Result<Vec<(Option<Lot>, Decimal)>, Error> {
        let Pick { quantity, lot, good_on, beyond } = pick;
        let is_wanted = |(of, balance): &&(Option<Lot>, Balance)| {
            let is_named = lot.is_none_or(|code| of.as_ref().is_some_and(|of| of.code == *code));
            balance.units() > Decimal::ZERO && is_named
        };
        let is_good = |of: &Option<Lot>| {
            let best_before = of.as_ref().and_then(|of| of.best_before);
            good_on.zip(best_before).is_none_or(|(day, best_before)| day <= best_before)
        };
        let (mut rest, mut expired, mut taken) = (quantity, Decimal::ZERO, Vec::new());
        for (of, balance) in self.lots.iter().filter(is_wanted) {
            if !is_good(of) {
                expired += balance.units();
                continue;
            }
            let part = balance.units().min(rest);
            if part.is_zero() {
                break;
            }
            taken.push((of.clone(), part));
            rest -= part;
        }
        if rest.is_zero() {
            return Ok(taken);
        }
        if beyond && lot.is_none() {
            match taken.iter_mut().find(|(of, _)| of.is_none()) {
                Some((_, part)) => *part += rest,
                None => taken.push((None, rest)),
            }
            return Ok(taken);
        }
        let on_hand = Balance::ZERO.changed(quantity - rest);
        Err(if expired >= rest { Error::Expired { on_hand } } else { Error::NotOnHand { on_hand } })
    }

    /// Changes the balance of a lot.
    pub(super) fn change(&mut self, lot: Option<Lot>, by: Decimal) {
        self.on_hand = self.on_hand.changed(by);
        let code = lot.as_ref().map(|lot| &lot.code);
        let place = self.lots.iter().position(|(of, _)| of.as_ref().map(|of| &of.code) == code);
        match place {
            Some(place) => {
                self.lots[place].1 = self.lots[place].1.changed(by);
                if self.lots[place].1 == Balance::ZERO {
                    self.lots.remove(place);
                }
            }
            None if by.is_zero() => {}
            None => {
                let order = |lot: &Option<Lot>| match lot {
                    Some(Lot { code, best_before }) => {
                        (0, best_before.is_none(), *best_before, Some(code.clone()))
                    }
                    None => (1, true, None, None),
                };
                let key = order(&lot);
                let place = self.lots.partition_point(|(of, _)| order(of) < key);
                self.lots.insert(place, (lot, Balance::ZERO.changed(by)));
            }
        }
    }

    /// Changes what is allocated.
    pub(super) fn allocate(&mut self, by: Decimal) {
        self.allocated = self.allocated.changed(by);
    }
}
