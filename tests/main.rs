//! One binary for all capabilities, so that it links once and runs in parallel.
#![expect(clippy::tests_outside_test_module, reason = "every file here is a test module")]

mod model;
mod vectors;
