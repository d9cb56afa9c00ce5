//! Gifts: one, or many as NDJSON.

use super::fields::Fields;
use crate::app::gift::{Gift, submission};
use crate::app::writer::{Accepted, Submission, reference_text};
use crate::domain::fund::Account;
use crate::domain::vocabulary::Source;
use crate::values::{AccountId, FundId, StaffId};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Gifts of one bulk.
const BULK_LINES_MAX: usize = 10_000;

/// What was posted: 201, or 200 where the same key had posted it before.
pub(super) fn posted(accepted: Accepted, more: Value) -> Response {
    let status = if accepted.repeated { StatusCode::OK } else { StatusCode::CREATED };
    (status, axum::Json(told(accepted, more))).into_response()
}

pub(super) fn told(accepted: Accepted, more: Value) -> Value {
    let last = accepted.seq + accepted.count - 1;
    let mut object = json!({"entry": last, "entries": accepted.count, "repeated": accepted.repeated});
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    object
}

/// The idempotency key of a request, with what was asked.
pub(super) fn key_of(headers: &HeaderMap, body: &[u8]) -> Result<Option<(String, String)>, Problem> {
    let Some(said) = headers.get("idempotency-key") else { return Ok(None) };
    let key = said.to_str().ok().filter(|key| (1..=200).contains(&key.len())).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_key",
            "Idempotency-Key 应为 1 到 200 个可见字符。",
            "Idempotency-Key is 1 to 200 visible characters",
        )
    })?;
    Ok(Some((format!("http {key}"), crate::values::Hash::of(&[body]).to_hex())))
}

pub(in crate::web) async fn receive(
    State(site): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let by = caller.for_donations();
    let made = read(&site, &by, Fields::of(&body)?).await?;
    let made = Submission { key: key_of(&headers, &body)?, ..made };
    let accepted = site.handle.post_now(vec![made]).await?.into_iter().next().expect("one answer for one command")?;
    Ok(posted(accepted, json!({"donation": accepted.seq})))
}

/// One gift a line; each line is accepted or refused by itself, and answered by a line.
pub(super) async fn bulk(State(site): State<Shared>, caller: Caller, body: Bytes) -> Result<Response, Problem> {
    let by = caller.for_donations();
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.len() > BULK_LINES_MAX {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_lines",
            format!("一次最多 {BULK_LINES_MAX} 行。"),
            format!("At most {BULK_LINES_MAX} lines at a time"),
        ));
    }
    let (mut batch, mut answers): (Vec<Submission>, Vec<Option<Problem>>) = (Vec::new(), Vec::new());
    for line in lines {
        let read = async {
            let fields = Fields::of(line)?;
            let key: Option<String> = fields.maybe_text("key", 200);
            let made = read(&site, &by, fields).await?;
            let key = key.map(|key| (format!("http {key}"), crate::values::Hash::of(&[line]).to_hex()));
            Ok::<_, Problem>(Submission { key, ..made })
        };
        match read.await {
            Ok(made) => {
                batch.push(made);
                answers.push(None);
            }
            Err(problem) => answers.push(Some(problem)),
        }
    }
    let mut results = site.handle.post_now(batch).await?.into_iter();
    let mut out = String::new();
    for (number, answer) in (1_u64..).zip(answers) {
        let outcome = match answer {
            Some(problem) => Err(problem),
            None => results.next().expect("one answer for one gift").map_err(Problem::from),
        };
        let line = match outcome {
            Ok(accepted) => told(accepted, json!({"line": number, "donation": accepted.seq})),
            Err(problem) => json!({"line": number, "problem": problem.to_json()}),
        };
        out.push_str(&line.to_string());
        out.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], out).into_response())
}

async fn read(site: &Site, by: &StaffId, fields: Fields) -> Result<Submission, Problem> {
    let unit = fields.unit();
    let fund: Option<FundId> = fields.parsed("fund");
    let gross = fields.amount("amount", unit);
    let order_no = fields.text("order_no", 100);
    let account: Option<AccountId> = fields.maybe("account");
    let fee = fields.maybe_amount("fee", unit);
    let source: Source = fields.maybe("source").unwrap_or(Source::Individual);
    let gift_count = fields.maybe_count("gift_count");
    let on = fields.day(site.today());
    let (name, contact, memo) =
        (fields.maybe_text("name", 100), fields.maybe_text("contact", 100), fields.maybe_text("memo", 200));
    let read = fund.zip(gross).zip(order_no);
    let ((fund, gross), order_no) = fields.end(read)?;
    let account = match account {
        Some(account) => account,
        None => only_account(site, &fund).await?,
    };
    let reference = reference_text(&account, &order_no);
    let gift = Gift { fund, account, gross, fee, source, gift_count, on, order_no, name, contact, memo };
    let made = site.draw(|entropy| submission(&site.opened.row.origin, by, gift, entropy));
    let made = made.map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "writing", "这笔捐赠写不进账本。", error.to_string())
    })?;
    Ok(Submission { reference: Some(reference), ..made })
}

/// The only account that may feed a fund.
pub(super) async fn only_account(site: &Site, fund: &FundId) -> Result<AccountId, Problem> {
    let accounts = site.opened.states("account", Account::from_object).await?;
    let mut feeding = accounts.into_iter().filter(|account| account.funds.contains(fund));
    match (feeding.next(), feeding.next()) {
        (Some(only), None) => Ok(only.account),
        _ => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "account_wanted",
            format!("基金 {fund} 没有账户，或不止一个，请写明 account。"),
            format!("Fund {fund} has no account, or several: say which in “account”"),
        )),
    }
}
