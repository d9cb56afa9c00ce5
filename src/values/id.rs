//! Names that stand in entries. Each is checked once, when it is made.

use super::Unit;
use std::fmt;

/// A text does not follow the grammar of its name.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("“{text}” is no {what}: {grammar}")]
pub struct NotAName {
    /// The text as given, cut to 60 characters.
    pub text: String,
    /// What it was meant to be.
    pub what: &'static str,
    /// What is allowed.
    pub grammar: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $grammar:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Box<str>);

        impl $type {
            /// What is allowed, in words.
            pub const GRAMMAR: &'static str = $grammar;

            /// Reads the name; refuses what is outside the grammar.
            pub fn parse(text: &str) -> Result<Self, NotAName> {
                if Self::accepts(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(NotAName { text: text.chars().take(60).collect(), what: $what, grammar: $grammar })
                }
            }

            /// True where the text follows the grammar.
            pub fn accepts(text: &str) -> bool {
                let accepts: fn(&str) -> bool = $valid;
                accepts(text)
            }

            /// The name as it stands in entries.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $type {
            type Err = NotAName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}

/// True where `text` has 1..=`max` bytes, all lower-case letters, digits or one of `extra`.
fn lower(text: &str, max: usize, extra: &[u8]) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || extra.contains(&b))
}

name!(
    /// Origin of a log: a schema-less URL such as `mingzhang.example/wuzhong-love`; its last segment is the slug.
    Origin,
    "ledger origin",
    "host/name in small letters, digits, dots and hyphens, at most 100 characters, as charity.example/love",
    |text| {
        text.len() <= 100
            && text.split_once('/').is_some_and(|(host, path)| {
                let labelled = host.split('.').all(|label| lower(label, 63, b"-") && !label.starts_with('-'));
                labelled && path.split('/').all(|segment| lower(segment, 100, b"-"))
            })
    }
);
name!(
    /// Who posted: a random staff id, or `system`.
    StaffId,
    "user id",
    "1 to 40 small letters, digits and underscores",
    |text| lower(text, 40, b"_")
);
name!(
    /// A fund, or the fee line `<id>.fee` of one.
    FundId,
    "fund id",
    "1 to 40 small letters, digits, underscores and dots",
    |text| lower(text, 40, b"_.")
);
name!(
    /// A bank account, wallet, cash box or store: `bank/icbc-1`.
    AccountId,
    "account name",
    "1 to 40 small letters, digits, underscores, hyphens and slashes, as bank/icbc-1",
    |text| lower(text, 40, b"_/-")
);
name!(
    /// A case of aid: a random id, never a name.
    CaseId,
    "case id",
    "1 to 36 small letters, digits and underscores",
    |text| lower(text, 36, b"_")
);
name!(
    /// A filed public appeal.
    CampaignId,
    "campaign id",
    "1 to 36 small letters, digits and underscores",
    |text| lower(text, 36, b"_")
);

impl Origin {
    /// Last segment of the origin; unique on a server.
    pub fn slug(&self) -> &str {
        self.0.rsplit('/').next().expect("an origin has a slash")
    }
}

impl StaffId {
    /// The one who acts where no person does.
    pub fn system() -> Self {
        Self("system".into())
    }
}

impl FundId {
    /// The fund's fee line: `<id>.fee`.
    pub fn fee(&self) -> Self {
        Self(format!("{}.fee", self.0).into())
    }

    /// Ids of opened funds have no dot and at most 36 characters, so that `<id>.fee` stays free.
    pub fn is_openable(&self) -> bool {
        self.0.len() <= 36 && !self.0.contains('.')
    }
}

/// A line: a fund in one unit, written `<fund>/<unit>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineName {
    /// The fund.
    pub fund: FundId,
    /// The unit.
    pub unit: Unit,
}

impl LineName {
    /// Reads `<fund>/<unit>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (fund, unit) = text.split_once('/')?;
        Some(Self { fund: FundId::parse(fund).ok()?, unit: Unit::parse(unit).ok()? })
    }
}

impl fmt::Display for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.fund, self.unit)
    }
}

impl fmt::Debug for LineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
