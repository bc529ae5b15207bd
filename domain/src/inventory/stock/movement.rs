//! Movements of goods: what each needs to be possible, and which lots it takes.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    Available, Balance, Disposition, Error, Event, Holding, Lot, LotChange, LotQuantity, Stock,
    Taken, holding::Pick, reservation::Key,
};
use crate::kernel::{ProductId, Quantity, Reference, WarehouseId};

impl Stock {
    /// The lot of goods that come in, as it is known.
    pub(super) fn lot_in(&self, lot: Option<Lot>) -> Result<Option<Lot>, Error> {
        let Some(lot) = lot else {
            let required = self.settings.lots_required;
            return if required { Err(Error::LotRequired) } else { Ok(None) };
        };
        if let Some(day) = lot.best_before {
            crate::kernel::day::checked(day)?;
        }
        let known = self.holdings.values().find_map(|holding| holding.lot(&lot.code));
        match known {
            None => Ok(Some(lot)),
            Some(known) if lot.best_before.is_none() || *known == lot => Ok(Some(known.clone())),
            Some(_) => Err(Error::LotDiffers { code: lot.code }),
        }
    }

    /// Whether a warehouse can hold so much more.
    pub(super) fn admits(
        &self,
        warehouse: WarehouseId,
        lot: Option<&Lot>,
        more: Decimal,
    ) -> Result<(), Error> {
        let nothing = Holding::default();
        let holding = self.holdings.get(&warehouse).unwrap_or(&nothing);
        holding.admits(lot)?;
        let after = holding.on_hand() + more;
        if after.abs() > Balance::CEILING { Err(Error::TooMuch) } else { Ok(()) }
    }

    /// A difference by lots.
    pub(super) fn difference(
        &self,
        warehouse: WarehouseId,
        change: Decimal,
        lot: Option<Lot>,
    ) -> Result<Vec<LotChange>, Error> {
        if change.is_zero() {
            return Err(Error::NoChange);
        }
        self.admits(warehouse, None, change)?;
        if change > Decimal::ZERO {
            let lot = self.lot_in(lot)?;
            self.admits(warehouse, lot.as_ref(), change)?;
            return Ok(vec![LotChange { lot, change: Balance::ZERO.changed(change) }]);
        }
        let code = lot.map(|lot| lot.code);
        let picked = self.pick(warehouse, -change, code.as_ref())?;
        let less = |(lot, part): (Option<Lot>, Decimal)| LotChange {
            lot,
            change: Balance::ZERO.changed(-part),
        };
        Ok(picked.into_iter().map(less).collect())
    }

    /// A stock-taking: the difference is recorded, also when there is none.
    pub(super) fn count(
        &self,
        product: ProductId,
        warehouse: WarehouseId,
        counted: Available,
        lot: Option<Lot>,
        reference: Option<Reference>,
    ) -> Result<Vec<Event>, Error> {
        let holding = self.holdings.get(&warehouse);
        let must_name = self.settings.lots_required && holding.is_some_and(Holding::has_lots);
        if lot.is_none() && must_name {
            return Err(Error::LotRequired);
        }
        let expected = match &lot {
            Some(lot) => self.on_hand_of(warehouse, &lot.code),
            None => self.on_hand(warehouse),
        };
        let difference = counted.units() - expected.units();
        let lots = if difference.is_zero() {
            vec![]
        } else {
            self.difference(warehouse, difference, lot.clone())?
        };
        let lot = match lot {
            Some(lot) => self.lot_in(Some(lot))?,
            None => None,
        };
        let event = Event::Counted { product, warehouse, expected, counted, lot, lots, reference };
        Ok(self.moved(product, event))
    }

    /// Goods that move to another warehouse, by lots.
    pub(super) fn transferred(
        &self,
        (from, to): (WarehouseId, WarehouseId),
        quantity: Quantity,
        lot: Option<&Reference>,
    ) -> Result<Vec<LotQuantity>, Error> {
        if from == to {
            return Err(Error::SameWarehouse);
        }
        let lots = self.take_from(from, quantity, lot)?;
        for LotQuantity { lot, quantity } in &lots {
            self.admits(to, lot.as_ref(), quantity.units())?;
        }
        self.admits(to, None, quantity.units())?;
        Ok(lots)
    }

    /// The lot of goods that come back.
    pub(super) fn lot_of_returned(
        &self,
        warehouse: WarehouseId,
        quantity: Quantity,
        lot: Option<Lot>,
        disposition: Disposition,
    ) -> Result<Option<Lot>, Error> {
        let lot = match disposition {
            Disposition::Restock => self.lot_in(lot)?,
            Disposition::SecondChoice | Disposition::Scrap => lot,
        };
        self.admits(warehouse, lot.as_ref(), quantity.units())?;
        Ok(lot)
    }

    /// Goods that leave a warehouse, by lots.
    pub(super) fn take_from(
        &self,
        warehouse: WarehouseId,
        quantity: Quantity,
        lot: Option<&Reference>,
    ) -> Result<Vec<LotQuantity>, Error> {
        self.admits(warehouse, None, -quantity.units())?;
        let picked = self.pick(warehouse, quantity.units(), lot)?;
        let of_lot = |(lot, part)| Some(LotQuantity { lot, quantity: Quantity::new(part).ok()? });
        Ok(picked.into_iter().filter_map(of_lot).collect())
    }

    fn pick(
        &self,
        warehouse: WarehouseId,
        quantity: Decimal,
        lot: Option<&Reference>,
    ) -> Result<Vec<(Option<Lot>, Decimal)>, Error> {
        let nothing = Holding::default();
        let holding = self.holdings.get(&warehouse).unwrap_or(&nothing);
        let beyond = self.settings.negative_allowed;
        holding.pick(Pick { quantity, lot, good_on: None, beyond })
    }

    /// Goods that are allocated to an order line and leave.
    pub(super) fn ship(
        &self,
        (order, line): Key,
        quantity: Quantity,
        warehouse: Option<WarehouseId>,
        on: Date,
    ) -> Result<Vec<Taken>, Error> {
        let reservation = self.reservations.get(order, line);
        let has = reservation.map(|one| one.allocated.clone()).unwrap_or_default();
        let mut has: Vec<(WarehouseId, Decimal)> = has
            .into_iter()
            .filter(|(place, _)| warehouse.is_none_or(|wanted| wanted == *place))
            .map(|(place, quantity)| (place, quantity.units()))
            .collect();
        // As few warehouses as possible.
        has.sort_by_key(|(place, quantity)| (std::cmp::Reverse(*quantity), *place));
        let allocated: Decimal = has.iter().map(|(_, quantity)| *quantity).sum();
        if allocated < quantity.units() {
            return Err(Error::NotAllocated { allocated: Balance::ZERO.changed(allocated) });
        }
        let (mut rest, mut taken) = (quantity.units(), Vec::new());
        for (warehouse, allocated) in has {
            let part = allocated.min(rest);
            if part.is_zero() {
                break;
            }
            rest -= part;
            let beyond = self.settings.negative_allowed;
            let pick = Pick { quantity: part, lot: None, good_on: Some(on), beyond };
            let Some(holding) = self.holdings.get(&warehouse) else { continue };
            for (lot, part) in holding.pick(pick)? {
                if let Ok(quantity) = Quantity::new(part) {
                    taken.push(Taken { warehouse, lot, quantity });
                }
            }
        }
        Ok(taken)
    }
}
