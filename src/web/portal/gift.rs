//! The donor's own page: behind a receipt code, or found by order number and exact amount.

use super::flow::{self, Band, Use};
use super::page::{Page, or_told, shown};
use crate::app::trace::{self, GiftTrace, TracedUse};
use crate::domain::body::Body;
use crate::domain::case::Case;
use crate::domain::disbursement::{Disbursement, DisbursementStatus};
use crate::domain::fund::Fund;
use crate::domain::vocabulary::Category;
use crate::ledger::chain::leaf_hash;
use crate::report::labels::Language;
use crate::store::LedgerRow;
use crate::values::amount::format_minor;
use crate::values::{Amount, FundId, Unit};
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use askama::Template;
use axum::extract::{ConnectInfo, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Extension, http};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Bands in the picture; the rest is folded into the last.
const BANDS_MAX: usize = 7;
/// Uses that open; a gift of more is asked for entry by entry.
const OPENED_MAX: usize = 40;
/// Cases whose whole is told.
const WHOLES_MAX: usize = 3;

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    code: String,
    #[serde(default)]
    order_no: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    unit: String,
}

#[derive(Template)]
#[template(path = "gift_find.html")]
struct FindPage {
    page: Page,
    trouble: Option<String>,
}

/// A line of the table under the picture.
struct UseRow {
    on: String,
    words: String,
    amount: String,
    fund: String,
    case: Option<String>,
    seq: Option<u64>,
    more: Option<More>,
}

/// What opens under a use: the entry in words, and its hash.
struct More {
    lines: Vec<String>,
    leaf: String,
}

/// How a case stands as a whole: what it received, and what became of it, which adds up to that.
struct Whole {
    case: String,
    region: String,
    rows: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "gift.html")]
struct GiftPage {
    page: Page,
    seq: u64,
    when: String,
    amount: String,
    fund: String,
    fund_id: String,
    sentence: String,
    picture: String,
    rows: Vec<UseRow>,
    wholes: Vec<Whole>,
}

pub(super) async fn form(State(site): State<Shared>, Extension(language): Extension<Language>) -> Response {
    let page = Page::at_head(&site, language, "/gift").await;
    or_told(language, page.map(|page| shown(&FindPage { page, trouble: None })).map_err(Problem::from))
}

pub(super) async fn find(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Form(asked): Form<Asked>,
) -> Response {
    or_told(language, found(&site, language, peer, asked).await)
}

async fn found(site: &Shared, language: Language, peer: SocketAddr, asked: Asked) -> Result<Response, Problem> {
    if !asked.code.trim().is_empty() {
        let code = letters_of(&asked.code);
        return Ok(Redirect::to(&format!("{}/gift/{code}", language.choose("/zh", "/en"))).into_response());
    }
    may_look(site, peer)?;
    let page = Page::at_head(site, language, "/gift").await?;
    let unit = Unit::parse(asked.unit.trim()).unwrap_or(Unit::CNY);
    let (order_no, amount) = (asked.order_no.trim(), Amount::parse(asked.amount.trim(), unit));
    let again = |trouble: &str| {
        let page = FindPage { page: page.clone(), trouble: Some(trouble.to_owned()) };
        (StatusCode::UNPROCESSABLE_ENTITY, shown(&page)).into_response()
    };
    let Ok(amount) = amount else {
        return Ok(again(page.say("金额请写准确到分，例如 500.00。", "Give the exact amount, as 500.00.")));
    };
    if order_no.is_empty() {
        return Ok(again(
            page.say("请填写支付订单号或纸质收条号。", "Give the order number, or that of the paper slip."),
        ));
    }
    let found = site.gifts_of_order(order_no, amount).await?;
    match found.first().copied() {
        Some(seq) => Ok(private(page_of(site, language, "/gift", seq).await?)),
        None => Ok(again(page.say(
            "没有找到这笔捐款。请核对订单号和金额；刚付的款要等机构入账后才查得到。",
            "No such gift was found. Check number and amount; a gift made just now appears once the organisation has recorded it.",
        ))),
    }
}

