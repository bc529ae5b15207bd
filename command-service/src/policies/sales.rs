//! Policies that change sales.

pub(crate) mod accepted_offer_places_order;
