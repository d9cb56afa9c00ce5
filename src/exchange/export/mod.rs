//! Rows → bytes, for others.

pub mod csv;
pub mod rejected;
