//! Reading: what the log says, as JSON.

use super::document;
use super::fields::Fields;
use super::route::{query, unknown};
use crate::app::{trace, witnessed};
use crate::domain::donation::Donation;
use crate::domain::refusal_zh;
use crate::ledger::chain::leaf_hash;
use crate::ledger::entry::Entry;
use crate::store::StoreError;
use crate::values::{Amount, CampaignId, CaseId, Day, FundId};
use crate::web::login::Peer;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Entries of one page, at most.
const PAGE_MAX: u64 = 1_000;

/// Entries that one request for gifts goes through, at most; the answer says where to go on.
const SCAN_MAX: u64 = 20_000;

type Answer = Result<Json<Value>, Problem>;

pub(super) async fn ledger(State(site): State<Shared>) -> Answer {
    let head = site.head().await?;
    let mut found = document::state(&site.opened.organisation().await?.to_object());
    found["origin"] = head.origin.clone().into();
    found["size"] = head.size.into();
    found["root"] = crate::app::folder::frontier(&head)?.root().to_hex().into();
    let seen = witnessed::seen(&site.opened.store, site.opened.row.ledger_id).await?;
    let at = |(size, seconds): (u64, u64)| json!({"size": size, "time": seconds});
    let witness = |seen: &witnessed::Seen| json!({"name": seen.witness, "first": at(seen.first), "last": at(seen.last), "refused": site.refused_by(&seen.witness)});
    found["witnesses"] = seen.iter().map(witness).collect();
    Ok(Json(found))
}

/// Totals of every line at a tree size, which anybody can compare with a replay.
pub(super) async fn totals(State(site): State<Shared>, uri: Uri) -> Answer {
    let (size, lines) = match query(&uri, at)? {
        None => site.totals().await?,
        Some(size) => {
            let head = site.head().await?.size;
            if size > head {
                return Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "beyond_the_log",
                    format!("账本现在只有 {head} 条记录。"),
                    format!("The log has {head} entries"),
                ));
            }
            (size, site.totals_at(size).await?)
        }
    };
    Ok(Json(json!({"tree_size": size, "lines": lines.iter().map(document::totals).collect::<Vec<_>>()})))
}

pub(super) fn cursor(fields: &Fields) -> Option<(u64, u64)> {
    let from = fields.maybe_count("from").unwrap_or(0);
    Some((from, fields.maybe_count_to("limit", PAGE_MAX).unwrap_or(100).max(1)))
}

/// A page of entries as they stand in the log; `next` is where the following page begins.
pub(super) async fn entries(State(site): State<Shared>, uri: Uri) -> Answer {
    let (from, limit) = query(&uri, cursor)?;
    let count = u32::try_from(limit).expect("at most PAGE_MAX");
    let rows = site.opened.store.entries(site.opened.row.ledger_id, from, count).await?;
    let next = (u32::try_from(rows.len()) == Ok(count)).then_some(from + limit);
    let entries: Vec<Value> = rows.iter().filter_map(|row| serde_json::from_slice(&row.bytes).ok()).collect();
    Ok(Json(json!({"entries": entries, "next": next})))
}

/// The canonical bytes of an entry, with its leaf hash beside them. They never change.
pub(super) async fn entry(
    State(site): State<Shared>,
    Path(seq): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bytes = site.opened.store.entry(site.opened.row.ledger_id, seq).await?.ok_or_else(Problem::missing)?;
    let leaf = leaf_hash(&bytes).to_hex();
    Ok(super::download::unchanging(&headers, "application/json", &leaf, bytes, None))
}

