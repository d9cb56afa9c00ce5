//! Mingzhang 明账: a hash-chained, append-only ledger for charities in which every fen has an address.

// Pure: no I/O, no async, no clock, no randomness.
pub mod domain;
pub mod exchange;
pub mod ledger;
pub mod report;
pub mod rules;
pub mod values;
pub mod vault;

// Edges: I/O and async.
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod entropy;
pub mod store;
pub mod web;
