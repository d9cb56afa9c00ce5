//! What answers look like, as examples of which the OpenAPI document makes its schemas: a name that ends in `?` is that of a member
//! which may be absent or null, the name `*` stands for any. A test compares every answer that it gets with them.

use serde_json::{Value, json};

/// What is true of every command that is posted, with what this one tells beside.
pub(super) fn posted(more: Value) -> Value {
    let mut object = json!({"entry": 1, "entries": 1, "repeated": false});
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// A list, with the size of the ledger that it is of.
pub(super) fn listed(name: &str, item: Value) -> Value {
    json!({name: [item], "tree_size": 1})
}

pub(super) fn ledger() -> Value {
    json!({
        "origin": "mingzhang.example/charity", "size": 1, "root": "hex", "name_zh": "", "name_en": "", "time_zone": "",
        "vkey": "", "rotations?": [{"seq": 1, "vkey": ""}], "uscc?": "", "continues?": {"origin": "", "size": 1, "root": "hex"},
        "witnesses": [{"name": "", "first": {"size": 1, "time": 1}, "last": {"size": 1, "time": 1}, "refused?": ""}],
    })
}

fn line_totals() -> Value {
    json!({
        "line": "f_1/CNY", "unit": "CNY", "end": 100, "free": 0, "held": 0, "spent": 100, "moved_on": 0, "void": 0,
    })
}

pub(super) fn totals() -> Value {
    listed("lines", line_totals())
}

pub(super) fn entry() -> Value {
    json!({
        "v": 1, "ledger": "", "seq": 1, "prev": "hex", "at": "", "by": "", "kind": "donation.received", "body": {"*": null},
        "cash?": [{"account": "", "amount": 100, "unit": "CNY"}],
        "post?": [{"op": "in", "line": "f_1/CNY", "from": 0, "to": 100, "of?": 0}],
    })
}

pub(super) fn entries() -> Value {
    json!({"entries": [entry()], "next?": 1})
}

fn amount() -> Value {
    json!({"unit": "CNY", "amount": 100})
}

fn with(object: Value, more: Value) -> Value {
    let (Value::Object(mut object), Value::Object(more)) = (object, more) else { return Value::Null };
    object.extend(more);
    Value::Object(object)
}

/// A gift and its uses, or a payment and whose gifts it used.
pub(super) fn trace() -> Value {
    let facts = json!({
        "seq": 1, "kind": "disbursement.paid", "on?": "2026-03-01", "case?": "", "use?": "", "payee_class?": "", "reason?": "",
    });
    let posted = with(facts.clone(), amount());
    json!({
        "donation?": with(amount(), json!({
            "seq": 1, "on": "2026-03-01", "fund": "f_1", "spans": [{"line": "f_1/CNY", "from": 0, "to": 100}],
        })),
        "uses?": [with(posted.clone(), json!({"state": "spent", "line": "f_1/CNY"}))],
        "moves?": [with(posted, json!({"from": "f_1/CNY", "to": ["f_2/CNY"], "to_funds": ["f_2"]}))],
        "left?": [with(amount(), json!({"line": "f_1/CNY", "fund": "f_1"}))], "unspent?": {"*": 0},
        "payment?": with(facts, json!({"posted": [amount()], "amounts": [amount()]})),
        "payers?": [with(amount(), json!({"seq": 1, "on?": "2026-03-01"}))], "tree_size": 1,
    })
}

pub(super) fn account() -> Value {
    json!({"account": "bank/main", "funds": ["f_1"], "balances": {"*": 100}})
}

pub(super) fn fund() -> Value {
    json!({
        "fund": "f_1", "type": "earmarked", "name_zh": "", "name_en": "", "purpose?": [""], "uses?": [""], "case?": "",
        "moved": {"*": 0}, "totals": [line_totals()],
    })
}

pub(super) fn campaign() -> Value {
    json!({
        "campaign": "k_1", "name_zh": "", "name_en": "", "fund": "f_1", "filing_no?": "", "on": "2026-03-01",
        "starts_on": "2026-03-01", "ends_on": "2026-03-31", "unit": "CNY", "target": 100, "surplus": "similar_purpose",
        "opened_on?": "2026-03-01", "ended_on?": "2026-03-31",
    })
}

pub(super) fn case() -> Value {
    json!({
        "case": "c_1", "fund": "f_1", "categories": ["health"], "region_zh": "", "region_en": "", "on": "2026-03-01",
        "maker": "", "committed": {"*": 100}, "waiting": 0, "step_on": "2026-03-01", "last_on": "2026-03-01",
        "status": "approved", "unit?": "CNY", "need?": 100, "assessor?": "", "limit?": 100, "closed_on?": "2026-03-31",
    })
}

pub(super) fn disbursement() -> Value {
    json!({
        "request": 1, "case": "c_1", "fund": "f_1", "unit": "CNY", "amount": 100, "use": "hospital", "payee_class": "hospital",
        "vouchers": 1, "maker": "", "step_on": "2026-03-01", "status": "paid", "checker?": "", "hold?": 2, "paid?": 3,
        "account?": "bank/main", "returned?": 0, "acknowledged?": false,
    })
}

pub(super) fn donations() -> Value {
    let gift = json!({"seq": 1, "on": "2026-03-01", "fund": "f_1", "source": "wechat"});
    with(listed("donations", with(amount(), gift)), json!({"next?": 1}))
}

pub(super) fn report() -> Value {
    json!({"report": "CASE-1", "version": 1, "case": "c_1", "size": 1, "data": "hex", "corrected_by?": 2, "note?": "", "seq": 1})
}

pub(super) fn report_with_files() -> Value {
    with(report(), json!({"files": [""]}))
}

pub(super) fn published() -> Value {
    json!({
        "files": [{"name": "", "sha256": "hex", "path": ""}], "entry": 1, "number": "CASE-1", "repeated": false,
    })
}

pub(super) fn imported() -> Value {
    let said = json!({"zh": "", "en": ""});
    json!({
        "rows": 1, "accepted": 1, "duplicates": 0, "refunds": 0, "refunds_posted": 0, "other": 0, "rejected": 0,
        "totals": {"*": 100}, "format": "", "format_zh": "", "account": "", "notices": [said],
        "twins": [{"line": 1, "seq": 1, "in_file": false}], "others": [{"line": 1, "why": "", "said": said}],
        "complaints": [said],
        "controls": [{
            "what": "", "line?": 1, "stated?": null, "found?": null, "unit?": "CNY", "agrees": true, "said": said,
        }],
        "files": [""], "dry_run": false, "entry?": 1,
    })
}

pub(super) fn channel() -> Value {
    json!({"channel": "wechat", "fund": "f_1", "account": "wallet/wechat", "user": ""})
}

pub(super) fn admitted() -> Value {
    json!({"channel": "wechat", "fund": "f_1", "account": "wallet/wechat", "user": "", "secret": "whsec_", "path": ""})
}

pub(super) fn subscription() -> Value {
    json!({
        "subscription": "s_1", "url": "https://charity.example/entries", "kinds": ["donation.received"], "next": 1, "failures": 0,
        "trouble": "",
    })
}

pub(super) fn subscribed() -> Value {
    with(subscription(), json!({"secret": "whsec_"}))
}

pub(super) fn user() -> Value {
    json!({"user": "u_1", "name": "", "roles": ["clerk"]})
}

pub(super) fn token() -> Value {
    json!({"user": "u_1", "name": "", "token": "mz-", "scope": "all", "until": ""})
}
