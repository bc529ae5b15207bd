//! Black-box tests of the whole house: the real binary on the real PostgreSQL and nats-server.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod assortments;
mod backup;
mod catalogue;
mod contracts;
mod export;
mod faults;
mod firm_story;
mod firms;
mod forgery;
mod house;
mod imports;
mod journeys;
mod observability;
mod policies;
mod prices;
mod products;
mod reading;
mod refusals;
mod tidy;
mod two_houses;
