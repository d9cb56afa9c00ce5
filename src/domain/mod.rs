//! What charities do: commands, the rules they are judged by, and the state that entries leave behind. Knows no database.

pub mod aim;
pub mod body;
pub mod campaign;
pub mod case;
pub mod command;
pub mod correction;
pub mod decide;
pub mod disbursement;
pub mod disclosure;
pub mod donation;
pub mod field_rule;
pub mod fund;
pub mod organisation;
pub mod receipt;
pub mod refusal;
pub mod refusal_zh;
pub mod sums;
pub mod terms;
pub mod vocabulary;
pub mod working_set;
