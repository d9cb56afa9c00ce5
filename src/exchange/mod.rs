//! What comes in from others and goes out to them: bytes → records, rows → bytes. Pure: opens no file, knows no ledger and no clock.

pub mod export;
pub mod import;
