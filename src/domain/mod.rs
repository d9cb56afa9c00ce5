//! What charities do.

pub mod vocabulary;