pub(super) async fn by_code(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(code): Path<String>,
) -> Response {
    or_told(language, of_code(&site, language, peer, &code).await)
}

async fn of_code(site: &Shared, language: Language, peer: SocketAddr, code: &str) -> Result<Response, Problem> {
    may_look(site, peer)?;
    let seq = site.gift_of_code(code).await?.ok_or_else(unknown)?;
    // What opened it may hold more than the code; the page in the other language is asked for with the code alone.
    Ok(private(page_of(site, language, &format!("/gift/{}", letters_of(code)), seq).await?))
}

/// The letters, digits and hyphens of a code.
fn letters_of(code: &str) -> String {
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect()
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_gift",
        "没有找到这笔捐款，请核对查询码。",
        "No such gift was found; check the code",
    )
}

fn may_look(site: &Shared, peer: SocketAddr) -> Result<(), Problem> {
    site.lookups.try_at(peer.ip(), site.clock.elapsed()).map_err(Problem::too_often)
}

/// A page for one reader: kept by nobody, found by no search.
fn private(page: Html<String>) -> Response {
    (
        [
            (http::header::CACHE_CONTROL, "private, no-store"),
            (http::HeaderName::from_static("x-robots-tag"), "noindex"),
        ],
        page,
    )
        .into_response()
}

async fn page_of(site: &Shared, language: Language, path: &str, seq: u64) -> Result<Html<String>, Problem> {
    let (head, traced) = traced_at_head(site, seq).await?;
    let page = Page::of(site, language, path, &head);
    let mut names: BTreeMap<FundId, String> = BTreeMap::new();
    for fund in site.opened.states("fund", Fund::from_object).await? {
        let fees = match language {
            Language::Zh => format!("{}的手续费", fund.name_zh),
            Language::En => format!("fees of {}", fund.name_en),
        };
        names.insert(fund.fund.fee(), fees);
        names.insert(fund.fund.clone(), page.say(&fund.name_zh, &fund.name_en).to_owned());
    }
    let gift = &traced.gift;
    let unit = gift.gross.unit();
    let left: i64 = traced.unspent.iter().map(|(_, amount)| amount.minor()).sum();
    let bands = bands(&page, &traced, &names);
    let cases = cases(site, &traced).await?;
    let sentence = sentence(&page, &traced, left, &aim(&page, &traced, &cases));
    let money = page.money(left, unit);
    let words = page.say("还没有用", "not used yet");
    let open = (left > 0).then_some((left, money.as_str(), words));
    let name = names.get(&gift.fund).cloned().unwrap_or_else(|| gift.fund.to_string());
    let head_line = format!("{} → {name}", page.money(gift.gross.minor(), unit));
    let found = GiftPage {
        seq,
        when: when(&page, gift.on),
        amount: page.money(gift.gross.minor(), unit),
        fund: name,
        fund_id: gift.fund.to_string(),
        picture: flow::svg(gift.gross.minor(), &head_line, &bands, open, &sentence),
        rows: rows(site, &page, &traced, &names).await?,
        wholes: wholes(site, &page, &cases).await?,
        sentence,
        page,
    };
    Ok(shown(&found))
}

/// A gift's trace, and the head that it is of. What stands now is found at once; only where entries keep coming in between is it
/// worked out as of one size, which takes longer.
async fn traced_at_head(site: &Site, seq: u64) -> Result<(LedgerRow, GiftTrace), Problem> {
    const TRIES: usize = 5;
    for _ in 0..TRIES {
        let head = site.head().await?;
        let traced = trace::gift(&site.opened, seq, None).await?.ok_or_else(unknown)?;
        if site.head().await?.size == head.size {
            return Ok((head, traced));
        }
    }
    let head = site.head().await?;
    let traced = trace::gift(&site.opened, seq, Some(head.size)).await?.ok_or_else(unknown)?;
    Ok((head, traced))
}

