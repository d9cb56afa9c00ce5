//! Signed messages, after the Standard Webhooks specification: payment channels that post gifts, and subscriptions to entries.

use super::donation::{self, Usual};
use super::fields::Fields;
use super::route::{Acting, Place};
use crate::app::staff;
use crate::app::webhook;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{Role, Source};
use crate::report::labels::Language;
use crate::store::{ChannelRow, StoreError, SubscriptionRow};
use crate::values::{AccountId, Day, FundId, StaffId};
use crate::vault::webhook::{NotTaken, TOLERANCE_S};
use crate::web::login::{Caller, Peer};
use crate::web::problem::Problem;
use crate::web::site::Shared;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Kinds of one subscription, at most.
const KINDS_MAX: usize = 40;

fn not_taken(why: NotTaken) -> Problem {
    let (code, zh) = match why {
        NotTaken::Malformed => {
            ("signature_wanted", "需要 webhook-id、webhook-timestamp 和 webhook-signature。".to_owned())
        }
        NotTaken::TooFar => ("too_late", format!("时间戳与现在相差超过 {TOLERANCE_S} 秒，没有入账；请重新签名再发。")),
        NotTaken::NotSigned => ("signature_wrong", "签名不对，没有入账。".to_owned()),
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, zh, why.to_string())
}

fn refused() -> Problem {
    not_taken(NotTaken::NotSigned)
}

/// What a message of a channel says, for the document.
pub(super) fn message(fields: &Fields, today: Day) -> Option<donation::Told> {
    let usual = Usual {
        fund: FundId::parse("general").ok()?,
        account: AccountId::parse("wallet").ok()?,
        source: Source::Platform,
    };
    donation::read_on(fields, today, Some(&usual))
}

/// A gift by a payment channel. The same gift again is answered as the first time, whenever and in whatever order it comes.
pub(super) async fn receive(
    State(site): State<Shared>,
    Path(name): Path<String>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let said = |header: &str| headers.get(header).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = webhook::channel(&site.opened, &name).await;
    let now = site.clock.now().millis() / 1_000;
    let (id, at, signatures) = (said("webhook-id"), said("webhook-timestamp"), said("webhook-signature"));
    // An unknown channel is answered as a wrong signature is: names are not to be tried.
    let secret = site.opened.keys.vault.webhook_secret(known.as_ref().map_or("", |known| &known.secret_id));
    let taken = secret.check(id, at, signatures, &body, now).map_err(not_taken);
    let channel = match (known, taken) {
        (Ok(channel), Ok(())) => channel,
        (_, taken) => {
            if let Some(peer) = peer.0 {
                site.guesses.try_at(peer, site.clock.elapsed()).map_err(Problem::too_often)?;
            }
            return Err(taken.err().unwrap_or_else(refused));
        }
    };
    let damaged = |what: String| StoreError::Damaged { table: "channel", what };
    let usual = Usual {
        fund: FundId::parse(&channel.fund).map_err(|error| damaged(error.to_string()))?,
        account: AccountId::parse(&channel.account).map_err(|error| damaged(error.to_string()))?,
        source: Source::parse(&channel.name).unwrap_or(Source::Platform),
    };
    let by = StaffId::parse(&channel.staff_id).map_err(|error| damaged(error.to_string()))?;
    let told = {
        let fields = Fields::of(&body)?;
        let read = donation::read_on(&fields, site.today(), Some(&usual));
        fields.end(read)?
    };
    let made = donation::prepared(&site, &by, told).await?;
    let results = site.writer().await?.post_now(vec![made]).await?;
    let (seq, repeated) = match results.into_iter().next().expect("one answer for one command") {
        Ok(accepted) => (accepted.seq, accepted.repeated),
        Err(Refusal::ReferenceRepeated { seq }) => (seq, true),
        Err(refusal) => return Err(refusal.into()),
    };
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(json!({"entry": seq, "donation": seq, "repeated": repeated}))).into_response())
}

/// A channel that is to be admitted.
pub(super) struct Wanted {
    name: String,
    fund: FundId,
    account: AccountId,
    user: Option<String>,
}

pub(super) fn read_channel(fields: &Fields, _: &Place<'_>) -> Option<Wanted> {
    // A name stands in the channel's address, so it follows the grammar of ids.
    let name: Option<StaffId> = fields.parsed("channel");
    let user = fields.maybe_text("user", 100);
    let ((name, fund), account) = name.zip(fields.parsed("fund")).zip(fields.parsed("account"))?;
    Some(Wanted { name: name.to_string(), fund, account, user })
}

