//! Tokens for programs: shown once, kept as a keyed hash with whom they stand for, what for, and until when.

use super::code;
use super::opened::Opened;
use crate::store::StoreError;
use crate::values::{Hash, StaffId, Timestamp};

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything that its user may do.
    All,
    /// Recording gifts only, as a payment channel does.
    Donations,
}

/// A token that was found, and is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whom it stands for.
    pub staff: StaffId,
    /// What for.
    pub scope: Scope,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 2] = [Self::All, Self::Donations];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Donations => "donations",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self::All),
            "donations" => Ok(Self::Donations),
            other => Err(format!("“{other}” is not a scope; one of: all, donations")),
        }
    }
}

const PURPOSE: &str = "token";

/// Keeps a token's hash.
pub async fn keep(
    opened: &Opened,
    token: &str,
    staff: &StaffId,
    scope: Scope,
    until: Timestamp,
) -> Result<(), StoreError> {
    let subject = format!("{staff} {} {}", scope.as_str(), until.millis());
    let hash = opened.keys.vault.code_hash(token);
    code::keep(opened, PURPOSE, hash, &subject).await
}

/// Ends all tokens of a user; gives how many there were.
pub async fn revoke(opened: &Opened, staff: &StaffId) -> Result<u64, StoreError> {
    opened.store.remove_codes(opened.row.ledger_id, PURPOSE, &format!("{staff} ")).await
}

/// Finds a token that is valid at `now`, by its keyed hash: the time that takes says nothing about the token.
pub async fn find(opened: &Opened, hash: Hash, now: Timestamp) -> Result<Option<Token>, StoreError> {
    let Some(subject) = code::opens(opened, PURPOSE, hash).await? else { return Ok(None) };
    let damaged = || StoreError::Damaged { table: "code", what: "a token's row cannot be read".into() };
    let mut parts = subject.split(' ');
    let (Some(staff), Some(scope), Some(until)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(damaged());
    };
    let staff = StaffId::parse(staff).map_err(|_| damaged())?;
    let scope = scope.parse().map_err(|_| damaged())?;
    let until: i64 = until.parse().map_err(|_| damaged())?;
    Ok((now.millis() < until).then_some(Token { staff, scope }))
}