/// The newest signed checkpoint, as a note.
pub(super) async fn checkpoint(State(site): State<Shared>) -> Result<Response, Problem> {
    let found = site.opened.store.latest_checkpoint(site.opened.row.ledger_id).await?;
    let (_, note) = found.ok_or_else(Problem::missing)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

/// All things of an area as they are stored, those with a number in its order.
async fn listed(site: &Site, area: &str, name: &str) -> Answer {
    let head = site.head().await?;
    let mut found = site.opened.states(area, |object| Ok(document::state(object))).await?;
    found.sort_by_key(|thing| thing["request"].as_u64().or(thing["seq"].as_u64()));
    Ok(Json(json!({name: found, "tree_size": head.size})))
}

/// One thing as it is stored.
async fn one(site: &Site, area: &'static str, id: &str) -> Answer {
    let found = site.opened.state(area, id, |object| Ok(document::state(object))).await?;
    found.map(Json).ok_or_else(|| unknown(area, id))
}

pub(super) async fn accounts(State(site): State<Shared>) -> Answer {
    listed(&site, "account", "accounts").await
}

/// All funds, each with what became of its lines.
pub(super) async fn funds(State(site): State<Shared>) -> Answer {
    let (size, lines) = site.totals().await?;
    let mut funds = site.opened.states("fund", |object| Ok(document::state(object))).await?;
    for fund in &mut funds {
        let own = lines.iter().filter(|line| fund["fund"] == line.name.fund.as_str());
        fund["totals"] = own.map(document::totals).collect();
    }
    Ok(Json(json!({"funds": funds, "tree_size": size})))
}

pub(super) async fn campaigns(State(site): State<Shared>) -> Answer {
    listed(&site, "campaign", "campaigns").await
}

pub(super) async fn campaign(State(site): State<Shared>, Path(id): Path<String>) -> Answer {
    let id = CampaignId::parse(&id).map_err(|_| Problem::missing())?;
    one(&site, "campaign", id.as_str()).await
}

pub(super) async fn cases(State(site): State<Shared>) -> Answer {
    listed(&site, "case", "cases").await
}

pub(super) async fn case(State(site): State<Shared>, Path(id): Path<String>) -> Answer {
    let id = CaseId::parse(&id).map_err(|_| Problem::missing())?;
    one(&site, "case", id.as_str()).await
}

pub(super) async fn disbursements(State(site): State<Shared>) -> Answer {
    listed(&site, "disbursement", "disbursements").await
}

pub(super) async fn disbursement(State(site): State<Shared>, Path(seq): Path<u64>) -> Answer {
    one(&site, "disbursement", &seq.to_string()).await
}

pub(super) async fn reports(State(site): State<Shared>) -> Answer {
    listed(&site, "report", "reports").await
}

/// Which gifts are wanted.
pub(super) struct Wanted {
    fund: Option<FundId>,
    on: Option<Day>,
    before: Option<u64>,
    limit: u64,
}

pub(super) fn wanted(fields: &Fields) -> Option<Wanted> {
    let (fund, on) = (fields.maybe("fund"), fields.maybe("on"));
    let (before, limit) = (fields.maybe_count("before"), fields.maybe_count_to("limit", PAGE_MAX).unwrap_or(20).max(1));
    Some(Wanted { fund, on, before, limit })
}

/// The newest gifts that are wanted, newest first; `next` is what to ask for as `before`.
pub(super) async fn donations(State(site): State<Shared>, uri: Uri) -> Answer {
    let wanted = query(&uri, wanted)?;
    if let Some(fund) = &wanted.fund {
        drop(one(&site, "fund", fund.as_str()).await?);
    }
    let size = site.head().await?.size;
    let (mut found, mut end) = (Vec::new(), wanted.before.map_or(size, |before| before.min(size)));
    let stop = end.saturating_sub(SCAN_MAX);
    let damaged = |what: String| StoreError::Damaged { table: "entry", what };
    'pages: while end > stop {
        let from = end.saturating_sub(PAGE_MAX).max(stop);
        let count = u32::try_from(end - from).expect("at most PAGE_MAX");
        let page = site.opened.store.entries(site.opened.row.ledger_id, from, count).await?;
        for stored in page.iter().rev() {
            if u64::try_from(found.len()) == Ok(wanted.limit) {
                end = u64::try_from(stored.seq).map_err(|error| damaged(error.to_string()))? + 1;
                break 'pages;
            }
            let entry = Entry::parse(&stored.bytes).map_err(|error| damaged(error.to_string()))?;
            let gift = Donation::from_entry(&entry).map_err(|error| damaged(error.to_string()))?;
            found.extend(gift.filter(|gift| {
                wanted.fund.as_ref().is_none_or(|fund| gift.fund == *fund) && wanted.on.is_none_or(|on| gift.on == on)
            }));
        }
        end = from;
    }
    let gifts: Vec<Value> = found.iter().map(document::gift).collect();
    Ok(Json(json!({"donations": gifts, "next": (end > 0).then_some(end), "tree_size": size})))
}

pub(super) fn at(fields: &Fields) -> Option<Option<u64>> {
    Some(fields.maybe_count("at"))
}

fn untraceable(zh: String, en: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no_trace", zh, en)
}

fn came_later(seq: u64, size: u64) -> Problem {
    untraceable(
        format!("记录 {seq} 是后来才登记的，账本只有 {size} 条记录时还没有它。请按 {} 条或更多追溯。", seq + 1),
        format!(
            "Entry {seq} came later: a ledger of {size} entries does not have it yet; ask as of {} or more",
            seq + 1
        ),
    )
}

