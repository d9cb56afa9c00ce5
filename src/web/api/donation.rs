//! Gifts: one, or many as NDJSON.

use super::command::{only_account, posted};
use super::fields::Fields;
use super::route::{Acting, Place};
use crate::app::gift::{Gift, fresh, submission};
use crate::app::staff;
use crate::app::writer::{Accepted, Submission, reference_text};
use crate::domain::vocabulary::{Role, Source};
use crate::values::{AccountId, Amount, Day, FundId, Hash, StaffId};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Gifts of one bulk.
const BULK_LINES_MAX: usize = 10_000;

/// A gift as it was told, before it is known which account it came to.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub fund: FundId,
    pub amount: Amount,
    pub order_no: String,
    pub account: Option<AccountId>,
    pub fee: Option<Amount>,
    pub source: Source,
    pub gift_count: Option<u64>,
    pub on: Day,
    pub name: Option<String>,
    pub contact: Option<String>,
    pub memo: Option<String>,
    /// Somebody has looked: its order number may be that of a gift that was taken back.
    pub anew: bool,
}

/// What a channel need not say of its gifts.
#[derive(Clone, Debug)]
pub(super) struct Usual {
    pub fund: FundId,
    pub account: AccountId,
    pub source: Source,
}

pub(super) fn read(fields: &Fields, place: &Place<'_>) -> Option<Told> {
    read_on(fields, place.site.today(), None)
}

pub(super) fn read_on(fields: &Fields, today: Day, usual: Option<&Usual>) -> Option<Told> {
    let unit = fields.unit();
    let fund: Option<FundId> = match usual {
        None => fields.parsed("fund"),
        Some(usual) => fields.maybe("fund").or_else(|| Some(usual.fund.clone())),
    };
    let amount = fields.amount("amount", unit);
    let order_no = fields.text("order_no", 100);
    let account: Option<AccountId> = fields.maybe("account").or_else(|| usual.map(|usual| usual.account.clone()));
    let fee = fields.maybe_amount("fee", unit);
    let source: Source = fields.maybe("source").unwrap_or(usual.map_or(Source::Individual, |usual| usual.source));
    let gift_count = fields.maybe_count("gift_count");
    // A message that comes once more is no new gift.
    let anew = usual.is_none() && fields.flag("anew");
    let on = fields.day(today);
    let (name, contact, memo) =
        (fields.maybe_text("name", 100), fields.maybe_text("contact", 100), fields.maybe_text("memo", 200));
    let ((fund, amount), order_no) = fund.zip(amount).zip(order_no)?;
    Some(Told { fund, amount, order_no, account, fee, source, gift_count, on, name, contact, memo, anew })
}

/// The command that records it.
pub(super) async fn prepared(site: &Site, by: &StaffId, told: Told) -> Result<Submission, Problem> {
    let account = match told.account {
        Some(account) => account,
        None => only_account(site, &told.fund).await?,
    };
    let reference = reference_text(&account, &told.order_no);
    let Told { fund, amount, order_no, fee, source, gift_count, on, name, contact, memo, anew, .. } = told;
    let gift = Gift { fund, account, gross: amount, fee, source, gift_count, on, order_no, name, contact, memo };
    let made = submission(&site.opened.row.origin, by, gift, site.draw(fresh)).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "writing", "这笔捐赠写不进账本。", error.to_string())
    })?;
    Ok(Submission { reference: Some(reference), anew, ..made })
}

pub(super) async fn receive(acting: Acting, told: Told) -> Result<Response, Problem> {
    let Acting { site, by, key } = acting;
    let made = Submission { key, ..prepared(&site, &by, told).await? };
    let results = site.writer().await?.post_now(vec![made]).await?;
    let accepted = results.into_iter().next().expect("one answer for one command")?;
    Ok(posted(accepted, &json!({"donation": accepted.seq})))
}

/// The answer to one line: what [`command::told`](super::command::told) says, for thousands at a time.
#[derive(serde::Serialize)]
struct Posted {
    donation: u64,
    entries: u64,
    entry: u64,
    line: u64,
    repeated: bool,
}

/// One gift a line; each line is accepted or refused by itself, and answered by a line.
pub(super) async fn bulk(State(site): State<Shared>, caller: Caller, body: Bytes) -> Result<Response, Problem> {
    let by = caller.for_donations();
    // Blank lines are no gifts, but they count: the number is that of the line in what was sent.
    let lines: Vec<(u64, &[u8])> =
        (1..).zip(body.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty()).collect();
    if lines.len() > BULK_LINES_MAX {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_lines",
            format!("一次最多 {BULK_LINES_MAX} 行。"),
            format!("At most {BULK_LINES_MAX} lines at a time"),
        ));
    }
    let today = site.today();
    let (mut batch, mut answers): (Vec<Submission>, Vec<(u64, Option<Problem>)>) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        let read = (|| {
            let fields = Fields::of(line)?;
            let key = fields.maybe_text("key", 200);
            let read = read_on(&fields, today, None);
            Ok::<_, Problem>((fields.end(read)?, key))
        })();
        let made = match read {
            Ok((told, key)) => prepared(&site, &by, told).await.map(|made| {
                let key = key.map(|key| (key, Hash::of(&[line]).to_hex()));
                Submission { key, ..made }
            }),
            Err(problem) => Err(problem),
        };
        match made {
            Ok(made) => {
                batch.push(made);
                answers.push((number, None));
            }
            Err(problem) => answers.push((number, Some(problem))),
        }
    }
    let mut results = site.writer().await?.post_now(batch).await?.into_iter();
    let mut out = String::new();
    for (number, answer) in answers {
        let outcome = match answer {
            Some(problem) => Err(problem),
            None => results.next().expect("one answer for one gift").map_err(Problem::from),
        };
        let line = match outcome {
            Ok(Accepted { seq, count, repeated }) => serde_json::to_string(&Posted {
                donation: seq,
                entries: count,
                entry: seq + count - 1,
                line: number,
                repeated,
            }),
            Err(problem) => serde_json::to_string(&json!({"line": number, "problem": problem.to_json()})),
        };
        out.push_str(&line.expect("numbers and texts are JSON"));
        out.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], out).into_response())
}

/// The gift in the path.
pub(super) fn of_path(_: &Fields, place: &Place<'_>) -> Option<u64> {
    place.part("seq")
}

/// Makes the receipt code of a gift, which is shown once.
pub(super) async fn code(acting: Acting, seq: u64) -> Result<Response, Problem> {
    let Acting { site, by, .. } = acting;
    staff::require(&site.opened, &by, &[Role::Clerk, Role::Checker, Role::Admin]).await?;
    if crate::app::trace::gift(&site.opened, seq, None).await?.is_none() {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_gift",
            format!("记录 {seq} 不是一笔捐赠。"),
            format!("Entry {seq} is not a gift"),
        ));
    }
    let code = site.draw(|entropy| entropy.code());
    let hash = site.opened.keys.vault.code_hash(&code);
    crate::app::code::keep(&site.opened, "receipt", hash, &seq.to_string()).await?;
    Ok((StatusCode::CREATED, axum::Json(json!({"donation": seq, "code": code}))).into_response())
}
