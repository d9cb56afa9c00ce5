//! The one place that writes to the terminal.

use crate::config::Lang;
use crate::domain::refusal_zh;
use crate::report::labels::Language;
use crate::values::text::shown;
use std::io::{self, IsTerminal as _, Write as _};

/// Where and how a command speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    /// One JSON object instead of sentences.
    pub json: bool,
    /// The language of sentences.
    pub lang: Lang,
}

impl Out {
    /// The sentence in the reader's language.
    pub(super) fn pick<T>(&self, zh: T, en: T) -> T {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// The word for a code of a vocabulary, as `use` and `hospital`.
    pub(super) fn word(&self, vocabulary: &str, code: &str) -> String {
        self.pick(Language::Zh, Language::En).labels().word(vocabulary, code)
    }

    /// The words for several codes.
    pub(super) fn words(&self, vocabulary: &str, codes: &serde_json::Value) -> String {
        let codes = codes.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(|code| code.as_str());
        codes.map(|code| self.word(vocabulary, code)).collect::<Vec<_>>().join(self.pick("、", ", "))
    }

    /// The word for a state of a case, a campaign or a payment.
    pub(super) fn state(&self, what: &str, state: &str) -> String {
        self.pick(refusal_zh::state(what, state), state).to_owned()
    }

    /// A line for a person; silent where a machine reads.
    pub(super) fn say(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        if !self.json {
            line(&shown(self.pick(zh.as_ref(), en.as_ref())));
        }
    }

    /// A remark beside the answer, on the error channel, whoever reads.
    pub(super) fn warn(&self, zh: impl AsRef<str>, en: impl AsRef<str>) {
        complain(self.pick(zh.as_ref(), en.as_ref()));
    }

    /// The object for a machine; silent where a person reads.
    pub(super) fn object(&self, value: &serde_json::Value) {
        if self.json {
            line(&value.to_string());
        }
    }

    /// A text for a person, whatever was asked.
    pub(super) fn text(&self, text: &str) {
        line(text);
    }

    /// The object, whoever reads.
    pub(super) fn always(&self, value: &serde_json::Value) {
        line(&value.to_string());
    }

    /// A table with its heads; figures (columns marked `true`) stand at the right.
    pub(super) fn table(&self, heads: &[(&str, bool)], rows: &[Vec<String>]) {
        if self.json {
            return;
        }
        let width_of = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
            cells.chain([columns(heads[column].0)]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..heads.len()).map(width_of).collect();
        let print = |cells: Vec<&str>| {
            let mut text = String::new();
            for ((cell, width), (_, is_figure)) in cells.iter().zip(&widths).zip(heads) {
                let padding = " ".repeat(width.saturating_sub(columns(cell)));
                text.push_str(&if *is_figure { format!("{padding}{cell}") } else { format!("{cell}{padding}") });
                text.push_str("  ");
            }
            line(&shown(text.trim_end()));
        };
        print(heads.iter().map(|(head, _)| *head).collect());
        line(&"─".repeat(widths.iter().sum::<usize>() + 2 * heads.len().saturating_sub(1)));
        for row in rows {
            print(row.iter().map(String::as_str).collect());
        }
    }
}

/// Width of a text in a terminal: wide characters take two columns.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x20000..=0x3fffd) { 2 } else { 1 }).sum()
}

fn line(text: &str) {
    // A reader that has gone away (`| head`) is not an error.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A line on the error channel.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(text));
}

/// True where a person watches, so that a progress bar makes sense.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}
