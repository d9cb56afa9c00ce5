//! Use cases, for web and command line alike.

pub mod backup;
pub mod bench;
pub mod client;
pub mod copy;
pub mod demo;
pub mod export;
pub mod folder;
pub mod gift;
pub mod import;
pub mod keys;
pub mod monitor;
pub mod outside;
pub mod overview;
pub mod public_text;
pub mod publish;
pub mod reason_zh;
pub mod rebuild;
pub mod receipt;
pub mod staff;
pub mod token;
pub mod trace;
pub mod tree;
pub mod verify;
pub mod webhook;
pub mod witnessed;
pub mod writer;
