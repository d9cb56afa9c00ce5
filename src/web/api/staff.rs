//! Users, their roles, and tokens for programs that act as them.

use super::fields::Fields;
use super::route::{Acting, Place};
use crate::app::staff::{self, Member, StaffError};
use crate::app::token::{self, Scope};
use crate::app::writer::WriteError;
use crate::domain::vocabulary::Role;
use crate::values::{StaffId, Timestamp};
use crate::web::login::Caller;
use crate::web::problem::Problem;
use crate::web::site::{Shared, Site};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Days that a token may be good for.
const TOKEN_DAYS_MAX: u64 = 3_660;

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        match error {
            StaffError::Refused(refusal) => refusal.into(),
            StaffError::Store(error) => error.into(),
        }
    }
}

fn roles(member: &Member) -> Vec<&'static str> {
    member.roles.iter().map(|role| role.as_str()).collect()
}

pub(super) async fn users(State(site): State<Shared>, caller: Caller) -> Result<Json<Value>, Problem> {
    caller.for_all()?;
    let members = staff::members(&site.opened).await?;
    let object = |known: &Member| json!({"user": known.id.as_str(), "name": known.name, "roles": roles(known)});
    Ok(Json(json!({"users": members.iter().map(object).collect::<Vec<_>>()})))
}

pub(super) fn read_user(fields: &Fields, place: &Place<'_>) -> Option<Member> {
    let id: Option<StaffId> = fields.maybe("user");
    let (name, roles) = fields.text("name", 100).zip(fields.list("roles"))?;
    Some(Member { id: id.unwrap_or_else(|| place.site.id("u_")), name, roles })
}

pub(super) async fn admit(acting: Acting, fresh: Member) -> Result<Response, Problem> {
    staff::admit(&acting.site.opened, &acting.by, &fresh).await?;
    heard(&acting.site).await?;
    let object = json!({"user": fresh.id.as_str(), "name": fresh.name, "roles": roles(&fresh)});
    Ok((StatusCode::CREATED, Json(object)).into_response())
}

/// A writer that runs keeps the roles in memory.
async fn heard(site: &Site) -> Result<(), WriteError> {
    match site.running() {
        Some(writer) => writer.roles_changed().await,
        None => Ok(()),
    }
}

/// A role of a user, and whether it is to be had.
pub(super) struct Given {
    user: String,
    role: Role,
    has: bool,
}

pub(super) fn read_role(fields: &Fields, _: &Place<'_>) -> Option<Given> {
    let remove = fields.flag("remove");
    let (user, role) = fields.text("user", 100).zip(fields.parsed("role"))?;
    Some(Given { user, role, has: !remove })
}

pub(super) async fn give(acting: Acting, given: Given) -> Result<Response, Problem> {
    let Given { user, role, has } = given;
    let member = staff::set_role(&acting.site.opened, &acting.by, &user, role, has).await?;
    heard(&acting.site).await?;
    let object = json!({"user": member.id.as_str(), "name": member.name, "role": role.as_str(), "has": has});
    Ok(Json(object).into_response())
}

/// A token that is wanted.
pub(super) struct Wanted {
    user: String,
    scope: Scope,
    days: u64,
}

pub(super) fn read_token(fields: &Fields, _: &Place<'_>) -> Option<Wanted> {
    let scope = fields.maybe("scope").unwrap_or(Scope::All);
    let days = fields.maybe_count_in("days", 1..=TOKEN_DAYS_MAX).unwrap_or(90);
    Some(Wanted { user: fields.text("user", 100)?, scope, days })
}

/// Makes a token, which is shown once.
pub(super) async fn token(acting: Acting, wanted: Wanted) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let member = staff::member(&site.opened, &wanted.user).await?;
    let days = i64::try_from(wanted.days).expect("at most TOKEN_DAYS_MAX");
    let until = Timestamp::from_millis(site.clock.now().millis() + days * 86_400_000).expect("within a few centuries");
    let token = format!("mz-{}", site.draw(|entropy| entropy.code()));
    token::keep(&site.opened, &token, &member.id, wanted.scope, until).await?;
    let object = json!({
        "user": member.id.as_str(), "name": member.name, "token": token, "scope": wanted.scope.as_str(),
        "until": until.to_string(),
    });
    Ok((StatusCode::CREATED, Json(object)).into_response())
}

/// The user whose tokens are to end.
pub(super) fn read_revoked(fields: &Fields, _: &Place<'_>) -> Option<String> {
    fields.text("user", 100)
}

/// Ends all tokens of a user at once.
pub(super) async fn revoke(acting: Acting, user: String) -> Result<Response, Problem> {
    let site = &acting.site;
    staff::require(&site.opened, &acting.by, &[Role::Admin]).await?;
    let member = staff::member(&site.opened, &user).await?;
    let revoked = token::revoke(&site.opened, &member.id).await?;
    site.forget_tokens();
    Ok(Json(json!({"user": member.id.as_str(), "name": member.name, "revoked": revoked})).into_response())
}
