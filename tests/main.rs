//! One binary, one module per capability.

mod report;
