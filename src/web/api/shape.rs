//! What the text of a type looks like, for the OpenAPI document.

use crate::app::token::Scope;
use crate::domain::vocabulary::{
    Basis, Category, FeeOnRefund, FundType, PayeeClass, ReasonClass, Role, Source, TransferReason, Use,
};
use crate::exchange::import::FormatName;
use crate::values::{AccountId, CampaignId, CaseId, Day, FundId, StaffId, Unit};
use serde_json::{Value, json};

/// The JSON schema of a type that reads itself from a text.
pub(super) trait Shape {
    fn shape() -> Value;
}

macro_rules! words {
    ($($type:ty),+) => {
        $(impl Shape for $type {
            fn shape() -> Value {
                json!({"type": "string", "enum": Self::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()})
            }
        })+
    };
}

words!(
    Basis,
    Category,
    FeeOnRefund,
    FormatName,
    FundType,
    PayeeClass,
    ReasonClass,
    Role,
    Scope,
    Source,
    TransferReason,
    Use
);

macro_rules! names {
    ($($type:ty => $pattern:literal),+ $(,)?) => {
        $(impl Shape for $type {
            fn shape() -> Value {
                json!({"type": "string", "pattern": $pattern})
            }
        })+
    };
}

names!(
    StaffId => "^[a-z0-9_]{1,40}$",
    FundId => "^[a-z0-9_]{1,36}$",
    AccountId => "^[a-z0-9_/-]{1,40}$",
    CaseId => "^[a-z0-9_]{1,36}$",
    CampaignId => "^[a-z0-9_]{1,36}$",
    Unit => "^([A-Z]{3}|[a-z]{1,16}:[A-Za-z0-9._-]{1,32})$",
);

impl Shape for Day {
    fn shape() -> Value {
        json!({"type": "string", "format": "date"})
    }
}
