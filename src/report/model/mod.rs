//! Typed numbers of each kind of report, from rows at a tree size.

pub mod case;
pub mod receipt;
