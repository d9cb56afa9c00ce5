//! One binary for all capabilities, so that it links once and runs in parallel.

mod import_formats;
mod model;
mod report;
mod vectors;
