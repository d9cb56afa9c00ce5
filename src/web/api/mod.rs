//! The interface for programs, `/api/v1`. What is public on the pages is public here; commands need a token.

mod command;
mod donation;
mod fields;
mod read;

pub(super) use donation::receive;

use super::problem::Problem;
use super::site::Shared;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// One command is small; a bulk of gifts is larger.
const BODY_MAX: usize = 64 << 10;
const BULK_MAX: usize = 16 << 20;

/// Its routes.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/ledger", get(read::ledger))
        .route("/totals", get(read::totals))
        .route("/entries", get(read::entries))
        .route("/entries/{seq}", get(read::entry))
        .route("/checkpoint", get(read::checkpoint))
        .route("/accounts", get(read::accounts).post(command::open_account))
        .route("/accounts/move", post(command::move_cash))
        .route("/funds", get(read::funds).post(command::open_fund))
        .route("/funds/transfer", post(command::transfer))
        .route("/campaigns", get(read::campaigns))
        .route("/cases", get(read::cases).post(command::open_case))
        .route("/cases/{case}/{step}", post(command::case_step))
        .route("/disbursements", get(read::disbursements).post(command::request))
        .route("/disbursements/{seq}/{step}", post(command::disbursement_step))
        .route("/donations", post(donation::receive))
        .route("/donations/{seq}/refund", post(command::refund))
        .route("/donations/{seq}/trace", get(read::gift_trace))
        .route("/entries/{seq}/reverse", post(command::reverse))
        .route("/reports", get(read::reports))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .merge(Router::new().route("/donations/bulk", post(donation::bulk)).layer(DefaultBodyLimit::max(BULK_MAX)))
        .fallback(|| async { Problem::missing() })
}
