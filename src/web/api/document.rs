//! What is told of a ledger, as JSON: over HTTP, and by the command line.

use crate::app::import::Imported;
use crate::app::overview::LineTotals;
use crate::app::trace::{Facts, GiftTrace, PaymentTrace};
use crate::domain::donation::Donation;
use crate::ledger::canonical::Object;
use crate::values::Amount;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A stored state.
pub fn state(object: &Object<'_>) -> Value {
    let bytes = object.to_bytes().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// What became of the positions of a line.
pub fn totals(line: &LineTotals) -> Value {
    let totals = line.totals;
    json!({
        "line": line.name.to_string(), "unit": line.name.unit.as_str(), "end": totals.end(), "free": totals.free,
        "held": totals.held, "spent": totals.spent, "moved_on": line.moved_on, "void": totals.void,
    })
}

/// A gift as its entry tells it.
pub fn gift(gift: &Donation) -> Value {
    json!({
        "seq": gift.seq, "on": gift.on.to_string(), "fund": gift.fund.as_str(), "source": gift.source.as_str(),
        "unit": gift.gross.unit().as_str(), "amount": gift.gross.minor(),
    })
}

fn with_facts(mut object: Value, facts: &Facts) -> Value {
    object["kind"] = facts.kind.clone().into();
    for (member, text) in facts.members() {
        object[member] = text.into();
    }
    object
}

/// Every use of a gift below a tree size, what was moved on the way, and what is unspent.
pub fn gift_trace(traced: &GiftTrace, size: u64) -> Value {
    let gift = &traced.gift;
    let mut unspent: BTreeMap<String, i64> = BTreeMap::from([(gift.gross.unit().to_string(), 0)]);
    for (line, amount) in &traced.unspent {
        *unspent.entry(line.unit.to_string()).or_default() += amount.minor();
    }
    let left = traced.unspent.iter().map(|(line, amount)| {
        json!({"line": line.to_string(), "fund": line.fund.as_str(), "unit": line.unit.as_str(), "amount": amount.minor()})
    });
    let spans =
        gift.spans.iter().map(|(line, span)| json!({"line": line.to_string(), "from": span.from, "to": span.to}));
    let uses = traced.uses.iter().map(|found| {
        let object = json!({
            "seq": found.seq, "state": found.state, "unit": found.amount.unit().as_str(), "amount": found.amount.minor(),
            "line": found.line.to_string(),
        });
        with_facts(object, &found.facts)
    });
    let moves = traced.moves.iter().map(|found| {
        let to: Vec<String> = found.to.iter().map(ToString::to_string).collect();
        let funds: Vec<&str> = found.to.iter().map(|line| line.fund.as_str()).collect();
        let object = json!({
            "seq": found.seq, "unit": found.amount.unit().as_str(), "amount": found.amount.minor(),
            "from": found.from.to_string(), "to": to, "to_funds": funds,
        });
        with_facts(object, &found.facts)
    });
    json!({
        "donation": {
            "seq": gift.seq, "unit": gift.gross.unit().as_str(), "amount": gift.gross.minor(), "on": gift.on.to_string(),
            "fund": gift.fund.as_str(), "spans": spans.collect::<Vec<_>>(),
        },
        "uses": uses.collect::<Vec<_>>(), "moves": moves.collect::<Vec<_>>(), "left": left.collect::<Vec<_>>(),
        "unspent": unspent, "tree_size": size,
    })
}

/// Whose gifts a payment used.
pub fn payment_trace(traced: &PaymentTrace, size: u64) -> Value {
    let payer = |(seq, facts, amount): &(u64, Facts, Amount)| json!({"seq": seq, "on": facts.on, "unit": amount.unit().as_str(), "amount": amount.minor()});
    let list = |amounts: &[Amount]| -> Vec<Value> {
        amounts.iter().map(|amount| json!({"unit": amount.unit().as_str(), "amount": amount.minor()})).collect()
    };
    let payment = json!({"seq": traced.seq, "posted": list(&traced.posted), "amounts": list(&traced.amounts)});
    json!({
        "payment": with_facts(payment, &traced.facts), "payers": traced.payers.iter().map(payer).collect::<Vec<_>>(),
        "tree_size": size,
    })
}

/// What an import did to a ledger that had `before` entries. Sentences stand in both languages; files are named, not told where they are.
pub fn imported(imported: &Imported, before: u64, dry_run: bool) -> Value {
    let (unit, total) = imported.total;
    let both = |zh: String, en: String| json!({"zh": zh, "en": en});
    let controls = imported.controls.iter().map(|control| {
        json!({
            "what": format!("{:?}", control.what), "line": control.line, "stated": control.stated, "found": control.found,
            "unit": control.unit.map(|unit| unit.to_string()), "agrees": control.agrees,
            "said": both(control.zh(), control.to_string()),
        })
    });
    let twins = imported.twins.iter().map(|(line, seq)| {
        // The twin may be a row of the same file; in a rehearsal that has no entry.
        json!({"line": line, "seq": seq, "in_file": *seq >= before})
    });
    let others = imported
        .others
        .iter()
        .map(|(line, why)| json!({"line": line, "why": why.code(), "said": both(why.zh().into(), why.en().into())}));
    json!({
        "rows": imported.rows, "accepted": imported.accepted, "duplicates": imported.duplicates,
        "refunds": imported.refunds, "refunds_posted": imported.refunds_posted, "other": imported.other,
        "rejected": imported.rejected, "totals": {unit.to_string(): total}, "format": imported.format.as_str(),
        "format_zh": imported.format.zh(), "account": imported.account.as_str(),
        "notices": imported.notices.iter().map(|notice| both(notice.zh(), notice.to_string())).collect::<Vec<_>>(),
        "twins": twins.collect::<Vec<_>>(), "others": others.collect::<Vec<_>>(),
        "complaints": imported.complaints.iter().map(|(zh, en)| both(zh.clone(), en.clone())).collect::<Vec<_>>(),
        "controls": controls.collect::<Vec<_>>(),
        "files": imported.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(),
        "dry_run": dry_run, "entry": imported.entry,
    })
}
