//! The database goes away and comes back. A server of PostgreSQL is started, stopped and killed by the test itself.

use crate::books::Books;
use crate::database::execute;
use crate::hammer::{check_told, hammer};
use crate::served::Served;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A PostgreSQL server of the test's own.
struct Server {
    folder: PathBuf,
    url: String,
}

impl Server {
    /// A new one; nothing, and said so, where PostgreSQL is not installed.
    fn new(name: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("mingzhang-postgres-{}-{name}", std::process::id()));
        let mut server = Self { folder, url: String::new() };
        let Some(url) = server.script(&["start"]) else {
            eprintln!("skipped: no PostgreSQL server could be started (scripts/postgres.sh says why)");
            return None;
        };
        server.url = url.trim().to_owned();
        Some(server)
    }

    /// One that follows this one.
    fn replica(&self) -> Self {
        let mut replica = Self { folder: self.folder.with_extension("replica"), url: String::new() };
        replica.url = replica.script(&["replica", &self.url]).expect("a replica").trim().to_owned();
        replica
    }

    fn script(&self, arguments: &[&str]) -> Option<String> {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/postgres.sh");
        let (verb, rest) = arguments.split_first().expect("a verb");
        let output = Command::new(script).arg(verb).arg(&self.folder).args(rest).output().expect("bash runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn start(&self) {
        assert!(self.script(&["start"]).is_some());
    }

    fn stop(&self) {
        assert!(self.script(&["stop", "immediate"]).is_some());
    }

    fn books(&self) -> Books {
        let books = Books::at(format!("{}/postgres", self.url)).open();
        books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
        books.does("account open wallet/a --fund general");
        books
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script(&["stop", "immediate"]);
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_database_that_is_away_is_told_and_posting_goes_on_when_it_is_back() {
    let Some(server) = Server::new("away") else { return };
    let books = server.books();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let gift = |number: u64| json!({"fund": "general", "amount": 100, "order_no": format!("A-{number}")});
    let site = Served::of(books);
    assert_eq!(site.post(&token, "/api/v1/donations", &gift(1)).status, 201);
    server.stop();
    let away = site.post(&token, "/api/v1/donations", &gift(2));
    assert_eq!(away.status, 503, "{}", away.body);
    assert!(away.head.contains("retry-after"), "{}", away.head);
    assert_eq!((site.get("/healthz").status, site.get("/readyz").status), (200, 503));
    let asked = Instant::now();
    site.books.refused(&["fund", "list"], 4, "cannot be reached");
    site.books.refused(&["fund", "list"], 4, "refused");
    assert!(asked.elapsed() < Duration::from_secs(40), "{:?}", asked.elapsed());
    server.start();
    let deadline = Instant::now() + Duration::from_secs(30);
    let back = loop {
        let answer = site.post(&token, "/api/v1/donations", &gift(2));
        if answer.status != 503 || Instant::now() > deadline {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(back.status, 201, "{}", back.body);
    assert_eq!(site.stop().does("verify")["ok"], true);
}

#[test]
fn what_was_acknowledged_survives_kills_of_the_database() {
    let Some(server) = Server::new("killed") else { return };
    let rounds = if std::env::var_os("MINGZHANG_SLOW_TESTS").is_some() { 20 } else { 2 };
    let books = server.books();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let site = Served::of(books);
    let address = RwLock::new(site.address.clone());
    let stop = AtomicBool::new(false);
    let told: Vec<(String, u64)> = std::thread::scope(|scope| {
        let (address, stop, token) = (&address, &stop, token.as_str());
        let clients: Vec<_> = (0..32).map(|client| scope.spawn(move || hammer(address, token, stop, client))).collect();
        for round in 0..rounds {
            std::thread::sleep(Duration::from_millis(400 + 53 * (round % 5)));
            server.stop();
            server.start();
        }
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    });
    assert!(told.len() > 100, "only {} gifts were acknowledged", told.len());
    check_told(&site.stop(), &told);
}

#[test]
fn a_replica_that_lags_is_said_to_be_old_and_is_not_asked_who_may_do_what() {
    let Some(server) = Server::new("replica") else { return };
    let books = server.books();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let replica = server.replica();
    let at_replica = |statement: &str| execute(format!("{}/postgres", replica.url), statement.to_owned());
    let node = books.node();
    let site = Served::with(books, &["--replica", &format!("{}/postgres", replica.url), "--metrics", "127.0.0.1:0"]);
    let other = Served::of(node);
    let gift = |number: u64| json!({"fund": "general", "amount": 100, "order_no": format!("A-{number}")});
    let told = site.post(&token, "/api/v1/donations", &gift(1));
    assert_eq!(told.status, 201, "{}", told.body);
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait_for = |what: &str, there: &dyn Fn() -> bool| {
        while !there() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let size = || site.get("/api/v1/ledger").json()["size"].as_u64().expect("a size");
    let first = told.json()["entry"].as_u64().expect("an entry") + 1;
    wait_for("the replica follows", &|| size() == first);
    wait_for("the nodes meet", &|| site.metrics().contains("mingzhang_nodes 2"));
    at_replica("select pg_wal_replay_pause()");
    assert_eq!(site.post(&token, "/api/v1/donations", &gift(2)).status, 201);
    assert_eq!(
        (size(), other.get("/api/v1/ledger").json()["size"].as_u64()),
        (first, Some(first + 1)),
        "old, and says so"
    );
    site.books.does("user revoke admin");
    wait_for("the token is worth nothing", &|| site.post(&token, "/api/v1/donations", &gift(3)).status == 401);
    at_replica("select pg_wal_replay_resume()");
    wait_for("the replica follows again", &|| size() > first);
    assert!(site.metrics().contains("mingzhang_replica_up 1"));
    // It is gone: the database itself is read, until it is back.
    replica.stop();
    wait_for("the database itself is read", &|| site.get("/api/v1/ledger").status == 200);
    assert!(site.metrics().contains("mingzhang_replica_up 0"));
    assert!(size() > first);
    // A node that is started meanwhile reads the database too.
    let late = Served::with(other.books.node(), &["--replica", &format!("{}/postgres", replica.url)]);
    assert!(late.get("/api/v1/ledger").json()["size"].as_u64() > Some(first));
    drop(late.stop());
    replica.start();
    wait_for("the replica is read again", &|| site.metrics().contains("mingzhang_replica_up 1"));
    assert_eq!((site.stop().does("verify")["ok"].clone(), other.stop().is_a_file()), (json!(true), false));
}

/// Runs a script of the repository.
fn script(name: &str, arguments: &[&str]) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
    let output = Command::new(path).args(arguments).output().expect("bash runs");
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The server refuses to run as root, so what root has made is given to it.
fn give_to_the_server(folder: &Path) {
    if Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n") {
        let status = Command::new("chown").args(["-R", "postgres"]).arg(folder).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_server_is_recovered_with_its_own_tools_and_an_older_state_signs_nothing() {
    let Some(server) = Server::new("tools") else { return };
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (archive, base) = (server.folder.join("archive"), server.folder.join("base"));
    std::fs::create_dir(&archive).expect("made");
    give_to_the_server(&archive);
    server.stop();
    let settings = script("pg_backup.sh", &["archive", &text(&archive)]);
    let conf = server.folder.join("data/postgresql.conf");
    let conf_text = std::fs::read_to_string(&conf).expect("read");
    std::fs::write(&conf, format!("{conf_text}\n{settings}")).expect("written");
    server.start();
    let books = server.books();
    books.does("donation receive --fund general --amount 1 --order-no A-1");
    script("pg_backup.sh", &["base", &format!("{}/postgres", server.url), &text(&base)]);
    books.does("donation receive --fund general --amount 2 --order-no A-2");
    let verdict = books.does("verify");
    // The server archives what is left of its log when it stops in peace.
    assert!(server.script(&["stop", "fast"]).is_some());
    let recovered = |name: &str, archive: &Path| {
        let folder = server.folder.join(name);
        std::fs::create_dir(&folder).expect("made");
        let data = folder.join("data");
        script("pg_backup.sh", &["restore", &text(&base), &text(archive), &text(&data)]);
        std::fs::copy(server.folder.join("port"), folder.join("port")).expect("the same port");
        give_to_the_server(&folder);
        let server = Server { folder, url: server.url.clone() };
        server.start();
        server
    };
    let nothing = server.folder.join("nothing");
    std::fs::create_dir(&nothing).expect("made");
    let older = recovered("older", &nothing);
    books.refused(&["donation", "receive", "--fund", "general", "--amount", "3", "--order-no", "A-3"], 4, "older copy");
    drop(older);
    let _whole = recovered("whole", &archive);
    assert_eq!(books.does("verify"), verdict);
    books.does("donation receive --fund general --amount 3 --order-no A-3");
    assert_eq!(books.does("verify")["ok"], true);
}
