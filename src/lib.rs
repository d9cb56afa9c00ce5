//! Mingzhang 明账: a hash-chained, append-only ledger for charities in which every fen has an address.

pub mod domain;
pub mod vault;
pub mod clock;
pub mod entropy;
pub mod store;
pub mod app;
pub mod ledger;
pub mod values;
