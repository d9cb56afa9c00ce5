//! The interface for programs, `/api/v1`. What is public on the pages is public here; commands need a token.

mod command;
pub mod document;
mod donation;
mod download;
mod example;
mod fields;
mod key;
mod openapi;
mod read;
mod receipt;
mod report;
mod route;
mod shape;
mod staff;
mod upload;
mod webhook;

use super::problem::Problem;
use super::site::{Shared, Site};
use super::{REQUEST_TIMEOUT, given_up_after};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use fields::Fields;
use route::{Routes, Who, acting};
use serde_json::{Value, json};
use std::time::Duration;

/// One command is small; a bulk of gifts is larger, a statement larger still.
const BODY_MAX: usize = 64 << 10;
const BULK_MAX: usize = 16 << 20;
const STATEMENT_MAX: usize = 256 << 20;

/// Imports and reports take their time.
const LONG_TIMEOUT: Duration = Duration::from_secs(1_800);

/// Its routes.
pub fn routes(site: &Site) -> Router<Shared> {
    let small = reading(Routes::new(site)).merge(commands(Routes::new(site)));
    let small =
        small.surrounded(|router| router.layer(DefaultBodyLimit::max(BODY_MAX)).layer(given_up_after(REQUEST_TIMEOUT)));
    let bulk = Routes::new(site)
        .take("/donations/bulk", "Record many gifts, one a line", "application/x-ndjson", donation::bulk)
        .only(Who::Channel)
        .answers(&["application/x-ndjson"])
        .surrounded(|router| router.layer(DefaultBodyLimit::max(BULK_MAX)).layer(given_up_after(REQUEST_TIMEOUT)));
    let long = Routes::new(site)
        .act("/cases/{case}/reports", "Publish the report of a case", Who::Staff, report::of_case, report::publish)
        .like(example::published())
        .keyless()
        .take("/imports", "Import a statement of gifts", "application/octet-stream", upload::import)
        .query(upload::asked)
        .like(example::imported())
        .surrounded(|router| router.layer(DefaultBodyLimit::max(STATEMENT_MAX)).layer(given_up_after(LONG_TIMEOUT)));
    let (router, document) = small.merge(bulk).merge(long).finish();
    router.route("/openapi.json", get(move || openapi(document.clone()))).fallback(|| async { Problem::missing() })
}

/// One gift a request; the measurements compare with it.
pub(super) fn one_gift() -> MethodRouter<Shared> {
    acting(Who::Channel, donation::read, donation::receive)
}

async fn openapi(document: Value) -> Response {
    ([(header::CONTENT_TYPE, "application/openapi+json")], document.to_string()).into_response()
}

