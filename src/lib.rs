//! Mingzhang 明账: a hash-chained, append-only ledger for charities in which every fen has an address.

pub mod values;

pub mod exchange;
