//! Use cases, for web and command line alike.

pub mod folder;
pub mod writer;
pub mod verify;
pub mod rebuild;
pub mod export;
pub mod trace;
pub mod import;
pub mod publish;
