//! Which log is meant, and whose cosignatures are asked for: k of n witnesses, also in groups. C2SP `tlog-policy`.
//!
//! ```text
//! log mingzhang.example/love+5710e908+AQOh… https://mingzhang.example/log/love/
//! witness w1 witness.example/w1+20324abe+BCms… https://witness.example/
//! witness w2 other.example/w2+…
//! group two 2 w1 w2
//! quorum two
//! ```
//! A line a statement, parts divided by blanks; empty lines and what follows a `#` are passed over. Names stand before they are used.

use super::cosignature;
use super::note::{KeyKind, Note, NoteError, VerifierKey};
use std::collections::BTreeMap;

/// Longest policy that is read, in bytes.
const BYTES_MAX: usize = 100_000;

/// A witness that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where it takes checkpoints, if that is said.
    pub url: Option<String>,
}

/// What must be signed by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Logs, with where they are if that is said.
    pub logs: Vec<(VerifierKey, Option<String>)>,
    /// Witnesses.
    pub witnesses: Vec<Witness>,
    groups: BTreeMap<String, (usize, Vec<String>)>,
    quorum: Option<String>,
}

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadPolicy {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Policy {
    /// Reads a policy.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        if text.len() > BYTES_MAX {
            return Err(BadPolicy { line: 1, what: "a policy has 100,000 bytes at most".into() });
        }
        let mut policy = Self::default();
        let mut says_quorum = false;
        for (line, text) in (1..).zip(text.lines()) {
            let bad = |what: &str| BadPolicy { line, what: what.into() };
            let text = text.split('#').next().unwrap_or_default();
            let parts: Vec<&str> = text.split_ascii_whitespace().collect();
            match parts.as_slice() {
                [] => {}
                ["log", key, rest @ ..] if rest.len() < 2 => {
                    policy.logs.push((
                        key_of(key, KeyKind::Log).map_err(|what| bad(&what))?,
                        rest.first().map(|url| (*url).into()),
                    ));
                }
                ["witness", name, key, rest @ ..] if rest.len() < 2 => {
                    let key = key_of(key, KeyKind::Witness).map_err(|what| bad(&what))?;
                    policy.name_is_free(name).map_err(bad)?;
                    policy.witnesses.push(Witness {
                        name: (*name).into(),
                        key,
                        url: rest.first().map(|url| (*url).into()),
                    });
                }
                ["group", name, threshold, members @ ..] if !members.is_empty() => {
                    policy.name_is_free(name).map_err(bad)?;
                    let count = match *threshold {
                        "any" => 1,
                        "all" => members.len(),
                        number => number.parse().map_err(|_| bad("a group needs a number, any or all"))?,
                    };
                    if count == 0 || count > members.len() {
                        return Err(bad("a group cannot need more members than it has, or none"));
                    }
                    if let Some(member) = members.iter().find(|member| !policy.knows(member)) {
                        return Err(bad(&format!("{member} is not named before")));
                    }
                    if members.iter().enumerate().any(|(place, member)| members[..place].contains(member)) {
                        return Err(bad("a member stands twice in the group"));
                    }
                    policy
                        .groups
                        .insert((*name).into(), (count, members.iter().map(|member| (*member).into()).collect()));
                }
                ["quorum", name] if !says_quorum => {
                    says_quorum = true;
                    if *name != "none" && !policy.knows(name) {
                        return Err(bad(&format!("{name} is not named before")));
                    }
                    policy.quorum = (*name != "none").then(|| (*name).into());
                }
                [_, ..] => return Err(bad("this is no statement: log, witness, group or quorum with its parts")),
            }
        }
        if policy.logs.is_empty() {
            return Err(BadPolicy { line: 1, what: "no log is named".into() });
        }
        Ok(policy)
    }

    /// Whether cosignatures are asked for at all.
    pub const fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Witnesses that cosigned a note, and when, in seconds since 1970. One that does not hold refuses the note.
    pub fn cosigned(&self, note: &Note) -> Result<Vec<(String, u64)>, NoteError> {
        cosignature::seen(note, self.witnesses.iter().map(|witness| (witness.name.as_str(), &witness.key)))
    }

    /// Whether these witnesses are enough.
    pub fn is_met_by(&self, seen: &[(String, u64)]) -> bool {
        self.quorum.as_ref().is_none_or(|quorum| self.has_signed(quorum, seen))
    }

    fn has_signed(&self, name: &str, seen: &[(String, u64)]) -> bool {
        match self.groups.get(name) {
            None => seen.iter().any(|(witness, _)| witness == name),
            // Groups name only what stands before them, so this ends.
            Some((count, members)) => members.iter().filter(|member| self.has_signed(member, seen)).count() >= *count,
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.witnesses.iter().any(|witness| witness.name == name)
    }

    fn name_is_free(&self, name: &str) -> Result<(), &'static str> {
        if name == "none" || self.knows(name) { Err("this name is taken") } else { Ok(()) }
    }
}

fn key_of(text: &str, kind: KeyKind) -> Result<VerifierKey, String> {
    let key = VerifierKey::parse(text).map_err(|error| error.to_string())?;
    if key.kind() == kind { Ok(key) } else { Err("this key is of another type: 1 signs logs, 4 is a witness's".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "mingzhang.example/wuzhong-love+5710e908+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    const WITNESS: &str = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";

    #[test]
    fn a_quorum_is_k_of_n_also_of_groups() {
        let text = format!(
            "# ours\nlog {LOG} https://a.example/\n\nwitness a {WITNESS}\nwitness b {WITNESS} https://w.example/\nwitness c {WITNESS}\n\
             group two 2 a b c\ngroup one any c two\nquorum one\n"
        );
        let policy = Policy::parse(&text).expect("a policy");
        let met =
            |names: &[&str]| policy.is_met_by(&names.iter().map(|name| ((*name).to_owned(), 1)).collect::<Vec<_>>());
        assert_eq!(
            (met(&[]), met(&["a"]), met(&["c"]), met(&["a", "b"]), met(&["x", "y"])),
            (false, false, true, true, false)
        );
        assert!(Policy::parse(&format!("log {LOG}\nquorum none")).expect("a policy").is_met_by(&[]));
    }

    #[test]
    fn what_is_no_policy_is_named_by_its_line() {
        let check = |text: &str, line: usize, words: &str| {
            let error = Policy::parse(&text.replace("LOG", LOG).replace("WIT", WITNESS)).expect_err(text);
            assert!(error.line == line && error.what.contains(words), "{text}: {error}");
        };
        check("", 1, "no log");
        check("log LOG\nwitness a LOG", 2, "another type");
        check("log WIT", 1, "another type");
        check("log LOG\nwitness a WIT\nwitness a WIT", 3, "taken");
        check("log LOG\nwitness none WIT", 2, "taken");
        check("log LOG\ngroup g 1 a", 2, "not named before");
        check("log LOG\nwitness a WIT\ngroup g 2 a", 3, "more members");
        check("log LOG\nwitness a WIT\ngroup g 0 a", 3, "more members");
        check("log LOG\nwitness a WIT\ngroup g 2 a a", 3, "twice");
        check("log LOG\nquorum w", 2, "not named before");
        check("log LOG\nquorum none\nquorum none", 3, "no statement");
        check("log LOG x y", 1, "no statement");
        check("say LOG", 1, "no statement");
    }
}
