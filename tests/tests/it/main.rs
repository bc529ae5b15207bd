//! Black-box tests of the whole house: the real binary on the real PostgreSQL and nats-server.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod assortments;
mod backup;
mod catalogue;
mod contracts;
mod conversations;
mod documents;
mod export;
mod faults;
mod firm_story;
mod firms;
mod forgery;
mod hidden;
mod house;
mod imports;
mod inboxes;
mod journeys;
mod negotiations;
mod observability;
mod offer_statistics;
mod offer_templates;
mod offers;
mod policies;
mod prices;
mod products;
mod quotation_requests;
mod reading;
mod refusals;
mod remembered;
mod set_aside;
mod territories;
mod tidy;
mod two_houses;
