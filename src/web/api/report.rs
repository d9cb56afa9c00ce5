//! Reports: published by staff, downloaded by anybody.

use super::fields::Fields;
use super::read::cursor;
use super::route::{Acting, Place, query, unknown};
use super::{document, download};
use crate::app::publish::{self, Correcting, PublishError};
use crate::app::reason_zh::reason;
use crate::app::staff;
use crate::app::writer::{WriteError, chain};
use crate::domain::disclosure::Published;
use crate::domain::field_rule::TEXT_MAX;
use crate::domain::terms::Term;
use crate::domain::vocabulary::Role;
use crate::ledger::sum_tree::Item;
use crate::values::CaseId;
use crate::values::text::nfc;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(refusal) => refusal.into(),
            PublishError::Store(error) => error.into(),
            PublishError::Open(error) => WriteError::from(error).into(),
            PublishError::Write(error) => error.into(),
            PublishError::File { .. } | PublishError::Report(_) | PublishError::Checkpoint(_) => {
                WriteError::Fault(chain(&error)).into()
            }
        }
    }
}

/// Which case, and which report of it was wrong.
pub(super) fn of_case(fields: &Fields, place: &Place<'_>) -> Option<(CaseId, Option<Correcting>)> {
    let case = place.part("case");
    let correcting = match fields.maybe_count("corrects") {
        Some(seq) => Some(Correcting { seq, note: nfc(&fields.text("note", TEXT_MAX)?) }),
        None => None,
    };
    Some((case?, correcting))
}

/// Makes the report of a case and publishes it. A report says that its figures can be proved: it is made of a ledger that holds, or
/// not at all.
pub(super) async fn publish(
    acting: Acting,
    (case, correcting): (CaseId, Option<Correcting>),
) -> Result<Response, Problem> {
    let Acting { site, by, .. } = acting;
    staff::require(&site.opened, &by, &[Role::Clerk]).await?;
    let slug = site.opened.row.slug.clone();
    let verdict = crate::app::verify::verify(&site.opened.folder, Some(&slug), |_, _| ()).await;
    if let Some(bad) = verdict.map_err(WriteError::from)?.first_bad {
        let problem = Problem::new(
            StatusCode::CONFLICT,
            "not_ok",
            format!("报告没有生成：账本有问题，第一条有问题的记录是 {}。原因：{}。", bad.seq, reason(&bad.reason)),
            format!("No report was made: the ledger does not hold. The first bad entry is {}: {}", bad.seq, bad.reason),
        );
        return Err(problem);
    }
    let out = site.opened.folder.path().join("reports");
    let writer = site.writer().await?;
    let published = publish::case(&site.opened, writer, &by, case.as_str(), &out, correcting).await?;
    let files: Vec<Value> = published
        .files
        .iter()
        .map(|(path, hash)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            json!({"name": name, "sha256": hash.to_hex(), "path": format!("/reports/{}/{name}", published.entry)})
        })
        .collect();
    let object = json!({
        "files": files, "entry": published.entry, "number": published.number, "repeated": published.repeated,
    });
    let status = if published.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(object)).into_response())
}

async fn known(site: &Shared, seq: u64) -> Result<Published, Problem> {
    let found = site.opened.state("report", &seq.to_string(), Published::from_object).await?;
    found.ok_or_else(|| unknown("report", seq))
}

/// A published report, with its files.
pub(super) async fn one(State(site): State<Shared>, Path(seq): Path<u64>) -> Result<Json<Value>, Problem> {
    let known = known(&site, seq).await?;
    let mut object = document::state(&known.to_object());
    let path = |name: String| format!("/reports/{seq}/{name}");
    object["files"] = known.file_names().into_iter().map(path).collect();
    Ok(Json(object))
}

/// A page of the items of a published total, in order of their entries: leaf hash and amount; `next` is where the following page
/// begins. Whoever has the entries sees that none is missing or double, and that the root over all is the published one.
pub(super) async fn items(
    State(site): State<Shared>,
    Path((seq, term)): Path<(u64, String)>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let (from, limit) = query(&uri, cursor)?;
    let known = known(&site, seq).await?;
    let terms = site.items.of(&site.opened, &known).await?;
    let Term { items, total } = terms.get(term.as_str()).ok_or_else(Problem::missing)?;
    let item = |item: &Item| json!({"item": item.item.to_hex(), "amount": item.amount});
    let end = from.saturating_add(limit);
    let place = |n: u64| usize::try_from(n.min(total.count)).expect("no more than there are");
    Ok(Json(json!({
        "report": seq, "term": term, "count": total.count, "sum": total.root.sum, "root": total.root.hash.to_hex(),
        "items": items[place(from)..place(end)].iter().map(item).collect::<Vec<_>>(),
        "next": (end < total.count).then_some(end),
    })))
}

/// What differs between a report and the version that has taken its place.
pub(super) async fn changes(State(site): State<Shared>, Path(seq): Path<u64>) -> Result<Json<Value>, Problem> {
    let before = known(&site, seq).await?;
    let Some(corrected) = &before.corrected else { return Err(Problem::missing()) };
    let after = known(&site, corrected.by).await?;
    let changes = publish::changes(&site.opened, (&before, &after)).await?;
    let change = |(path, before, after): (String, Option<String>, Option<String>)| json!({"path": path, "before": before, "after": after});
    let changes: Vec<Value> = changes.into_iter().map(change).collect();
    Ok(Json(json!({"report": seq, "corrected_by": corrected.by, "note": corrected.note, "changes": changes})))
}

/// A file of a report, with the bytes that its entry names.
pub(super) async fn file(
    State(site): State<Shared>,
    Path((seq, file)): Path<(u64, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = known(&site, seq).await?;
    let place = known.file_names().iter().position(|name| *name == file).ok_or_else(Problem::missing)?;
    let (bytes, hash) = publish::file(&site.opened, &known, place).await?;
    let kind = if file.ends_with(".pdf") { "application/pdf" } else { "application/json" };
    Ok(download::unchanging(&headers, kind, &hash.to_hex(), bytes, Some(&file)))
}
