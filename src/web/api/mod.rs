//! The interface for programs, `/api/v1`.

use super::problem::Problem;
use super::site::Shared;
use axum::Router;

/// Its routes.
pub fn routes() -> Router<Shared> {
    Router::new().fallback(|| async { Problem::missing() })
}