/// Where a gift went, or whose gifts a payment used, now or as of a tree size.
pub(super) async fn entry_trace(State(site): State<Shared>, peer: Peer, Path(seq): Path<u64>, uri: Uri) -> Answer {
    if let Some(peer) = peer.0 {
        site.traces.try_at(peer, site.clock.elapsed()).map_err(Problem::too_often)?;
    }
    let at = query(&uri, at)?;
    let head = site.head().await?.size;
    if let Some(at) = at.filter(|at| *at == 0 || *at > head) {
        return Err(untraceable(
            format!("账本有 {head} 条记录，不能按 {at} 条追溯。请写 1 到 {head}。"),
            format!("The ledger has {head} entries and cannot be asked as of {at}; give 1 to {head}"),
        ));
    }
    let size = at.unwrap_or(head);
    if seq >= head {
        return Err(untraceable(
            format!("这里读到的账本有 {head} 条记录，没有记录 {seq}。请核对编号；刚登记的请稍后再试。"),
            format!(
                "The ledger as it is read here has {head} entries and no entry {seq}: check the number; if it was only just posted, try again in a moment"
            ),
        ));
    }
    if let Some(traced) = trace::gift(&site.opened, seq, Some(size)).await? {
        return Ok(Json(document::gift_trace(&traced, size)));
    }
    let known = site.opened.state("disbursement", &seq.to_string(), |object| Ok(document::state(object))).await?;
    let paid = known.as_ref().and_then(|known| known["paid"].as_u64().or(known["hold"].as_u64()));
    let moving = paid.unwrap_or(seq);
    if (size..head).contains(&moving) {
        return Err(came_later(moving, size));
    }
    match trace::payment(&site.opened, moving, Some(size)).await? {
        Some(traced) if traced.facts.kind == "fund.transferred" => Err(untraceable(
            format!("记录 {seq} 是基金之间的转账，不是支付。请追溯其中的一笔捐赠，或用这笔钱的一笔支付。"),
            format!(
                "Entry {seq} moves money between funds and is no payment: trace a gift in it, or a payment that used it"
            ),
        )),
        Some(traced) if !traced.amounts.is_empty() => Ok(Json(document::payment_trace(&traced, size))),
        _ => Err(match known {
            Some(known) => {
                let status = known["status"].as_str().unwrap_or_default();
                let zh = refusal_zh::state("disbursement", status);
                untraceable(
                    format!("拨付 {seq} 的状态是“{zh}”，现在没有占用任何捐赠。"),
                    format!("Payment {seq} is {status}: it holds or spends no gift's money now"),
                )
            }
            None => untraceable(
                format!("记录 {seq} 既不是捐赠，也没有占用或支出款项，没有可追溯的内容。"),
                format!("Entry {seq} is neither a gift nor does it hold or spend money: there is nothing to trace"),
            ),
        }),
    }
}

/// What a donor has in hand.
pub(super) enum Held {
    Code(String),
    Order(String, Amount),
    Nothing,
}

pub(super) fn held(fields: &Fields) -> Option<Held> {
    let (code, order_no) = (fields.maybe_text("code", 60), fields.maybe_text("order_no", 100));
    let amount = fields.maybe_amount("amount", fields.unit());
    Some(match (code, order_no.zip(amount)) {
        (Some(code), _) => Held::Code(code),
        (None, Some((order_no, amount))) => Held::Order(order_no, amount),
        (None, None) => Held::Nothing,
    })
}

/// The gifts that a receipt code opens, or that came with an order number and exactly this amount.
pub(super) async fn lookup(State(site): State<Shared>, peer: Peer, body: Bytes) -> Answer {
    if let Some(peer) = peer.0 {
        site.lookups.try_at(peer, site.clock.elapsed()).map_err(Problem::too_often)?;
    }
    let fields = Fields::of(&body)?;
    let asked = held(&fields);
    let found = match fields.end(asked)? {
        Held::Code(code) => site.gift_of_code(&code).await?.into_iter().collect(),
        Held::Order(order_no, amount) => site.gifts_of_order(&order_no, amount).await?,
        Held::Nothing => Vec::new(),
    };
    if found.is_empty() {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_gift",
            "没有找到这笔捐赠。请核对查询码，或订单号和准确金额。",
            "No such gift: check the code, or the order number and the exact amount",
        ));
    }
    Ok(Json(json!({"donations": found})))
}
