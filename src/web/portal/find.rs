//! How a donor gets to the page of a gift: by the code on the receipt, or by order number and exact amount.

use super::gift::page_of;
use super::page::{Page, or_told, shown};
use crate::app::{receipt, trace};
use crate::domain::donation::Donation;
use crate::domain::fund::Fund;
use crate::report::labels::Language;
use crate::store::StoreError;
use crate::values::text::folded;
use crate::values::{Amount, LineName, StaffId, Unit};
use crate::web::problem::Problem;
use crate::web::receipt::{Format, file as receipt_file};
use crate::web::site::{Shared, Site};
use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Form, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// What the form sends.
#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    code: String,
    #[serde(default)]
    order_no: String,
    #[serde(default)]
    amount: String,
    /// Which of several that order number and amount open.
    #[serde(default)]
    gift: String,
    /// The file of its certificate that is wanted instead of the page: html or pdf.
    #[serde(default)]
    file: String,
}

/// What opened a gift, to ask with again for its certificate.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) code: String,
    pub(super) order_no: String,
    pub(super) amount: String,
}

#[derive(Template)]
#[template(path = "gift_find.html")]
struct FindPage {
    page: Page,
    /// Whether every line of the ledger is in yuan.
    in_yuan: bool,
    trouble: Option<&'static str>,
}

/// A gift to choose from.
struct Choice {
    seq: u64,
    on: String,
    amount: String,
    fund: String,
}

#[derive(Template)]
#[template(path = "gift_choose.html")]
struct ChoosePage {
    page: Page,
    order_no: String,
    amount: String,
    choices: Vec<Choice>,
}

pub(super) async fn form(State(site): State<Shared>, Extension(language): Extension<Language>) -> Response {
    or_told(language, asking(&site, language, None).await)
}

pub(super) async fn find(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Form(asked): Form<Asked>,
) -> Response {
    or_told(language, found(&site, language, peer, asked).await)
}

pub(super) async fn by_code(
    State(site): State<Shared>,
    Extension(language): Extension<Language>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(code): Path<String>,
) -> Response {
    or_told(language, of_code(&site, language, peer, &code).await)
}

/// The letters, digits and hyphens of a code, however wide they were typed.
pub(super) fn letters_of(code: &str) -> String {
    folded(code).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(60).collect()
}

/// The form, with what was wrong last time.
async fn asking(site: &Site, language: Language, trouble: Option<&'static str>) -> Result<Html<String>, Problem> {
    let page = Page::at_head(site, language, "/gift").await?;
    Ok(shown(&FindPage { page, in_yuan: units(site).await? == BTreeSet::from([Unit::CNY]), trouble }))
}

async fn again(site: &Site, language: Language, zh: &'static str, en: &'static str) -> Result<Response, Problem> {
    let form = asking(site, language, Some(language.choose(zh, en))).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, form).into_response())
}

