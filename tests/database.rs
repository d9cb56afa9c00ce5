//! A PostgreSQL database of its own for a test, on the server that `scripts/test.sh` starts.

use sqlx::{Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Where the server is; the tests that need it say so where it is missing.
const SERVER: &str = "MINGZHANG_TEST_POSTGRES";

/// A database, dropped at the end.
#[derive(Debug)]
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A new one, unless there is no server.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            eprintln!("skipped: {SERVER} names no PostgreSQL server (scripts/test.sh starts one)");
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mingzhang_{}_{number}", std::process::id());
        execute(format!("{server}/postgres"), format!("create database {name}"));
        Some(Self { server, name })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Runs statements in a transaction that stays open.
    pub(crate) fn begin(&self, statements: &str) -> Underway {
        let (url, statements) = (self.url(), statements.to_owned());
        let (end, ended) = oneshot::channel();
        let (begun, begins) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&url).await.expect("the server answers");
                let mut transaction = connection.begin().await.expect("begun");
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut *transaction).await;
                done.expect("it is done");
                begun.send(()).expect("somebody waits");
                let _ = ended.await;
                transaction.rollback().await.expect("rolled back");
            });
        });
        begins.recv().expect("it begins");
        Underway { end: Some(end), thread: Some(thread) }
    }

    /// Runs statements in it.
    pub(crate) fn execute(&self, statements: &str) {
        execute(self.url(), statements.to_owned());
    }
}

/// A transaction that goes on until it is dropped, and is then rolled back.
pub(crate) struct Underway {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Underway {
    fn drop(&mut self) {
        drop(self.end.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()), "the transaction was rolled back");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(format!("{}/postgres", self.server), format!("drop database if exists {} with (force)", self.name));
    }
}

/// In a thread of its own: a test may be inside a runtime already.
pub(crate) fn execute(url: String, statements: String) {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.expect("the server answers");
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut connection).await;
            done.expect("it is done");
        });
    };
    std::thread::spawn(work).join().expect("it does not panic");
}
