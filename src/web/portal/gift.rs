//! The donor's own page: what became of a gift.

use super::find::Shown;
use super::flow::{self, Band, Use};
use super::page::{Page, shown};
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
use crate::values::{FundId, Unit};
use crate::web::problem::Problem;
use crate::web::site::Site;
use askama::Template;
use axum::response::Html;
use std::collections::{BTreeMap, BTreeSet};

/// Bands in the picture; the rest is folded.
const BANDS_MAX: usize = 7;
/// Uses that open; a gift of more is asked for entry by entry.
const OPENED_MAX: usize = 40;
/// Cases whose whole is told.
const WHOLES_MAX: usize = 3;

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
    shown: Shown,
}

/// The page of a gift; `path` is where the other language shows it, `opener` what its donor has shown.
pub(super) async fn page_of(
    site: &Site,
    language: Language,
    path: &str,
    seq: u64,
    opener: Shown,
) -> Result<Html<String>, Problem> {
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
        shown: opener,
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
        let traced = trace::gift(&site.opened, seq, None).await?.ok_or_else(super::find::unknown)?;
        if site.head().await?.size == head.size {
            return Ok((head, traced));
        }
    }
    let head = site.head().await?;
    let traced = trace::gift(&site.opened, seq, Some(head.size)).await?.ok_or_else(super::find::unknown)?;
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
    match used.state {
        _ if is_own_fee(used) || is_fee_of_another(used) => Band::Fee,
        "void" => Band::Back,
        "held" => Band::Held,
        _ => Band::Spent,
    }
}

/// What the channel kept of the gift itself.
fn is_own_fee(used: &TracedUse) -> bool {
    used.facts.kind == "donation.received"
}

/// What the channel kept of another gift that was given back whole: this one's free money paid it.
fn is_fee_of_another(used: &TracedUse) -> bool {
    used.facts.kind == "donation.refunded" && used.state == "spent"
}

/// Given back to the donor; what else is void was recorded by mistake, and no money went back.
fn is_refund(used: &TracedUse) -> bool {
    used.facts.kind == "donation.refunded" && used.state == "void"
}

fn words(page: &Page, used: &TracedUse) -> String {
    match band(used) {
        Band::Fee if is_own_fee(used) => page.say("支付渠道手续费", "fee of the payment channel").into(),
        Band::Fee => {
            page.say(
                "另一笔捐款退还时，渠道没有退的手续费",
                "fee that the channel kept when another gift was given back",
            )
        }
        .into(),
        Band::Back if is_refund(used) => page.say("退还给捐赠人", "given back to the donor").into(),
        Band::Back => page.say("记录冲销", "record taken back").into(),
        Band::Held => match &used.facts.purpose {
            Some(purpose) => {
                format!("{}{}", page.word("use", purpose), page.say("（已批准，待支付）", " (approved, not paid yet)"))
            }
            None => page.say("已批准，待支付", "approved, not paid yet").into(),
        },
        Band::Spent => match &used.facts.purpose {
            Some(purpose) => page.word("use", purpose),
            None => page.say("支出", "spent").into(),
        },
    }
}

/// At most [`BANDS_MAX`]: the first uses, and of the others one band for each thing that a band can stand for, so that every colour
/// stays true.
fn bands(page: &Page, traced: &GiftTrace, names: &BTreeMap<FundId, String>) -> Vec<Use> {
    let all: Vec<Use> = traced.uses.iter().map(|used| use_of(page, traced, names, used)).collect();
    let fits = |shown| {
        let (first, others) = all.split_at(shown);
        let rest = folded(page, traced.gift.gross.unit(), others);
        (shown + rest.len() <= BANDS_MAX).then(|| [first, &rest].concat())
    };
    (0..=all.len().min(BANDS_MAX)).rev().find_map(fits).expect("there are fewer kinds of bands than bands")
}

fn use_of(page: &Page, traced: &GiftTrace, names: &BTreeMap<FundId, String>, used: &TracedUse) -> Use {
    let on = used.facts.on.clone().unwrap_or_default();
    let direct = used.line.fund == traced.gift.fund || is_own_fee(used);
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
}