async fn found(site: &Shared, language: Language, peer: SocketAddr, asked: Asked) -> Result<Response, Problem> {
    if !asked.code.trim().is_empty() {
        let code = letters_of(&asked.code);
        if code.trim_matches('-').is_empty() {
            let zh = "查询码由字母和数字组成，例如 hxff-7vtx。请照收据上的查询码再填一次。";
            let en = "A code is made of letters and digits, as hxff-7vtx. Type it as it stands on the receipt.";
            return again(site, language, zh, en).await;
        }
        if let Some(format) = Format::of(&asked.file) {
            may_look(site, peer)?;
            let seq = site.gift_of_code(&code).await?.ok_or_else(unknown)?;
            return certificate(site, language, seq, format).await;
        }
        return Ok(Redirect::to(&format!("{}/gift/{code}", language.choose("/zh", "/en"))).into_response());
    }
    may_look(site, peer)?;
    let amounts = amounts(&asked.amount, &units(site).await?);
    if amounts.is_empty() {
        let (zh, en) = ("金额请写准确到分，例如 500.00。", "Give the exact amount, as 500.00.");
        return again(site, language, zh, en).await;
    }
    let order_no = asked.order_no.trim();
    if order_no.is_empty() {
        let en = "Give the order number, or that of the paper slip.";
        return again(site, language, "请填写支付订单号或纸质收条号。", en).await;
    }
    let mut gifts = BTreeSet::new();
    for amount in amounts {
        gifts.extend(site.gifts_of_order(order_no, amount).await?);
    }
    let chosen = asked.gift.parse().ok().filter(|seq| gifts.contains(seq));
    let only = gifts.first().copied().filter(|_| gifts.len() == 1);
    match chosen.or(only) {
        Some(seq) => match Format::of(&asked.file) {
            Some(format) => certificate(site, language, seq, format).await,
            None => {
                let shown = Shown { order_no: order_no.to_owned(), amount: asked.amount.clone(), ..Shown::default() };
                Ok(private(page_of(site, language, "/gift", seq, shown).await?))
            }
        },
        None if gifts.is_empty() => {
            let zh = "没有找到这笔捐款。请核对订单号和金额；刚付的款要等机构入账后才查得到。";
            let en = "No such gift was found. Check number and amount; a gift made just now appears once the organisation has recorded it.";
            again(site, language, zh, en).await
        }
        None => Ok(private(choose(site, language, &asked, &gifts).await?)),
    }
}

/// The gifts that one order number and amount open. Each is opened by the same two, which its donor has: a link could be tried by
/// anybody.
async fn choose(
    site: &Site,
    language: Language,
    asked: &Asked,
    gifts: &BTreeSet<u64>,
) -> Result<Html<String>, Problem> {
    let page = Page::at_head(site, language, "/gift").await?;
    let mut choices = Vec::new();
    for seq in gifts {
        choices.extend(choice(site, &page, *seq).await?);
    }
    let (order_no, amount) = (asked.order_no.clone(), asked.amount.clone());
    Ok(shown(&ChoosePage { page, order_no, amount, choices }))
}

async fn choice(site: &Site, page: &Page, seq: u64) -> Result<Option<Choice>, Problem> {
    let Some(bytes) = site.opened.store.entry(site.opened.row.ledger_id, seq).await? else { return Ok(None) };
    let damaged = |what: String| StoreError::Damaged { table: "entry", what };
    let gift = Donation::from_entry(&trace::parse(&bytes)?).map_err(|error| damaged(error.to_string()))?;
    let Some(gift) = gift else { return Ok(None) };
    let fund = site.opened.state("fund", gift.fund.as_str(), Fund::from_object).await?;
    let name = fund.map(|fund| page.say(&fund.name_zh, &fund.name_en).to_owned());
    Ok(Some(Choice {
        seq,
        on: gift.on.to_string(),
        amount: page.money(gift.gross.minor(), gift.gross.unit()),
        fund: name.unwrap_or_else(|| gift.fund.to_string()),
    }))
}

async fn of_code(site: &Shared, language: Language, peer: SocketAddr, code: &str) -> Result<Response, Problem> {
    may_look(site, peer)?;
    let seq = site.gift_of_code(code).await?.ok_or_else(unknown)?;
    // What opened it may hold more than the code; the page in the other language is asked for with the code alone.
    let shown = Shown { code: letters_of(code), ..Shown::default() };
    Ok(private(page_of(site, language, &format!("/gift/{}", shown.code), seq, shown.clone()).await?))
}

/// The certificate of a gift, for the donor who has opened it: issued now, if it was not before.
async fn certificate(site: &Shared, language: Language, seq: u64, format: Format) -> Result<Response, Problem> {
    let found = receipt::certificate(&site.opened, site.writer().await?, &StaffId::system(), seq).await?;
    let (name, bytes) = receipt_file(site, &found, format, language).await?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

pub(super) fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown_gift",
        "没有找到这笔捐款，请核对查询码。",
        "No such gift was found; check the code",
    )
}