fn when(page: &Page, on: crate::values::Day) -> String {
    let text = on.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().trim_start_matches('0').to_owned();
    match page.language {
        Language::Zh => format!("{} 年 {} 月 {} 日", part(0..4), part(5..7), part(8..10)),
        Language::En => text,
    }
}

fn band(used: &TracedUse) -> Band {
    match (used.facts.kind.as_str(), used.state) {
        ("donation.received", _) => Band::Fee,
        (_, "void") => Band::Back,
        (_, "held") => Band::Held,
        _ => Band::Spent,
    }
}

/// Given back to the donor; what else is void was recorded by mistake, and no money went back.
fn is_refund(used: &TracedUse) -> bool {
    used.facts.kind == "donation.refunded"
}

fn words(page: &Page, used: &TracedUse) -> String {
    match band(used) {
        Band::Fee => page.say("支付渠道手续费", "fee of the payment channel").into(),
        Band::Back if is_refund(used) => page.say("退还给捐赠人", "given back to the donor").into(),
        Band::Back => page.say("记录冲销", "record taken back").into(),
        Band::Held | Band::Spent if used.facts.purpose.is_none() => page.say("支出", "spent").into(),
        Band::Held => format!(
            "{}{}",
            page.word("use", used.facts.purpose.as_deref().unwrap_or_default()),
            page.say("（已批准，待支付）", " (approved, not paid yet)")
        ),
        Band::Spent => page.word("use", used.facts.purpose.as_deref().unwrap_or_default()),
    }
}

fn bands(page: &Page, traced: &GiftTrace, names: &BTreeMap<FundId, String>) -> Vec<Use> {
    let one = |used: &TracedUse| {
        let on = used.facts.on.clone().unwrap_or_default();
        let direct = used.line.fund == traced.gift.fund || band(used) == Band::Fee;
        let through = (!direct).then(|| {
            let name = names.get(&used.line.fund).map_or(used.line.fund.as_str(), String::as_str);
            format!("{} {name}", page.say("经", "via"))
        });
        Use {
            band: band(used),
            minor: used.amount.minor(),
            amount: page.money(used.amount.minor(), used.amount.unit()),
            words: words(page, used),
            small: [Some(on), through].into_iter().flatten().collect(),
        }
    };
    if traced.uses.len() <= BANDS_MAX {
        return traced.uses.iter().map(one).collect();
    }
    let (shown, folded) = traced.uses.split_at(BANDS_MAX - 1);
    let minor: i64 = folded.iter().map(|used| used.amount.minor()).sum();
    let rest = Use {
        band: Band::Spent,
        minor,
        amount: page.money(minor, traced.gift.gross.unit()),
        words: match page.language {
            Language::Zh => format!("另有 {} 项，见下表", folded.len()),
            Language::En => format!("and {} more, in the table", folded.len()),
        },
        small: Vec::new(),
    };
    shown.iter().map(one).chain([rest]).collect()
}

