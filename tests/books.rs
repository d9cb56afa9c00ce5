//! A ledger of its own for a test, worked by the real program.

use serde_json::Value as Json;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own, removed at the end.
pub(crate) struct Books(pub(crate) PathBuf);

impl Books {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mingzhang-story-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
        command.args(arguments).arg("--data").arg(self.data()).env("LANG", "en").output().expect("the program runs")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Json {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object")
    }

    pub(crate) fn refused(&self, arguments: &[&str], code: i32, words: &str) {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(words), "{arguments:?}: {told}");
    }

    /// Runs a line, as a person types it; its answer.
    pub(crate) fn does(&self, line: &str) -> Json {
        self.json(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a line that must be refused by a rule.
    pub(crate) fn will_not(&self, line: &str, words: &str) {
        self.refused(&line.split_whitespace().collect::<Vec<_>>(), 3, words);
    }

    pub(crate) fn opened() -> Self {
        let books = Self::new();
        books.json(&["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"]);
        books.json(&["user", "add", "Wang", "--role", "checker", "--id", "wang"]);
        books
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