pub(super) async fn admit(acting: Acting, wanted: Wanted) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let clerk = match &wanted.user {
        None => acting.by.clone(),
        Some(user) => staff::member(&site.opened, user).await?.id,
    };
    let channel = ChannelRow {
        name: wanted.name,
        secret_id: site.draw(|entropy| entropy.id("w_", 16)),
        staff_id: clerk.to_string(),
        account: wanted.account.to_string(),
        fund: wanted.fund.to_string(),
    };
    let secret = webhook::admit_channel(&site.opened, &channel).await?;
    let object = json!({
        "channel": channel.name, "fund": channel.fund, "account": channel.account, "user": channel.staff_id,
        "secret": secret.shown(),
        "path": format!("/api/v1/channels/{}/gifts", channel.name),
    });
    Ok((StatusCode::CREATED, Json(object)).into_response())
}

/// A name in the path.
pub(super) fn named(_: &Fields, place: &Place<'_>) -> Option<String> {
    place.part("name")
}

pub(super) async fn dismiss(acting: Acting, name: String) -> Result<Response, Problem> {
    webhook::remove_channel(&acting.site.opened, &acting.by, &name).await?;
    Ok(Json(json!({"channel": name, "removed": true})).into_response())
}

async fn admins_only(site: &Shared, caller: Caller) -> Result<(), Problem> {
    let by = caller.for_all()?;
    Ok(staff::require(&site.opened, &by, &[Role::Admin]).await?)
}

pub(super) async fn channels(State(site): State<Shared>, caller: Caller) -> Result<Json<Value>, Problem> {
    admins_only(&site, caller).await?;
    let known = site.opened.store.channels(site.opened.row.ledger_id).await?;
    let object = |known: &ChannelRow| json!({"channel": known.name, "fund": known.fund, "account": known.account, "user": known.staff_id});
    Ok(Json(json!({"channels": known.iter().map(object).collect::<Vec<_>>()})))
}

/// A subscription that is wanted.
pub(super) struct Subscribing {
    url: String,
    kinds: Vec<String>,
    from: Option<u64>,
}

pub(super) fn read_subscription(fields: &Fields, _: &Place<'_>) -> Option<Subscribing> {
    let kinds = fields.maybe_texts("kinds", KINDS_MAX, 60);
    let from = fields.maybe_count("from");
    Some(Subscribing { url: fields.text("url", 500)?, kinds, from })
}

pub(super) async fn subscribe(acting: Acting, wanted: Subscribing) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let uri: Option<Uri> = wanted.url.parse().ok();
    let is_url = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !is_url {
        let (zh, en) = ("url：请写成 https://主机/路径。", "url: write it as https://host/path");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "input", zh, en));
    }
    let is_kind = |kind: &String| Language::En.labels().knows("kind", &kind.replace('.', "_"));
    if let Some(kind) = wanted.kinds.iter().find(|kind| !is_kind(kind)) {
        let zh = format!("kinds：“{kind}”不是记录的种类，请写成 donation.received 这样。");
        let en = format!("kinds: “{kind}” is no kind of entry; write it as donation.received");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "input", zh, en));
    }
    let size = site.head().await?.size;
    let fresh = SubscriptionRow {
        secret_id: site.draw(|entropy| entropy.id("s_", 10)),
        url: wanted.url,
        kinds: wanted.kinds.join(","),
        next_seq: wanted.from.map_or(size, |from| from.min(size)),
        failures: 0,
        try_at: 0,
        trouble: String::new(),
    };
    let secret = webhook::subscribe(&site.opened, &acting.by, &fresh).await?;
    let mut object = shown(&fresh);
    object["secret"] = secret.shown().into();
    Ok((StatusCode::CREATED, Json(object)).into_response())
}

fn shown(row: &SubscriptionRow) -> Value {
    let kinds: Vec<&str> = row.kinds.split(',').filter(|kind| !kind.is_empty()).collect();
    json!({
        "subscription": row.secret_id, "url": row.url, "kinds": kinds, "next": row.next_seq, "failures": row.failures,
        "trouble": row.trouble,
    })
}

pub(super) async fn subscriptions(State(site): State<Shared>, caller: Caller) -> Result<Json<Value>, Problem> {
    admins_only(&site, caller).await?;
    let known = site.opened.store.subscriptions(site.opened.row.ledger_id).await?;
    Ok(Json(json!({"subscriptions": known.iter().map(shown).collect::<Vec<_>>()})))
}

pub(super) async fn unsubscribe(acting: Acting, id: String) -> Result<Response, Problem> {
    webhook::unsubscribe(&acting.site.opened, &acting.by, &id).await?;
    Ok(Json(json!({"subscription": id, "removed": true})).into_response())
}
