//! Mingzhang 明账: a hash-chained, append-only ledger for charities in which every fen has an address.

// Pure: no I/O, no async, no clock, no randomness.
pub mod values;
pub mod rules;
pub mod ledger;
pub mod domain;
pub mod vault;
pub mod exchange;
pub mod report;

// Edges: I/O and async.
pub mod clock;
pub mod entropy;
pub mod config;
pub mod store;
pub mod app;
pub mod cli;
