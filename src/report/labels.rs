//! Text for people, from `reports/labels.*.toml`.

use crate::values::Unit;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The language of a document. Chinese leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Language {
    /// zh-CN
    Zh,
    /// en
    En,
}

impl Language {
    /// Both.
    pub const ALL: &[Self] = &[Self::Zh, Self::En];

    /// BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub fn choose<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The labels in this language.
    pub fn labels(self) -> &'static Labels {
        static ZH: OnceLock<Labels> = OnceLock::new();
        static EN: OnceLock<Labels> = OnceLock::new();
        match self {
            Self::Zh => ZH.get_or_init(|| Labels::read(include_str!("../../reports/labels.zh.toml"))),
            Self::En => EN.get_or_init(|| Labels::read(include_str!("../../reports/labels.en.toml"))),
        }
    }
}

/// Texts by dotted key.
#[derive(Debug)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    fn read(text: &str) -> Self {
        let table: toml::Table = toml::from_str(text).expect("labels are part of the build and tested");
        let mut texts = BTreeMap::new();
        flatten(String::new(), &table, &mut texts);
        Self(texts)
    }

    /// The text under a key. Every key that the code uses is in both files: a test looks.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).unwrap_or_else(|| panic!("no label “{key}”: a test looks for every key that is used"))
    }

    /// The word for a code of a vocabulary; the code itself where it has none.
    pub fn word(&self, vocabulary: &str, code: &str) -> String {
        self.0.get(&format!("{vocabulary}.{code}")).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// Whether a vocabulary has a code.
    pub fn knows(&self, vocabulary: &str, code: &str) -> bool {
        self.0.contains_key(&format!("{vocabulary}.{code}"))
    }

    /// The text under a key, with its `{names}` filled in.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut filled = self.text(key).to_owned();
        for (name, value) in values {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        filled
    }

    /// The name of a unit: 元, yuan; its code where there is no name.
    pub fn unit(&self, unit: Unit) -> String {
        self.0.get(&format!("currency.{unit}")).cloned().unwrap_or_else(|| unit.to_string())
    }
}

fn flatten(prefix: String, table: &toml::Table, texts: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(path, inner, texts),
            toml::Value::String(text) => drop(texts.insert(path, text.clone())),
            toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_) => panic!("label “{path}” is not a text: labels are part of the build and tested"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::aim::Aim;
    use crate::domain::refusal::Refusal;
    use crate::domain::vocabulary::{Basis, Category, FundType, PayeeClass, ReasonClass, Role, Source, Use};
    use crate::report::model::case::LineKind;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        let (zh, en) = (&Language::Zh.labels().0, &Language::En.labels().0);
        assert_eq!(zh.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
        for (key, text) in zh {
            assert_eq!(placeholders(text), placeholders(&en[key]), "{key}");
            assert!(!text.is_empty() && !en[key].is_empty(), "{key}");
        }
    }

    #[test]
    fn every_key_that_the_code_uses_exists() {
        let labels = Language::Zh.labels();
        let sources = [
            include_str!("model/case/page.rs"),
            include_str!("layout.rs"),
            include_str!("chart.rs"),
            include_str!("text.rs"),
            include_str!("document.rs"),
        ];
        let mut used = 0;
        for source in sources {
            for call in ["text(\"", "fill(\""] {
                for rest in source.split(call).skip(1) {
                    labels.text(rest.split_once('"').expect("a closing quote").0);
                    used += 1;
                }
            }
        }
        assert!(used > 80, "only {used} keys were found: did the calls change their shape?");
    }

    #[test]
    fn refusals_use_the_words_of_the_labels() {
        let labels = Language::Zh.labels();
        let said = |purpose: Aim| Refusal::FundPurposeDiffers { fund: "f".into(), purpose, wanted: Aim::Anything }.zh();
        for category in Category::ALL {
            let word = labels.text(&format!("case.class.{category}"));
            assert!(said(Aim::Categories(vec![*category])).contains(&format!("“{word}”")), "{word}");
        }
        for purpose in Use::ALL {
            let word = labels.text(&format!("use.{purpose}"));
            assert!(said(Aim::Uses(vec![*purpose])).contains(&format!("“{word}”")), "{word}");
        }
    }

    #[test]
    fn every_word_has_a_label() {
        let labels = Language::Zh.labels();
        let words = (Category::ALL.iter().map(|w| format!("case.class.{w}")))
            .chain(FundType::ALL.iter().map(|w| format!("fund.type.{w}")))
            .chain(Role::ALL.iter().map(|w| format!("role.{w}")))
            .chain(Source::ALL.iter().map(|w| format!("source.{w}")))
            .chain(Use::ALL.iter().map(|w| format!("use.{w}")))
            .chain(PayeeClass::ALL.iter().map(|w| format!("payee.{w}")))
            .chain(ReasonClass::ALL.iter().map(|w| format!("reason.{w}")))
            .chain(Basis::ALL.iter().map(|w| format!("basis.{w}")))
            .chain(LineKind::ALL.iter().map(|w| format!("line.{}", w.as_str())))
            .chain(["text", "excerpt", "summary", "earlier", "none"].map(|w| format!("deadline.verified_{w}")))
            .chain(
                ["campaign.final", "project.final", "project.surplus.disclosure"]
                    .map(|id| format!("deadline.{}", id.replace('.', "_"))),
            );
        for key in words {
            labels.text(&key);
        }
    }
}
