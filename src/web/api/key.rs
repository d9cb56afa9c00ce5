//! The keys that sign the log: those there have been, and how one takes the place of another.

use super::command;
use super::fields::Fields;
use super::route::{Acting, Place};
use crate::app::staff;
use crate::app::writer::WriteError;
use crate::domain::command::Order;
use crate::domain::vocabulary::Role;
use crate::ledger::note::VerifierKey;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// The public keys of the log, oldest first, each with the smallest size that it signs; `next` is prepared and signs nothing yet.
pub(super) async fn list(State(site): State<Shared>) -> Result<Json<Value>, Problem> {
    let organisation = site.opened.organisation().await?;
    let keys: Vec<Value> = organisation.keys().map(|(from, vkey)| json!({"vkey": vkey, "from": from})).collect();
    let next = next(&site)?.map(|next| next.to_string());
    let next = next.filter(|next| organisation.keys().all(|(_, known)| known != next));
    Ok(Json(json!({"keys": keys, "next": next})))
}

fn next(site: &Site) -> Result<Option<VerifierKey>, WriteError> {
    let keys = site.opened.folder.keys(&site.opened.keys.log.origin)?;
    Ok(keys.next.map(|next| next.verifier()))
}

/// Nothing is said.
pub(super) fn nothing(_: &Fields, _: &Place<'_>) -> Option<()> {
    Some(())
}

/// Makes the key that is to sign next, or finds the one that was made before.
pub(super) async fn prepare(acting: Acting, (): ()) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let origin = &site.opened.keys.log.origin;
    let next = site.draw(|entropy| site.opened.folder.prepare_key(origin, entropy)).map_err(WriteError::from)?;
    Ok((StatusCode::CREATED, Json(json!({"next": next.verifier().to_string()}))).into_response())
}

/// Has the prepared key sign from now on. The next checkpoint is signed by both.
pub(super) async fn rotate(acting: Acting, (): ()) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let vkey = next(site)?.ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_key_prepared",
            "还没有准备新的签名密钥。请先运行 mingzhang key prepare，公布新公钥，再更换。",
            "No key is prepared: run `mingzhang key prepare` first, publish the new public key, then rotate",
        )
    })?;
    let made = command::made(Order::RotateKey(vkey.clone()), json!({"vkey": vkey.to_string()}));
    command::post(acting, made).await
}
