//! A ledger of its own for a test, worked by the real program.

use crate::database::Database;
use mingzhang::app::folder::Folder;
use serde_json::Value as Json;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// With this set to `postgres`, the ledgers of tests are kept on a server.
const STORE: &str = "MINGZHANG_TEST_STORE";

/// A folder of its own, removed at the end.
pub(crate) struct Books {
    pub(crate) path: PathBuf,
    /// Where the ledger is, unless in the folder.
    url: Option<String>,
    /// Kept as long as somebody has books in it.
    database: Option<Arc<Database>>,
}

impl Books {
    pub(crate) fn new() -> Self {
        let on_server = std::env::var(STORE).is_ok_and(|store| store == "postgres");
        if on_server {
            return Self::on_server().expect("a server");
        }
        Self::in_folder()
    }

    /// With its ledger in its folder, always.
    pub(crate) fn in_folder() -> Self {
        Self { path: folder(), url: None, database: None }
    }

    /// The database that was made for it.
    pub(crate) fn database(&self) -> Option<&Database> {
        self.database.as_deref()
    }

    /// Where its ledger is, as a command names it.
    pub(crate) fn place(&self) -> String {
        self.url.clone().unwrap_or_else(|| self.data().to_str().expect("UTF-8").to_owned())
    }

    /// Gives other books the keys of these.
    pub(crate) fn copy_keys_to(&self, other: &Self) {
        let (keys, copy) = (self.data().join("keys"), other.data().join("keys"));
        std::fs::create_dir_all(&copy).expect("made");
        for file in std::fs::read_dir(keys).expect("there are keys").flatten() {
            std::fs::copy(file.path(), copy.join(file.file_name())).expect("copied");
        }
    }

    /// The same with its ledger on a server, if there is one.
    pub(crate) fn on_server() -> Option<Self> {
        let database = Database::new()?;
        let mut books = Self::at(database.url());
        books.database = Some(Arc::new(database));
        Some(books)
    }

    /// The same with settings of its connections.
    pub(crate) fn on_server_with(settings: &str) -> Option<Self> {
        let mut books = Self::on_server()?;
        books.url = Some(format!("{}?{settings}", books.place()));
        Some(books)
    }

    /// With its ledger in a database that somebody else made.
    pub(crate) fn at(url: String) -> Self {
        Self { path: folder(), url: Some(url), database: None }
    }

    /// Whether the ledger is a file, which a test looks into; on a server the test has nothing to say.
    pub(crate) fn is_a_file(&self) -> bool {
        self.url.is_none()
    }

    /// The data folder, as the library sees it.
    pub(crate) fn as_folder(&self) -> Folder {
        let folder = Folder::new(self.data());
        match &self.url {
            None => folder,
            Some(url) => folder.with_database(url.parse().expect("a URL")),
        }
    }

    /// Nothing, where books have been taken from their owner.
    pub(crate) fn taken() -> Self {
        Self { path: PathBuf::from("/nonexistent"), url: None, database: None }
    }

    /// Another node of the same ledger: a folder of its own with a copy of the keys.
    pub(crate) fn node(&self) -> Self {
        let node = Self { path: folder(), url: self.url.clone(), database: self.database.clone() };
        self.copy_keys_to(&node);
        node
    }

    /// The program, on these books.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
        command.args(arguments).arg("--data").arg(self.data()).env("LANG", "en").env_remove("DATABASE_URL");
        command.envs(self.url.as_ref().map(|url| ("DATABASE_URL", url)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
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
        Self::new().open()
    }

    /// With a ledger that has two users.
    pub(crate) fn open(self) -> Self {
        let books = self;
        books.json(&["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"]);
        books.json(&["user", "add", "Wang", "--role", "checker", "--id", "wang"]);
        books
    }
}

/// A new folder.
fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mingzhang-story-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a temporary folder");
    path
}

impl Drop for Books {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
