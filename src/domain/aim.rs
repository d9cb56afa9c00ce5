//! What the money of a fund is for, where that is not what was asked of it.

use super::vocabulary::{Category, Use};
use crate::values::{CaseId, FundId};
use std::fmt;

/// What money is for, or was meant to be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// One case, with its categories where they decide.
    Case(CaseId, Vec<Category>),
    /// A use for a case.
    UseOfCase(Use, CaseId, Vec<Category>),
    /// Cases of some categories.
    Categories(Vec<Category>),
    /// Some uses.
    Uses(Vec<Use>),
    /// Another fund.
    Fund(FundId),
    /// An endowment.
    Principal,
    /// An agency fund.
    Beneficiary,
    /// What its donors gave it for.
    DonorsPurpose,
    /// Anything at all.
    Anything,
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case(case, categories) if categories.is_empty() => write!(f, "case {case}"),
            Self::Case(case, categories) => write!(f, "case {case} ({})", list(categories)),
            Self::UseOfCase(purpose, case, categories) => write!(f, "{purpose} of case {case} ({})", list(categories)),
            Self::Categories(categories) => f.write_str(&list(categories)),
            Self::Uses(uses) => f.write_str(&list(uses)),
            Self::Fund(fund) => write!(f, "fund {fund}"),
            Self::Principal => f.write_str("keeping its principal"),
            Self::Beneficiary => f.write_str("its named beneficiary"),
            Self::DonorsPurpose => f.write_str("the purpose its donors gave it"),
            Self::Anything => f.write_str("money without a purpose"),
        }
    }
}

fn list<T: ToString>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
