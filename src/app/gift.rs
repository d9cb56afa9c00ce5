//! From what a cashier or a statement says of a gift to the command that records it: the donor's record, its commitment and what the
//! vault keeps.

use super::writer::{Secret, Submission, order_text};
use crate::domain::command::{Order, ReceiveDonation};
use crate::domain::vocabulary::Source;
use crate::entropy::Entropy;
use crate::ledger::canonical::{NotWritable, Object};
use crate::ledger::commitment;
use crate::values::text::nfc;
use crate::values::{AccountId, Amount, Day, FundId, StaffId};
use crate::vault::Fresh;

/// A gift, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gift {
    /// Into this fund.
    pub fund: FundId,
    /// To this account.
    pub account: AccountId,
    /// What the donor gave.
    pub gross: Amount,
    /// What the channel kept of it.
    pub fee: Option<Amount>,
    /// Where it came from.
    pub source: Source,
    /// Givers behind it, for a cash box.
    pub gift_count: Option<u64>,
    /// The day.
    pub on: Day,
    /// What only this donor has: the channel's order number, the number of the paper slip.
    pub order_no: String,
    /// Name, only if given.
    pub name: Option<String>,
    /// Contact, only if given.
    pub contact: Option<String>,
    /// What the donor or the bank wrote beside it, only if given.
    pub memo: Option<String>,
}

/// Salt, key and nonce for one record.
pub fn fresh(entropy: &mut Entropy) -> Fresh {
    Fresh { salt: entropy.bytes(), person_key: entropy.bytes(), nonce: entropy.bytes() }
}

/// Makes the command, with what is fresh for this gift.
pub fn submission(ledger: &str, by: &StaffId, gift: Gift, fresh: Fresh) -> Result<Submission, NotWritable> {
    let order = order_text(&gift.order_no, gift.gross);
    let mut record = Object::new()
        .integer("amount", gift.gross.minor())
        .text("ledger", ledger)
        .text("on", gift.on.to_string())
        .text("order_no", nfc(&gift.order_no))
        .text("unit", gift.gross.unit().to_string());
    for (member, text) in [("name", &gift.name), ("contact", &gift.contact), ("memo", &gift.memo)] {
        if let Some(text) = text {
            record = record.text(member, nfc(text));
        }
    }
    let record = record.to_bytes()?;
    let donor = commitment::person_bytes(&fresh.salt, &record);
    let receive = ReceiveDonation {
        fund: gift.fund,
        account: gift.account,
        gross: gift.gross,
        fee: gift.fee,
        source: gift.source,
        gift_count: gift.gift_count,
        donor,
        on: gift.on,
    };
    let secret = Some(Secret { fresh, record, name: gift.name.as_deref().map(nfc) });
    Ok(Submission { order: Some(order), secret, ..Submission::bare(by, Order::ReceiveDonation(receive)) })
}
