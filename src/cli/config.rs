//! `config`: which settings hold, and where each comes from.

use super::session::{Failure, Session};
use crate::config::{KEYS, Key, Settings};
use crate::store::Place;
use serde_json::json;
use std::net::SocketAddr;

/// Settings: flags before the environment before the file
#[derive(Debug, clap::Subcommand)]
pub(super) enum Config {
    /// Which settings hold, and where each comes from
    Show,
}

impl Config {
    /// Runs it.
    pub(super) fn run(&self, session: &Session) -> Result<(), Failure> {
        let Self::Show = self;
        let settings = &session.settings;
        let found: Vec<(String, String, String)> = KEYS.iter().map(|key| setting(session, settings, *key)).collect();
        let out = &session.out;
        let rows: Vec<Vec<String>> =
            found.iter().map(|(key, value, origin)| vec![key.clone(), value.clone(), origin.clone()]).collect();
        out.table(
            &out.pick(
                [("设置", false), ("值", false), ("来自", false)],
                [("setting", false), ("value", false), ("from", false)],
            ),
            &rows,
        );
        let object = |(key, value, origin): &(String, String, String)| json!({"setting": key, "value": Some(value).filter(|value| *value != NONE), "from": origin});
        let file = settings.path.as_ref().map(|path| path.display().to_string());
        out.object(&json!({"file": file, "settings": found.iter().map(object).collect::<Vec<_>>()}));
        Ok(())
    }
}

/// A setting: its name, its value, where that comes from. A password is not shown.
fn setting(session: &Session, settings: &Settings, key: Key) -> (String, String, String) {
    let by_flag = session.flags.iter().find(|(name, _)| key.command.is_empty() && *name == key.name);
    let (value, origin) = match (by_flag, key.of_environment(), settings.get(key)) {
        (Some((_, value)), ..) => (value.clone(), format!("--{}", key.name)),
        (None, Some(value), _) => (value, format!("${}", key.variable)),
        (None, None, Some(value)) => {
            let file = settings.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            (value.to_owned(), file)
        }
        (None, None, None) => (built_in(key.name).to_owned(), session.out.pick("内置", "built in").to_owned()),
    };
    let value = match value.parse::<Place>() {
        Ok(place) => place.to_string(),
        // It may hold a password.
        Err(_) if value.contains(":/") => {
            session.out.pick("（不是 postgres:// 网址）", "(no postgres:// URL)").to_owned()
        }
        Err(_) => match unusable(session, key, &value) {
            Some(why) => format!("{value} {why}"),
            None => value,
        },
    };
    (key.path(), value, origin)
}

/// Why the command that takes a setting would refuse its value.
fn unusable(session: &Session, key: Key, value: &str) -> Option<&'static str> {
    let pick = |zh, en| Some(session.out.pick(zh, en));
    match key.name {
        _ if value == NONE => None,
        "listen" | "metrics" if value.parse::<SocketAddr>().is_err() => {
            pick("（不是地址，应如 127.0.0.1:9100）", "(no address, as 127.0.0.1:9100)")
        }
        "behind_proxy" if value.parse::<bool>().is_err() => pick("（应为 true 或 false）", "(give true or false)"),
        "database" | "replica" => pick("（不是 postgres:// 网址）", "(no postgres:// URL)"),
        _ => None,
    }
}

/// What is shown of a setting that nobody has made.
const NONE: &str = "–";

/// What holds where nobody says anything.
fn built_in(name: &str) -> &'static str {
    match name {
        "data" => super::DATA,
        "listen" => super::serve::LISTEN,
        "behind_proxy" => "false",
        _ => NONE,
    }
}
