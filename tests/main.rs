//! One binary for all capabilities, so that it links once and runs in parallel.

mod vectors;
mod model;
mod import_formats;
mod report;
