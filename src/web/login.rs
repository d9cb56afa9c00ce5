//! Who asks: a bearer token.

use super::problem::Problem;
use super::site::Shared;
use crate::app::token::{Scope, Token};
use crate::values::StaffId;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

/// A program that has shown a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub Token);

impl Caller {
    /// Whom it stands for, where the token is for everything.
    pub fn for_all(self) -> Result<StaffId, Problem> {
        match self.0.scope {
            Scope::All => Ok(self.0.staff),
            Scope::Donations => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "out_of_scope",
                "这个令牌只能登记捐赠。",
                "This token is for recording gifts only",
            )),
        }
    }

    /// Whom it stands for, for recording gifts.
    pub fn for_donations(self) -> StaffId {
        self.0.staff
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Problem> {
        let said = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = said.and_then(|said| said.strip_prefix("Bearer ")).map(str::trim).unwrap_or_default();
        if token.is_empty() || token.len() > 200 {
            return Err(unknown());
        }
        site.token(token).await?.map(Caller).ok_or_else(unknown)
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "token_wanted",
        "需要有效的令牌：Authorization: Bearer …（mingzhang user token）。",
        "A valid token is needed: Authorization: Bearer … (mingzhang user token)",
    )
}
