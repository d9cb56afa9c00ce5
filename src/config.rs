//! Settings: from flags, else from the environment, else from a file, else as they are built in. This is the only reader of the
//! environment and of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The language of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

/// Chinese where the environment says so (`LC_ALL`, `LC_MESSAGES`, `LANG` begin with `zh`), else English.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn lang_of_environment() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    if set.is_some_and(|text| text.to_ascii_lowercase().starts_with("zh")) { Lang::Zh } else { Lang::En }
}

/// A setting that need not stand on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The subcommand that it is for; all where empty. In the file it is a table.
    pub command: &'static str,
    /// Its name: that of the flag and of the member of the file.
    pub name: &'static str,
    /// The variable of the environment.
    pub variable: &'static str,
}

/// All of them.
pub const KEYS: [Key; 9] = [
    Key { command: "", name: "data", variable: "MINGZHANG_DATA" },
    Key { command: "", name: "database", variable: "DATABASE_URL" },
    Key { command: "", name: "ledger", variable: "MINGZHANG_LEDGER" },
    Key { command: "", name: "lang", variable: "MINGZHANG_LANG" },
    Key { command: "serve", name: "listen", variable: "MINGZHANG_LISTEN" },
    Key { command: "serve", name: "replica", variable: "MINGZHANG_REPLICA" },
    Key { command: "serve", name: "metrics", variable: "MINGZHANG_METRICS" },
    Key { command: "serve", name: "witnesses", variable: "MINGZHANG_WITNESSES" },
    Key { command: "serve", name: "behind_proxy", variable: "MINGZHANG_BEHIND_PROXY" },
];

/// The file, where no other is named.
const FILE: &str = "mingzhang.toml";

/// Why the file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("{}, line {line}: {what}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where; what stands there is not told, it may be a password.
        line: usize,
        /// Why.
        what: String,
    },
    /// A member is not known.
    #[error("{}: `{member}` is no setting; there are: {}", path.display(), names())]
    Member {
        /// Which.
        path: PathBuf,
        /// The member.
        member: String,
    },
    /// A member is neither text nor true or false.
    #[error("{}: `{member}` must be text in quotes, or true or false", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// The member.
        member: String,
    },
}

fn names() -> String {
    KEYS.iter().map(Key::path).collect::<Vec<_>>().join(", ")
}

impl Key {
    /// As it stands in the file: `serve.listen`.
    pub fn path(&self) -> String {
        if self.command.is_empty() { self.name.into() } else { format!("{}.{}", self.command, self.name) }
    }

    /// What the environment says.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn of_environment(&self) -> Option<String> {
        std::env::var(self.variable).ok().filter(|value| !value.is_empty())
    }
}

/// What the file says.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where it is, if there is one.
    pub path: Option<PathBuf>,
    values: BTreeMap<String, String>,
}

impl Settings {
    /// From the file that is named, by the caller or by `MINGZHANG_CONFIG`, or else from `mingzhang.toml` here, if there is one.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn read(named: Option<PathBuf>) -> Result<Self, BadSettings> {
        let named = named.or_else(|| std::env::var_os("MINGZHANG_CONFIG").map(PathBuf::from));
        match named {
            Some(path) => Self::of(path),
            None if Path::new(FILE).is_file() => Self::of(FILE.into()),
            None => Ok(Self::default()),
        }
    }

    fn of(path: PathBuf) -> Result<Self, BadSettings> {
        let text = std::fs::read_to_string(&path).map_err(|source| BadSettings::File { path: path.clone(), source })?;
        let table: toml::Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            BadSettings::Toml { path: path.clone(), line, what: error.message().to_owned() }
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            if let toml::Value::Table(inner) = value {
                values.extend(inner.into_iter().map(|(inner, value)| (format!("{name}.{inner}"), value)));
            } else {
                values.insert(name, value);
            }
        }
        let known = |(member, value): (String, toml::Value)| {
            let text = match value {
                toml::Value::String(text) => Some(text),
                toml::Value::Boolean(is) => Some(is.to_string()),
                toml::Value::Integer(_)
                | toml::Value::Float(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => None,
            };
            match text {
                _ if KEYS.iter().all(|key| key.path() != member) => {
                    Err(BadSettings::Member { path: path.clone(), member })
                }
                Some(text) => Ok((member, text)),
                None => Err(BadSettings::Form { path: path.clone(), member }),
            }
        };
        let values = values.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self { path: Some(path), values })
    }

    /// What it says of a key.
    pub fn get(&self, key: Key) -> Option<&str> {
        self.values.get(&key.path()).map(String::as_str)
    }
}
