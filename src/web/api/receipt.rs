//! Certificates of gifts, for the staff that hands them out; donors get theirs on their own page.

use super::route::Acting;
use crate::app::{receipt, staff};
use crate::domain::vocabulary::Role;
use crate::report::labels::Language;
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::receipt::{Format, file as file_of};
use crate::web::site::Shared;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// The files of a certificate, as their addresses end.
pub(super) const FILES: [&str; 5] = ["zh.html", "en.html", "zh.pdf", "en.pdf", "json"];

/// Issues the certificate of a gift, or finds the one that was issued before.
pub(super) async fn issue(acting: Acting, gift: u64) -> Result<Response, Problem> {
    let Acting { site, by, .. } = acting;
    staff::require(&site.opened, &by, &[Role::Clerk]).await?;
    let before = receipt::issued(&site.opened, gift).await?;
    let repeated = before.is_some();
    let certificate = match before {
        Some(certificate) => certificate,
        None => receipt::certificate(&site.opened, site.writer().await?, &by, gift).await?,
    };
    let file = |end: &str| json!({"name": format!("{}.{end}", certificate.number), "path": format!("/donations/{gift}/receipt/{end}")});
    let answer = json!({
        "receipt": certificate.number, "donation": gift, "entry": certificate.seq, "on": certificate.on.to_string(),
        "amount": certificate.amount.minor(), "unit": certificate.amount.unit().to_string(), "repeated": repeated,
        "files": FILES.map(file),
    });
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(answer)).into_response())
}

/// A file of a certificate that was issued.
pub(super) async fn file(
    State(site): State<Shared>,
    caller: Caller,
    Path((gift, end)): Path<(u64, String)>,
) -> Result<Response, Problem> {
    let by = caller.for_all()?;
    staff::require(&site.opened, &by, &[Role::Clerk, Role::Checker, Role::Admin]).await?;
    let (language, extension) = match end.split_once('.') {
        Some(("zh", extension)) => (Language::Zh, extension),
        Some(("en", extension)) => (Language::En, extension),
        Some(_) => return Err(Problem::missing()),
        None => (Language::Zh, end.as_str()),
    };
    let format = Format::of(extension).filter(|_| FILES.contains(&end.as_str())).ok_or_else(Problem::missing)?;
    let certificate = receipt::issued(&site.opened, gift).await?.ok_or_else(Problem::missing)?;
    let (_, bytes) = file_of(&site, &certificate, format, language).await?;
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response())
}