fn reading(routes: Routes<'_>) -> Routes<'_> {
    routes
        .get("/ledger", "The organisation, and the head of its log", read::ledger)
        .like(example::ledger())
        .get("/totals", "What became of every line, now or at a tree size", read::totals)
        .like(example::totals())
        .query(read::at)
        .get("/entries", "Entries as they stand in the log", read::entries)
        .like(example::entries())
        .query(read::cursor)
        .get("/entries/{seq}", "The canonical bytes of an entry", read::entry)
        .like(example::entry())
        .unchanging()
        .get("/entries/{seq}/trace", "Where a gift went, or whose gifts a payment used", read::entry_trace)
        .like(example::trace())
        .query(read::at)
        .get("/checkpoint", "The newest signed checkpoint", read::checkpoint)
        .answers(&["text/plain; charset=utf-8"])
        .get("/keys", "The keys that have signed the log, and the one that is to come", key::list)
        .like(json!({"keys": [{"vkey": "", "from": 0}], "next?": ""}))
        .get("/accounts", "All accounts and what is there by the books", read::accounts)
        .like(example::listed("accounts", example::account()))
        .get("/funds", "All funds, with what is free, held, spent and void", read::funds)
        .like(example::listed("funds", example::fund()))
        .get("/campaigns", "All appeals", read::campaigns)
        .like(example::listed("campaigns", example::campaign()))
        .get("/campaigns/{campaign}", "An appeal", read::campaign)
        .like(example::campaign())
        .get("/cases", "All cases", read::cases)
        .like(example::listed("cases", example::case()))
        .get("/cases/{case}", "A case", read::case)
        .like(example::case())
        .get("/disbursements", "All payments", read::disbursements)
        .like(example::listed("disbursements", example::disbursement()))
        .get("/disbursements/{seq}", "A payment, by the entry of its request", read::disbursement)
        .like(example::disbursement())
        .get("/donations", "The newest gifts", read::donations)
        .like(example::donations())
        .query(read::wanted)
        .ask(
            "/lookups",
            "The gifts that a receipt code opens, or an order number with its amount",
            read::held,
            read::lookup,
        )
        .like(json!({"donations": [1]}))
        .get("/reports", "All published reports", read::reports)
        .like(example::listed("reports", example::report()))
        .get("/reports/{seq}", "A published report", report::one)
        .like(example::report_with_files())
        .get("/reports/{seq}/changes", "What differs in the version that has taken its place", report::changes)
        .like(json!({
            "report": 1, "corrected_by": 2, "note": "", "changes": [{"path": "", "before?": "", "after?": ""}],
        }))
        .get("/reports/{seq}/terms/{term}", "The items of a published total, in order of their entries", report::items)
        .like(json!({
            "report": 1, "term": "receipts", "count": 1, "sum": 100, "root": "hex",
            "items": [{"item": "hex", "amount": 100}], "next?": 100,
        }))
        .query(read::cursor)
        .get("/reports/{seq}/{file}", "A file of a report", report::file)
        .answers(&["application/pdf", "application/json"])
        .unchanging()
        .get("/imports/{import}/{file}", "Rows of a statement that were handed back", upload::file)
        .only(Who::Staff)
        .answers(&["text/csv; charset=utf-8"])
        .get("/donations/{seq}/receipt/{file}", "A file of a gift's certificate", receipt::file)
        .only(Who::Staff)
        .answers(&["text/html; charset=utf-8", "application/pdf", "application/json"])
        .get("/channels", "All payment channels", webhook::channels)
        .like(json!({"channels": [example::channel()]}))
        .only(Who::Staff)
        .get("/subscriptions", "Who is told of entries, and how far", webhook::subscriptions)
        .like(json!({"subscriptions": [example::subscription()]}))
        .only(Who::Staff)
        .get("/users", "All users", staff::users)
        .like(json!({"users": [example::user()]}))
        .only(Who::Staff)
}

fn commands(routes: Routes<'_>) -> Routes<'_> {
    let order = command::post;
    let today = routes.today();
    let message = move |fields: &Fields| webhook::message(fields, today);
    routes
        .act("/accounts", "Open an account for funds", Who::Staff, command::open_account, order)
        .like(example::posted(json!({"account": ""})))
        .act("/accounts/move", "Cash went from one account to another", Who::Staff, command::move_cash, order)
        .like(example::posted(json!({"from": "", "to": ""})))
        .act("/funds", "Open a fund", Who::Staff, command::open_fund, order)
        .like(example::posted(json!({"fund": ""})))
        .act("/funds/transfer", "Move free money to another fund", Who::Staff, command::transfer, order)
        .like(example::posted(json!({"from": "", "to": ""})))
        .act("/campaigns", "File the plan of an appeal", Who::Staff, command::file_campaign, order)
        .like(example::posted(json!({"campaign": ""})))
        .act("/campaigns/{campaign}/open", "The appeal starts", Who::Staff, command::open_campaign, order)
        .like(example::posted(json!({"campaign": "", "on": ""})))
        .act("/campaigns/{campaign}/end", "The appeal ends", Who::Staff, command::end_campaign, order)
        .like(example::posted(json!({"campaign": "", "on": ""})))
        .act("/cases", "Open a case", Who::Staff, command::open_case, order)
        .like(example::posted(json!({"case": "", "fund": "", "family_code?": ""})))
        .act("/cases/{case}/assess", "Record the need", Who::Staff, command::assess_case, order)
        .like(example::posted(json!({"case": ""})))
        .act("/cases/{case}/approve", "Approve aid", Who::Staff, command::approve_case, order)
        .like(example::posted(json!({"case": ""})))
        .act("/cases/{case}/decline", "Decline aid", Who::Staff, command::decline_case, order)
        .like(example::posted(json!({"case": ""})))
        .act("/cases/{case}/close", "Close the case", Who::Staff, command::close_case, order)
        .like(example::posted(json!({"case": ""})))
        .act("/disbursements", "Ask for a payment", Who::Staff, command::request_disbursement, order)
        .like(example::posted(json!({"disbursement": 1})))
        .act("/disbursements/{seq}/approve", "Approve it", Who::Staff, command::approve_disbursement, order)
        .like(example::posted(json!({"disbursement": 1})))
        .act("/disbursements/{seq}/reject", "Refuse or withdraw it", Who::Staff, command::reject_disbursement, order)
        .like(example::posted(json!({"disbursement": 1})))
        .act("/disbursements/{seq}/pay", "Pay it", Who::Staff, command::pay_disbursement, order)
        .like(example::posted(json!({"disbursement": 1})))
        .act(
            "/disbursements/{seq}/return",
            "The payee sent money back",
            Who::Staff,
            command::return_disbursement,
            order,
        )
        .like(example::posted(json!({"disbursement": 1})))
        .act(
            "/disbursements/{seq}/acknowledge",
            "The family confirms",
            Who::Staff,
            command::acknowledge_disbursement,
            order,
        )
        .like(example::posted(json!({"disbursement": 1})))
        .act("/donations", "Record a gift", Who::Channel, donation::read, donation::receive)
        .like(example::posted(json!({"donation": 1})))
        .act("/donations/{seq}/refund", "Give a gift back", Who::Staff, command::refund_donation, order)
        .like(example::posted(json!({"donation": 1})))
        .act("/donations/{seq}/code", "Make its receipt code", Who::Staff, donation::of_path, donation::code)
        .like(json!({"donation": 1, "code": ""}))
        .keyless()
        .act("/donations/{seq}/receipt", "Issue its certificate", Who::Staff, donation::of_path, receipt::issue)
        .like(json!({
            "receipt": "2026-000001", "donation": 1, "entry": 1, "on": "2026-03-01", "amount": 1, "unit": "CNY",
            "repeated": false, "files": [{"name": "", "path": ""}],
        }))
        .keyless()
        .act("/entries/{seq}/reverse", "Take back a whole entry", Who::Staff, command::reverse, order)
        .like(example::posted(json!({"target": 1})))
        .ask("/channels/{name}/gifts", "A gift by a payment channel", message, webhook::receive)
        .like(json!({"entry": 1, "donation": 1, "repeated": false}))
        .only(Who::Signed)
        .act("/channels", "Admit a payment channel", Who::Staff, webhook::read_channel, webhook::admit)
        .like(example::admitted())
        .keyless()
        .act("/channels/{name}/remove", "Remove it", Who::Staff, webhook::named, webhook::dismiss)
        .like(json!({"channel": "", "removed": true}))
        .keyless()
        .act("/subscriptions", "Be told of entries", Who::Staff, webhook::read_subscription, webhook::subscribe)
        .like(example::subscribed())
        .keyless()
        .act("/subscriptions/{name}/remove", "End it", Who::Staff, webhook::named, webhook::unsubscribe)
        .like(json!({"subscription": "", "removed": true}))
        .keyless()
        .act("/keys/prepare", "Make the key that signs next", Who::Staff, key::nothing, key::prepare)
        .like(json!({"next": ""}))
        .keyless()
        .act("/keys/rotate", "Have it sign from now on", Who::Staff, key::nothing, key::rotate)
        .like(example::posted(json!({"vkey": ""})))
        .keyless()
        .act("/users", "Admit a user", Who::Staff, staff::read_user, staff::admit)
        .like(example::user())
        .keyless()
        .act("/users/role", "Give a role, or take it", Who::Staff, staff::read_role, staff::give)
        .like(json!({"user": "", "name": "", "role": "", "has": true}))
        .keyless()
        .act("/users/token", "Make a token for a program", Who::Staff, staff::read_token, staff::token)
        .like(example::token())
        .keyless()
        .act("/users/revoke", "End all tokens of a user", Who::Staff, staff::read_revoked, staff::revoke)
        .like(json!({"user": "", "name": "", "revoked": 1}))
        .keyless()
}
