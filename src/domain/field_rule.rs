//! What a single field of a command must be.

use crate::values::{Amount, Day, FundId, Unit};

/// Public text longer than this does not fit a report's line.
pub const TEXT_MAX: usize = 100;

/// What must hold of a field. Each sentence follows the field's name and a colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldRule {
    /// A case says what kind of need it is.
    #[error("say what kind of need it is, as minor,health")]
    CategoryWanted,
    /// An assessment that finds no need.
    #[error("the need is more than 0; decline the case where there is none")]
    NeedOfNothing,
    /// A case's own fund.
    #[error("{0} cannot be a case's own fund: it must be earmarked or agency, and no other case's")]
    NotOwnFund(FundId),
    /// The id of a fund.
    #[error("“{0}” cannot be a fund's id: at most 36 characters, without a dot")]
    NotFundId(FundId),
    /// Unrestricted money has no purpose.
    #[error("an unrestricted fund has no purpose; open it as restricted")]
    UnrestrictedHasNoPurpose,
    /// A transfer within one fund.
    #[error("money cannot move within one fund")]
    SameFund,
    /// A day of long ago.
    #[error("{0} is too long ago: check the year")]
    DayTooOld(Day),
    /// Three letters that are no currency.
    #[error("{0} is no currency of ISO 4217, as CNY or VND")]
    NoCurrency(Unit),
    /// A restricted fund without a restriction.
    #[error("a restricted fund has a purpose or uses; say which, or open it as unrestricted")]
    RestrictedWantsLimit,
    /// A place that leads to a door.
    #[error("a place down to the city, without street, number or village; it would be public for ever")]
    RegionTooExact,
    /// Cash moved within one account.
    #[error("cash cannot move within one account")]
    SameAccount,
    /// A surplus moves on a ground.
    #[error("say on what ground the surplus moves: plan, agreement or similar_purpose")]
    BasisWanted,
    /// A gift of nothing.
    #[error("a gift is more than 0")]
    GiftOfNothing,
    /// A gift of nobody.
    #[error("a gift has at least one giver")]
    GiftOfNobody,
    /// A fee that is no part of its gift.
    #[error("the fee is part of the gift: same unit, not more than the gift")]
    FeeBeyondGift,
    /// A refund of nothing, or of more than the gift.
    #[error("more than 0 and at most what is left of the gift: {0}")]
    WithinGift(Amount),
    /// More than any line can hold.
    #[error("it is more than this ledger can count")]
    TooLarge,
    /// A payment of nothing.
    #[error("a payment is more than 0")]
    PaymentOfNothing,
    /// A transfer of nothing.
    #[error("nothing is free to be moved; the amount must be more than 0")]
    NothingToMove,
    /// What can still come back of a payment.
    #[error("more than 0; at most {0} of this payment can still come back")]
    CanStillComeBack(Amount),
    /// The ledger's time zone.
    #[error("“{0}” is not a time zone")]
    NotTimeZone(String),
    /// A key that cannot come next.
    #[error("“{0}” cannot be the log's next key: it bears the log's name, and has not signed for it before")]
    NotNextKey(String),
    /// The unified social credit code. GB 32100-2015.
    #[error("“{0}” is not a unified social credit code: 18 characters, the last one checks the others")]
    NotUscc(String),
    /// An appeal ends before it starts.
    #[error("an appeal cannot end before it starts")]
    EndsBeforeStart,
    /// An account's name that a statement gives.
    #[error("{0}")]
    NotAccount(String),
    /// Public text that is empty or too long.
    #[error("it has 1 to {TEXT_MAX} characters")]
    TextLength,
    /// Public text with what cannot be seen.
    #[error("it holds line breaks, control characters or marks that turn the direction of writing")]
    TextControl,
    /// Public text that reports could never print.
    #[error("reports cannot print “{0}” (U+{code:04X}); write it in another way", code = u32::from(*.0))]
    TextGlyph(char),
}
