//! Legal numbers with their sources, as data.

pub mod deadline;

pub use deadline::{Deadline, DeadlineError, deadline};