/// One sentence on how the gift stands. What is not used yet is said first.
fn sentence(page: &Page, traced: &GiftTrace, left: i64, aim: &str) -> String {
    let unit = traced.gift.gross.unit();
    let sum = |wanted: Band| -> i64 {
        traced.uses.iter().filter(|used| band(used) == wanted).map(|used| used.amount.minor()).sum()
    };
    let (spent, held, fee, back) = (sum(Band::Spent), sum(Band::Held), sum(Band::Fee), sum(Band::Back));
    let refunds = traced.uses.iter().filter(|used| is_refund(used));
    let refunded: i64 = refunds.map(|used| used.amount.minor()).sum();
    let reversed = back - refunded;
    let money = |minor: i64| page.money(minor, unit);
    let mut parts: Vec<String> = Vec::new();
    let zh = page.language == Language::Zh;
    if left > 0 {
        parts.push(if zh {
            format!("这笔捐款还有 {}没有用", money(left))
        } else {
            format!("{} of this gift has not been used yet", money(left))
        });
    }
    if spent > 0 {
        let whole = left == 0 && held == 0 && back == 0;
        parts.push(match (zh, whole) {
            (true, true) => format!("{}已全部用于{aim}", money(spent)),
            (true, false) => format!("已有 {}用于{aim}", money(spent)),
            (false, true) => format!("all of it, {}, has been used for {aim}", money(spent)),
            (false, false) => format!("{} has been used for {aim}", money(spent)),
        });
    }
    if held > 0 {
        parts.push(if zh {
            format!("{}已批准，等待支付", money(held))
        } else {
            format!("{} is approved and waits to be paid", money(held))
        });
    }
    if refunded > 0 {
        parts.push(if zh {
            format!("{}已退还", money(refunded))
        } else {
            format!("{} was given back", money(refunded))
        });
    }
    if reversed > 0 {
        parts.push(if zh {
            format!("{}的记录已冲销", money(reversed))
        } else {
            format!("the record of {} was taken back", money(reversed))
        });
    }
    if fee > 0 {
        parts.push(if zh {
            format!("支付渠道收了手续费 {}", money(fee))
        } else {
            format!("the payment channel kept {}", money(fee))
        });
    }
    let text = parts.join(page.say("，", "; "));
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{}", letters.as_str(), page.say("。", "."))
}

/// The cases that the spent part of a gift was for.
fn spent_cases(traced: &GiftTrace) -> BTreeSet<&str> {
    let spent = traced.uses.iter().filter(|used| band(used) == Band::Spent);
    spent.filter_map(|used| used.facts.case.as_deref()).collect()
}

/// The cases that the page speaks of, by their ids; one whose public record is missing is `None`.
type Cases<'a> = BTreeMap<&'a str, Option<Case>>;

/// Reads each case once, and only those whose whole is told or that the sentence names alone: a gift may have helped thousands.
async fn cases<'a>(site: &Site, traced: &'a GiftTrace) -> Result<Cases<'a>, Problem> {
    let helped: BTreeSet<&str> = traced.uses.iter().filter_map(|used| used.facts.case.as_deref()).collect();
    let spent = spent_cases(traced);
    let alone = spent.iter().filter(|_| spent.len() == 1);
    let wanted: BTreeSet<&str> = helped.iter().take(WHOLES_MAX).chain(alone).copied().collect();
    let mut cases = Cases::new();
    for id in wanted {
        cases.insert(id, site.opened.state("case", id, Case::from_object).await?);
    }
    Ok(cases)
}

/// What the spent part was for: in words where it is one case whose categories say them, and they are public.
fn aim(page: &Page, traced: &GiftTrace, cases: &Cases<'_>) -> String {
    let spent: Vec<&str> = spent_cases(traced).into_iter().collect();
    match spent.as_slice() {
        [one] => {
            let known = cases.get(one).and_then(Option::as_ref);
            let has = |category| known.is_some_and(|case| case.categories.contains(&category));
            match (has(Category::Health), has(Category::Minor)) {
                (true, true) => page.say("这名孩子的治疗", "the treatment of this child").to_owned(),
                (true, false) => page.say("这位患者的治疗", "the treatment of this patient").to_owned(),
                (false, true) => page.say("这名孩子", "this child").to_owned(),
                (false, false) => format!("{} {one}", page.say("救助个案", "the case")),
            }
        }
        [] => page.say("本机构的工作", "the organisation's work").to_owned(),
        several => format!("{} {}", several.len(), page.say("个救助个案", "cases")),
    }
}

