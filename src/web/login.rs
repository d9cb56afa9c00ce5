//! Who asks: a bearer token.

use super::problem::Problem;
use super::site::Shared;
use crate::app::token::{Scope, Token};
use crate::values::StaffId;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// A program that has shown a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub Token);

impl Caller {
    /// One who runs this program on the data folder itself.
    pub const fn of_folder(staff: StaffId) -> Self {
        Self(Token { staff, scope: Scope::All })
    }

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
        // Whoever runs this program on the data folder itself is known already; nothing from outside can put this here.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let said = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        // The name of a scheme is case-insensitive: RFC 9110 §11.1.
        let parts_said = said.and_then(|said| said.split_once(' '));
        let bearer = parts_said.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = bearer.map(|(_, token)| token.trim()).unwrap_or_default();
        if token.is_empty() || token.len() > 200 {
            return Err(unknown());
        }
        match site.token(token).await? {
            Some((hash, token)) => {
                site.calls.try_at(hash, site.clock.elapsed()).map_err(Problem::too_often)?;
                Ok(Self(token))
            }
            None => {
                let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
                peer.map_or(Ok(()), |peer| site.guesses.try_at(peer.ip(), site.clock.elapsed()))
                    .map_err(Problem::too_often)?;
                Err(unknown())
            }
        }
    }
}

/// From where somebody asks; nowhere for one who runs this program on the data folder itself.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.ip())))
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
