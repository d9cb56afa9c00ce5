//! A PostgreSQL database of its own for a test, on the server that `scripts/test.sh` starts.

use sqlx::{Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

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

    /// Runs statements in it.
    pub(crate) fn execute(&self, statements: &str) {
        execute(self.url(), statements.to_owned());
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(format!("{}/postgres", self.server), format!("drop database if exists {} with (force)", self.name));
    }
}

/// In a thread of its own: a test may be inside a runtime already.
fn execute(url: String, statements: String) {
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