async fn rows(
    site: &Site,
    page: &Page,
    traced: &GiftTrace,
    names: &BTreeMap<FundId, String>,
) -> Result<Vec<UseRow>, Problem> {
    let name = |fund: &FundId| names.get(fund).cloned().unwrap_or_else(|| fund.to_string());
    let mut rows = Vec::new();
    for (place, used) in traced.uses.iter().enumerate() {
        rows.push(UseRow {
            on: used.facts.on.clone().unwrap_or_default(),
            words: words(page, used),
            amount: format_minor(used.amount.minor(), used.amount.unit()),
            fund: name(&used.line.fund),
            case: used.facts.case.clone(),
            seq: Some(used.seq),
            more: if place < OPENED_MAX { more(site, page, used.seq).await? } else { None },
        });
    }
    let left = traced.unspent.iter().map(|(line, amount)| UseRow {
        on: String::new(),
        words: page.say("还没有用", "not used yet").into(),
        amount: format_minor(amount.minor(), amount.unit()),
        fund: name(&line.fund),
        case: None,
        seq: None,
        more: None,
    });
    rows.extend(left);
    Ok(rows)
}

/// What can be said of an entry that used money: who saw to it (roles, not names), vouchers, whether the family confirmed.
async fn more(site: &Site, page: &Page, seq: u64) -> Result<Option<More>, Problem> {
    let Some(bytes) = site.opened.store.entry(site.opened.row.ledger_id, seq).await? else { return Ok(None) };
    let entry = trace::parse(&bytes)?;
    let zh = page.language == Language::Zh;
    let made = entry.at.day(&site.zone);
    let mut lines =
        vec![if zh { format!("记录 {seq}，{made} 登记") } else { format!("Entry {seq}, made on {made}") }];
    let request = Body(&entry.body).count("request").ok();
    let payment = match request {
        Some(request) => site.opened.state("disbursement", &request.to_string(), Disbursement::from_object).await?,
        None => None,
    };
    if let Some(payment) = payment {
        let payee = page.word("payee", payment.payee_class.as_str());
        lines.push(if zh { format!("收款方：{payee}") } else { format!("To: {payee}") });
        lines.push(
            page.say("经办人申请，另一名复核人同意", "asked for by a clerk, approved by another person, a checker")
                .into(),
        );
        lines.push(match (zh, payment.vouchers) {
            (true, count) => format!("单据 {count} 张"),
            (false, 1) => "1 voucher".into(),
            (false, count) => format!("{count} vouchers"),
        });
        if let DisbursementStatus::Paid { acknowledged, .. } = payment.status {
            lines.push(if acknowledged {
                page.say("家属已确认收到", "the family has confirmed that it arrived").into()
            } else {
                page.say("家属还没有确认", "the family has not confirmed it yet").into()
            });
        }
    }
    Ok(Some(More { lines, leaf: leaf_hash(&bytes).to_hex() }))
}

/// How the cases stand that this gift helped: their own fund's whole.
async fn wholes(site: &Shared, page: &Page, cases: &Cases<'_>) -> Result<Vec<Whole>, Problem> {
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let (_, lines) = site.totals().await?;
    let mut wholes = Vec::new();
    for (id, case) in cases.iter().take(WHOLES_MAX) {
        let Some(case) = case else { continue };
        for line in lines.iter().filter(|line| line.name.fund == case.fund) {
            let totals = line.totals;
            let row = |zh, en, count: u64| {
                (page.language.choose(zh, en), page.money(super::home::minor(count), line.name.unit))
            };
            let mut rows = vec![
                row("收到", "Received", totals.end()),
                row("已支出", "Spent", totals.spent - line.moved_on),
                row("还没有用", "Not used yet", totals.free + totals.held),
            ];
            let seldom = [
                ("转到其他基金", "Moved to other funds", line.moved_on),
                ("退还或冲销", "Given back or reversed", totals.void),
            ];
            rows.extend(seldom.into_iter().filter(|(.., count)| *count > 0).map(|(zh, en, count)| row(zh, en, count)));
            let region = page.say(&case.region_zh, &case.region_en).to_owned();
            wholes.push(Whole { case: (*id).to_owned(), region, rows });
        }
    }
    Ok(wholes)
}
