//! Bytes and proofs. Knows nothing of charities: not a single kind of entry is named here, but the one that changes the key.

pub mod canonical;
pub mod cash;
pub mod chain;
pub mod checkpoint;
pub mod claim;
pub mod commitment;
pub mod cosignature;
pub mod entry;
pub mod follow;
pub mod line;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod posting;
pub mod proof;
pub mod receipt;
pub mod rotation;
pub mod sum_tree;
pub mod tile;
pub mod trace;
pub mod transfer;
pub mod verify;
pub mod witness;
