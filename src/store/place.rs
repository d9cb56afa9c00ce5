//! Where a database is: the file of a data folder, or a server.

use super::FILE_NAME;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a database is. Shown without the password that a URL may hold.
#[derive(Clone)]
pub enum Place {
    /// `mingzhang.db`, in this folder.
    Folder(PathBuf),
    /// A PostgreSQL server.
    Server(Box<PgConnectOptions>),
}

/// A URL that is none of a database this program knows.
#[derive(Debug, thiserror::Error)]
#[error("write the database as postgres://user:password@host:port/name")]
pub struct BadUrl(#[source] Option<sqlx::Error>);

impl Place {
    /// The file of a data folder.
    pub(super) fn file(folder: &Path) -> PathBuf {
        folder.join(FILE_NAME)
    }

    /// The URL of a server with its password: for another program, never to be shown.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Folder(_) => None,
            Self::Server(options) => {
                let mut url = options.to_url_lossy();
                // Only this program's driver knows what it says there.
                url.set_query(None);
                Some(url.into())
            }
        }
    }

    /// Whether several programs may write at once.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl FromStr for Place {
    type Err = BadUrl;

    fn from_str(url: &str) -> Result<Self, BadUrl> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(BadUrl(None));
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| BadUrl(Some(error)))?;
        Ok(Self::Server(Box::new(options)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Server(options) => {
                let name = options.get_database().unwrap_or(options.get_username());
                write!(f, "postgres://{}:{}/{name}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_password() {
        let place: Place = "postgres://clerk:secret@db.example:5433/books".parse().expect("a URL");
        let shown = "postgres://db.example:5433/books";
        assert_eq!((place.to_string(), format!("{place:?}")), (shown.to_owned(), shown.to_owned()));
        for bad in ["mysql://x/y", "books.db", "postgres//x"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