fn may_look(site: &Site, peer: SocketAddr) -> Result<(), Problem> {
    site.lookups.try_at(peer.ip(), site.clock.elapsed()).map_err(Problem::too_often)
}

/// A page for one reader: kept by nobody, found by no search.
fn private(page: Html<String>) -> Response {
    ([(header::CACHE_CONTROL, "private, no-store"), (HeaderName::from_static("x-robots-tag"), "noindex")], page)
        .into_response()
}

/// The units of all lines; yuan before the first gift.
async fn units(site: &Site) -> Result<BTreeSet<Unit>, StoreError> {
    let lines = site.opened.store.lines(site.opened.row.ledger_id).await?;
    let found: BTreeSet<Unit> =
        lines.iter().filter_map(|(_, name)| LineName::parse(name)).map(|name| name.unit).collect();
    Ok(if found.is_empty() { BTreeSet::from([Unit::CNY]) } else { found })
}

/// The amounts that a text can mean: in the unit that it names, else in every unit of the ledger; a donor knows the figure on the
/// receipt, and the order number tells the rest. A sign such as $ is that of several currencies and names none.
///
/// | text        | of CNY, USD, VND               |
/// |-------------|--------------------------------|
/// | `77.77`     | 77.77 CNY, 77.77 USD           |
/// | `77.77 USD` | 77.77 USD                      |
/// | `500 美元`  | 500.00 USD                     |
/// | `$500`      | 500.00 CNY, 500.00 USD, 500 VND |
fn amounts(text: &str, units: &BTreeSet<Unit>) -> Vec<Amount> {
    let text = folded(text);
    let text = text.trim().trim_start_matches(['$', '€', '£', '₫']).trim();
    let named = units.iter().flat_map(|unit| names_of(*unit).map(|name| (*unit, name)));
    let named = named.filter_map(|(unit, name)| Some((name.len(), unit, without(text, &name)?)));
    // 元 ends the name of other currencies too: the longest name is meant.
    match named.max_by_key(|(length, ..)| *length) {
        Some((_, unit, figure)) => Amount::parse(figure, unit).into_iter().collect(),
        None => units.iter().filter_map(|unit| Amount::parse(text, *unit).ok()).collect(),
    }
}

fn names_of(unit: Unit) -> [String; 3] {
    [unit.to_string(), Language::Zh.labels().unit(unit), Language::En.labels().unit(unit)]
}

/// The text without a name at its beginning or end.
fn without<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let is_name = |piece: &str| piece.eq_ignore_ascii_case(name);
    let before = text.split_at_checked(name.len()).filter(|(piece, _)| is_name(piece)).map(|(_, rest)| rest);
    let after = text.len().checked_sub(name.len()).and_then(|place| text.split_at_checked(place));
    before.or_else(|| after.filter(|(_, piece)| is_name(piece)).map(|(rest, _)| rest)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_tried_in_every_unit_that_it_can_mean() {
        let units = ["CNY", "USD", "VND", "box:N95"].map(|unit| Unit::parse(unit).expect("a unit"));
        let units = BTreeSet::from(units);
        let check = |text: &str, expected: &str| {
            let found: Vec<String> = amounts(text, &units).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(", "), expected, "{text}");
        };
        check("77.77", "77.77 CNY, 77.77 USD");
        check("77.77 USD", "77.77 USD");
        check("usd77.77", "77.77 USD");
        check("$77.77", "77.77 CNY, 77.77 USD");
        check("＄７７．７７ ＵＳＤ", "77.77 USD");
        check("500 美元", "500.00 USD");
        check("500元", "500.00 CNY");
        check("1.2万", "12,000.00 CNY, 12,000.00 USD, 12,000 VND, 12,000 box:N95");
        check("20 box:N95", "20 box:N95");
        check("77.77 VND", "");
        check("USD", "");
        check("", "");
        check("元", "");
    }
}
