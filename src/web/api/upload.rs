//! Statements of gifts: uploaded, imported, and the rows that were not accepted handed back.

use super::fields::Fields;
use super::route::{query, unknown};
use super::{LONG_TIMEOUT, STATEMENT_MAX, document};
use crate::app::import::{self, Import, ImportFailure, Mode};
use crate::app::staff;
use crate::app::writer::{WriteError, chain, rehearse};
use crate::domain::vocabulary::Role;
use crate::entropy::Entropy;
use crate::exchange::import::{FormatName, Mapping, Options};
use crate::values::{AccountId, Day, FundId, StaffId};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::Shared;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::Value;
use std::path::{Path as FilePath, PathBuf};
use tokio::io::AsyncWriteExt as _;

/// How a statement is to be read.
pub(super) struct Asked {
    name: String,
    fund: FundId,
    account: Option<AccountId>,
    format: Option<FormatName>,
    mapping: Option<String>,
    on: Option<Day>,
    dry_run: bool,
}

pub(super) fn asked(fields: &Fields) -> Option<Asked> {
    let (fund, name) = (fields.parsed("fund"), fields.text("name", 200));
    let (account, format, on) = (fields.maybe("account"), fields.maybe("format"), fields.maybe("on"));
    let mapping = fields.maybe_text("mapping", 20_000);
    let dry_run = fields.flag("dry_run");
    let (fund, name) = fund.zip(name)?;
    Some(Asked { name, fund, account, format, mapping, on, dry_run })
}

fn unusable(zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "input", zh, en)
}

impl From<ImportFailure> for Problem {
    fn from(failure: ImportFailure) -> Self {
        match failure {
            ImportFailure::Refused(refusal) => refusal.into(),
            ImportFailure::Write(error) => error.into(),
            ImportFailure::Statement { source, .. } => {
                let (zh, en) = (source.zh(), chain(&source));
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "statement", zh, en)
            }
            ImportFailure::File { .. } => WriteError::Fault(chain(&failure)).into(),
        }
    }
}

/// Characters of a file's name.
const NAME_MAX: usize = 60;

/// A name that stays in its folder, and says nothing to a shell.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    // The end of a long one, with what says its kind: a file's name has at most 255 bytes.
    let name =
        name.char_indices().rev().nth(NAME_MAX - 1).map_or(name.as_str(), |(place, _)| &name[place..]).to_owned();
    if name.trim_matches('.').is_empty() { "statement".into() } else { name }
}

/// Imports the body. What was accepted before a failure stays; what was not is in files that `files` names.
pub(super) async fn import(
    State(site): State<Shared>,
    caller: Caller,
    uri: Uri,
    body: Body,
) -> Result<Response, Problem> {
    let by = caller.for_all()?;
    staff::require(&site.opened, &by, &[Role::Clerk]).await?;
    let asked = query(&uri, asked)?;
    let fund = site.opened.state("fund", asked.fund.as_str(), |_| Ok(())).await?;
    fund.ok_or_else(|| unknown("fund", &asked.fund))?;
    let mapping = asked.mapping.as_deref().map(Mapping::parse).transpose();
    let mapping = mapping.map_err(|error| unusable(format!("mapping：{}。", error.zh()), chain(&error)))?;
    let folder = site.draw(|entropy| entropy.id("i_", 10));
    let uploads = site.opened.folder.path().join("uploads");
    sweep(&uploads);
    let path = uploads.join(&folder).join(plain_name(&asked.name));
    let fault = |error: std::io::Error| WriteError::Fault(format!("uploads/{folder}: {error}"));
    tokio::fs::create_dir_all(path.parent().unwrap_or(&path)).await.map_err(fault)?;
    let kept = Kept(path.clone());
    let mut file = tokio::fs::File::create(&path).await.map_err(fault)?;
    let (mut chunks, mut length) = (body.into_data_stream(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            unusable("对账单没有传完，请再传一次。", "The statement did not arrive whole; send it again")
        })?;
        length += chunk.len();
        if length > STATEMENT_MAX {
            return Err(too_large());
        }
        file.write_all(&chunk).await.map_err(fault)?;
    }
    file.flush().await.map_err(fault)?;
    let options = Options { format: asked.format, mapping, default_day: asked.on, file_name: plain_name(&asked.name) };
    let mode = if asked.dry_run { Mode::DryRun } else { Mode::Post };
    let hand_back = vec![site.opened.folder.path().join("imports").join(&folder)];
    let order = Import { path: path.clone(), fund: asked.fund, account: asked.account, options, mode, hand_back };
    let imported = carry_out(&site, by, order, asked.dry_run).await;
    drop(kept);
    let mut imported = imported?;
    let files = imported["files"].as_array().cloned().unwrap_or_default();
    let named = |file: &Value| {
        let name = FilePath::new(file.as_str().unwrap_or_default()).file_name().unwrap_or_default().to_string_lossy();
        format!("/imports/{folder}/{name}")
    };
    imported["files"] = files.iter().map(named).collect();
    let status = if asked.dry_run { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(imported)).into_response())
}

fn too_large() -> Problem {
    let megabytes = STATEMENT_MAX >> 20;
    let (zh, en) = (format!("对账单不能超过 {megabytes} MiB。"), format!("A statement has at most {megabytes} MiB"));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", zh, en)
}

/// A statement names donors: it does not stay, however the request ends.
struct Kept(PathBuf);

impl Drop for Kept {
    fn drop(&mut self) {
        // What cannot be removed now is swept by a later upload.
        let _ = self.0.parent().map(std::fs::remove_dir_all);
    }
}

/// Removes uploads that a power failure or a kill has left: no request lives as long as they are old.
fn sweep(uploads: &FilePath) {
    for upload in std::fs::read_dir(uploads).into_iter().flatten().flatten() {
        let age = upload.metadata().and_then(|known| known.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LONG_TIMEOUT * 2) {
            // Tried again with the next upload.
            let _ = std::fs::remove_dir_all(upload.path());
        }
    }
}

async fn carry_out(site: &Shared, by: StaffId, order: Import, dry_run: bool) -> Result<Value, Problem> {
    let (mut entropy, origin, size) = (Entropy::new(), site.opened.row.origin.clone(), site.head().await?.size);
    if dry_run {
        let opened = site.opened.folder.open(Some(&site.opened.row.slug)).await.map_err(WriteError::from)?;
        let writer = rehearse(opened, None, site.clock, site.trust()).await?;
        let imported = import::import(order, &origin, &by, &writer, &mut entropy, |_, _, _| ()).await?;
        return Ok(document::imported(&imported, size, true));
    }
    let writer = site.writer().await?;
    let imported = import::import(order, &origin, &by, writer, &mut entropy, |_, _, _| ()).await;
    writer.finish().await?;
    Ok(document::imported(&imported?, size, false))
}

/// A file with rows that were handed back. It names donors, so it is for staff only.
pub(super) async fn file(
    State(site): State<Shared>,
    caller: Caller,
    Path((folder, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let by = caller.for_all()?;
    staff::require(&site.opened, &by, &[Role::Clerk]).await?;
    let is_ours = folder.starts_with("i_") && folder.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_ours || file != plain_name(&file) {
        return Err(Problem::missing());
    }
    let path: PathBuf = site.opened.folder.path().join("imports").join(folder).join(file);
    let bytes = tokio::fs::read(path).await.map_err(|_| Problem::missing())?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}
