//! One binary for all capabilities, so that it links once and runs in parallel.

#![expect(clippy::print_stderr, reason = "a test that did not run says so")]
#![expect(clippy::disallowed_methods, reason = "tests look at the machine that they run on")]

mod algebra;
mod api;
mod architecture;
mod books;
mod browser;
mod by_server;
mod checker;
mod conformance;
mod connections;
mod corrections;
mod database;
mod donor;
mod dry_run;
mod edges;
mod faults;
mod fuzz;
mod hammer;
mod http;
mod import_formats;
mod keep;
mod matrix;
mod monitor;
mod nodes;
mod operation;
mod outages;
mod outside;
mod readme;
mod receipts;
mod report;
mod rotation;
mod served;
mod statements;
mod steps;
mod store;
mod story;
mod strained;
mod tiles;
mod vectors;
mod webhooks;
mod witness;
mod writer;