/// One band for each thing that bands stand for; one that is alone stays as it is.
fn folded(page: &Page, unit: Unit, uses: &[Use]) -> Vec<Use> {
    let mut by_band: BTreeMap<Band, Vec<&Use>> = BTreeMap::new();
    for used in uses {
        by_band.entry(used.band).or_default().push(used);
    }
    let fold = |(band, uses): (Band, Vec<&Use>)| match uses.as_slice() {
        [one] => (*one).clone(),
        several => {
            let minor = several.iter().map(|used| used.minor).sum();
            Use {
                band,
                minor,
                amount: page.money(minor, unit),
                words: more_of(page, band, several.len()),
                small: vec![page.say("见下表", "in the table").to_owned()],
            }
        }
    };
    by_band.into_iter().map(fold).collect()
}

/// How many more uses of a kind there are.
fn more_of(page: &Page, band: Band, count: usize) -> String {
    let (zh, en) = match band {
        Band::Spent => ("支出", "spent"),
        Band::Held => ("已批准待支付", "approved, not paid yet"),
        Band::Fee => ("手续费", "for fees of channels"),
        Band::Back => ("退还或冲销", "given back or taken back"),
    };
    match page.language {
        // No line ends after the number.
        Language::Zh => format!("另有\u{a0}{count}\u{a0}项{zh}"),
        Language::En => format!("and {count} more {en}"),
    }
}

/// One sentence on how the gift stands. What is not used yet is said first; the parts add up to the gift.
fn sentence(page: &Page, traced: &GiftTrace, left: i64, aim: &str) -> String {
    let sum = |is: &dyn Fn(&TracedUse) -> bool| -> i64 {
        traced.uses.iter().filter(|used| is(used)).map(|used| used.amount.minor()).sum()
    };
    let of_band = |wanted: Band| sum(&|used| band(used) == wanted);
    let (spent, held, fees, back) =
        (of_band(Band::Spent), of_band(Band::Held), of_band(Band::Fee), of_band(Band::Back));
    let (refunded, own_fee) = (sum(&is_refund), sum(&is_own_fee));
    let is_whole = left + held + back == 0;
    let (before_zh, after_zh) = if is_whole { ("", "已全部用于") } else { ("已有 ", "用于") };
    let (before_en, after_en) = match (is_whole, fees > 0) {
        (true, true) => ("all of it but the fee, ", ", has been used for "),
        (true, false) => ("all of it, ", ", has been used for "),
        (false, _) => ("", " has been used for "),
    };
    let (after_zh, after_en) = (format!("{after_zh}{aim}"), format!("{after_en}{aim}"));
    let said = |minor: i64, zh: [&str; 2], en: [&str; 2]| {
        let [before, after] = match page.language {
            Language::Zh => zh,
            Language::En => en,
        };
        (minor > 0).then(|| format!("{before}{}{after}", page.money(minor, traced.gift.gross.unit())))
    };
    let parts = [
        said(left, ["这笔捐款还有 ", "没有用"], ["", " of this gift has not been used yet"]),
        said(spent, [before_zh, &after_zh], [before_en, &after_en]),
        said(held, ["", "已批准，等待支付"], ["", " is approved and waits to be paid"]),
        said(refunded, ["", "已退还"], ["", " was given back"]),
        said(back - refunded, ["", "的记录已冲销"], ["the record of ", " was taken back"]),
        said(own_fee, ["支付渠道收了手续费 ", ""], ["the payment channel kept ", ""]),
        said(
            fees - own_fee,
            ["另一笔捐款退还时渠道没有退手续费，这笔捐款承担了其中 ", ""],
            ["", " paid the fee that the channel kept when another gift was given back"],
        ),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(page.say("，", "; "));
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
async fn wholes(site: &Site, page: &Page, cases: &Cases<'_>) -> Result<Vec<Whole>, Problem> {
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
