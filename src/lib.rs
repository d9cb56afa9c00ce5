//! Mingzhang 明账: a hash-chained, append-only ledger for charities in which every fen has an address.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod entropy;
pub mod ledger;
pub mod store;
pub mod values;
pub mod vault;
