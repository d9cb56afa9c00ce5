//! Text that would be public for ever: reports can print it, it names no person and holds no number of one.

use crate::domain::command::Order;
use crate::domain::field_rule::{FieldRule, TEXT_MAX};
use crate::domain::refusal::Refusal;
use crate::ledger::canonical::Value;
use crate::report;
use crate::store::{Store, StoreError};
use crate::vault::names::Names;
use crate::vault::{Place, VaultKey, scan};

/// The free text of an order, by field.
pub(super) fn texts(order: &Order) -> Vec<(&'static str, &str)> {
    match order {
        Order::OpenLedger(order) => vec![("name_zh", &order.name_zh), ("name_en", &order.name_en)],
        Order::OpenFund(order) => vec![("name_zh", &order.name_zh), ("name_en", &order.name_en)],
        Order::FileCampaign(order) => {
            let names = [("name_zh", order.name_zh.as_str()), ("name_en", order.name_en.as_str())];
            names.into_iter().chain(order.filing_no.as_deref().map(|text| ("filing_no", text))).collect()
        }
        Order::OpenCase(order) => vec![("region_zh", &order.region_zh), ("region_en", &order.region_en)],
        Order::OpenAccount { account, .. } => vec![("account", account.as_str())],
        Order::RotateKey(_)
        | Order::MoveCash(_)
        | Order::Transfer(_)
        | Order::OpenCampaign { .. }
        | Order::EndCampaign { .. }
        | Order::AssessCase { .. }
        | Order::ApproveCase { .. }
        | Order::DeclineCase { .. }
        | Order::CloseCase { .. }
        | Order::ReceiveDonation(_)
        | Order::RefundDonation { .. }
        | Order::IssueReceipt { .. }
        | Order::RequestDisbursement(_)
        | Order::ApproveDisbursement { .. }
        | Order::RejectDisbursement { .. }
        | Order::PayDisbursement { .. }
        | Order::ReturnDisbursement { .. }
        | Order::AcknowledgeDisbursement { .. }
        | Order::Reverse { .. }
        | Order::CompleteImport(_) => Vec::new(),
        Order::PublishReport { corrects, .. } => {
            corrects.iter().map(|correction| ("note", correction.note.as_str())).collect()
        }
    }
}

/// Whether the text could name somebody. The name of an account is an id; each import gives one, and need not read all names.
pub(super) const fn may_name(order: &Order) -> bool {
    !matches!(order, Order::OpenAccount { .. })
}

/// Refuses text that no report could print, or that holds a number of a person or the name of a donor.
pub fn scan(texts: &[(&'static str, &str)], names: Option<&Names>) -> Result<(), Refusal> {
    for (field, text) in texts {
        if let Some(rule) = unprintable(text) {
            return Err(Refusal::Field { field, rule });
        }
        let what = scan::private(text)
            .or_else(|| names.is_some_and(|names| names.found_in(text)).then_some("the name of a donor"));
        if let Some(what) = what {
            return Err(Refusal::Private { field, what });
        }
    }
    Ok(())
}

/// It stands in the ledger for ever and in every report: what cannot be printed there is refused here.
fn unprintable(text: &str) -> Option<FieldRule> {
    if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
        return Some(FieldRule::TextLength);
    }
    if commands_a_screen(text) {
        return Some(FieldRule::TextControl);
    }
    report::missing_glyph(text).map(FieldRule::TextGlyph)
}

/// Whether a text holds what moves a terminal's cursor or turns its letters round.
pub(super) fn commands_a_screen(text: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().any(|c| c.is_control() || turns(c))
}

/// The name in a record of the vault.
pub(super) fn name_of(record: &[u8]) -> Option<String> {
    let record = Value::parse(record).ok()?;
    record.as_object()?.get("name")?.as_text().map(str::to_owned)
}

/// The names of all donors in the vault: one pass over it, a second for some hundred thousand gifts.
pub(super) async fn names(store: &Store, ledger_id: i64, vault: &VaultKey) -> Result<Names, StoreError> {
    const PAGE: u32 = 500;
    let (mut names, mut from) = (Names::default(), 0);
    loop {
        let page = store.log(ledger_id, from, PAGE).await?;
        if page.is_empty() {
            return Ok(names);
        }
        from += u64::from(PAGE);
        for row in page.rows() {
            let row = row?;
            let Some((sealed, seq)) = row.sealed.zip(u64::try_from(row.seq).ok()) else { continue };
            // A record that does not open is for `verify` to name.
            if let Ok((_, record)) =
                vault.open(&Place { person: sealed.person, seq, hashes: row.hashes }, sealed.sealed, sealed.wrapped)
                && let Some(name) = name_of(&record)
            {
                names.insert(&name);
            }
        }
    }
}
