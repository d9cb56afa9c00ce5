//! Witnesses: what ours answers to whom, what it remembers, and that it and the witnesses and logs of others understand each other.

use crate::books::Books;
use crate::served::Served;
use crate::tiles::foreign;
use ed25519_dalek::SigningKey;
use mingzhang::ledger::chain::leaf_hash;
use mingzhang::ledger::checkpoint::{Checkpoint, LogKey, VerifiedCheckpoint};
use mingzhang::ledger::cosignature;
use mingzhang::ledger::merkle;
use mingzhang::ledger::note::{KeyKind, Note, VerifierKey};
use mingzhang::ledger::receipt::Receipt;
use mingzhang::ledger::witness::AddCheckpoint;
use mingzhang::values::{Hash, Origin};
use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A witness of ours that is running.
struct Running {
    child: Child,
    address: String,
    vkey: VerifierKey,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn witness(folder: &Path, logs: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
    command.arg("witness").arg(folder).args(["--name", "witness.example/ours", "--listen", "127.0.0.1:0", "--json"]);
    for log in logs {
        command.args(["--log", log]);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    let told: Json = serde_json::from_str(&line).expect("one JSON object");
    let text = |name: &str| told[name].as_str().expect("a text").to_owned();
    Running { child, address: text("listening"), vkey: VerifierKey::parse(&text("vkey")).expect("a key") }
}

/// Status, head and body of an answer.
fn ask(address: &str, method: &str, path: &str, body: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_ascii_lowercase(), body.to_owned())
}

/// A log in memory.
struct Log {
    key: LogKey,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(origin: &str, seed: u8, size: u8) -> Self {
        let key =
            LogKey { origin: Origin::parse(origin).expect("an origin"), key: SigningKey::from_bytes(&[seed; 32]) };
        Self { key, leaves: (0..size).map(|number| leaf_hash(&[number])).collect() }
    }

    fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    /// What asks a witness that has seen `old` entries to sign `size`.
    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let root = merkle::root(self.leaves.as_slice(), size).expect("in the tree");
        let path =
            merkle::consistency_proof(self.leaves.as_slice(), old, size).expect("in the tree").unwrap_or_default();
        AddCheckpoint { old, path, note: self.key.checkpoint(size, root).to_string() }
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mingzhang-witness-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    folder
}

#[test]
fn a_witness_answers_as_the_specification_says_and_remembers() {
    let folder = folder("answers");
    let log = Log::new("log.example/a", 1, 60);
    let running = witness(&folder, &[&log.vkey()]);
    let hash = Hash::of(&[b"log.example/a"]).to_hex();
    let add = |request: &AddCheckpoint| ask(&running.address, "POST", "/add-checkpoint", request.to_text().as_bytes());
    let status = |request: &AddCheckpoint| add(request).0;
    assert_eq!(ask(&running.address, "GET", &format!("/{hash}/checkpoint"), b"").0, 404);
    // Nobody it knows; the same name with another key.
    assert_eq!(status(&Log::new("log.example/b", 1, 9).request(0, 5)), 404);
    assert_eq!(status(&Log::new("log.example/a", 2, 9).request(0, 5)), 403);
    // The first.
    let (first, head, line) = add(&log.request(0, 20));
    assert_eq!(first, 200, "{line}");
    assert!(head.contains("text/plain"), "{head}");
    let signed = Note::parse(format!("{}{line}", log.request(0, 20).note).as_bytes()).expect("a note");
    assert!(cosignature::verify(&signed, &running.vkey).expect("cosigned") > 1_700_000_000);
    // Another size than it has seen: it says which.
    for old in [0, 5, 21] {
        let (status, head, body) = add(&log.request(old, 33));
        assert_eq!((status, body.as_str()), (409, "20\n"), "{old}");
        assert!(head.contains("content-type: text/x.tlog.size"), "{head}");
    }
    // An older size than the one it is asked to go on from.
    assert_eq!(status(&AddCheckpoint { old: 20, ..log.request(5, 10) }), 400);
    // The proof of something else, one too many, none.
    let right = log.request(20, 33);
    let mut wrong = right.clone();
    wrong.path[0] = Hash([9; 32]);
    assert_eq!(status(&wrong), 422);
    assert_eq!(status(&AddCheckpoint { path: [right.path.clone(), vec![Hash::ZERO]].concat(), ..right.clone() }), 422);
    assert_eq!(status(&AddCheckpoint { path: Vec::new(), ..right.clone() }), 422);
    // Another history of the same size, and one that goes on from another.
    let mut fork = Log::new("log.example/a", 1, 60);
    fork.leaves[3] = leaf_hash(b"another");
    assert_eq!(status(&fork.request(20, 20)), 409);
    assert_eq!(status(&fork.request(20, 40)), 422);
    assert!(
        std::fs::read_dir(folder.join("checkpoints"))
            .expect("there")
            .flatten()
            .any(|file| file.path().extension().is_some_and(|end| end == "evidence"))
    );
    // What is no request.
    let text = right.to_text();
    for bad in [
        String::new(),
        "old 20\n".into(),
        text.replacen("old 20", "old 020", 1),
        text.replacen("old 20", "old -1", 1),
        text.replacen("old ", "new ", 1),
        text.replacen('\n', "\nnot base64\n", 1),
        format!("old 20\n{}\n{}", "x\n".repeat(10), right.note),
        format!("old 20\n{}\n{}", format!("{}\n", Hash::ZERO.to_base64()).repeat(64), right.note),
    ] {
        assert_eq!(ask(&running.address, "POST", "/add-checkpoint", bad.as_bytes()).0, 400, "{bad}");
    }
    assert_eq!(ask(&running.address, "POST", "/add-checkpoint", &[0xFF; 99]).0, 400);
    assert_eq!(ask(&running.address, "POST", "/add-checkpoint", &vec![b'a'; 200_000]).0, 413);
    assert_eq!(ask(&running.address, "GET", "/add-checkpoint", b"").0, 405);
    // After all this it goes on where it was.
    assert_eq!((status(&right), status(&log.request(33, 33))), (200, 200));
    // Killed, it has forgotten nothing; the log is remembered too.
    drop(running);
    let running = witness(&folder, &[]);
    let (status, _, body) = ask(&running.address, "POST", "/add-checkpoint", log.request(0, 40).to_text().as_bytes());
    assert_eq!((status, body.as_str()), (409, "33\n"));
    let (status, _, note) = ask(&running.address, "GET", &format!("/{hash}/checkpoint"), b"");
    let opened = VerifiedCheckpoint::open(note.as_bytes(), &log.key.verifier()).expect("signed");
    assert_eq!((status, opened.checkpoint().size), (200, 33));
    assert!(cosignature::verify(opened.note(), &running.vkey).is_ok());
    // Many at once: each size is cosigned once, and none is taken back.
    let address = running.address.as_str();
    let log = &log;
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (34..50)
            .map(|size| {
                scope.spawn(move || {
                    ask(address, "POST", "/add-checkpoint", log.request(33, size).to_text().as_bytes()).0
                })
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().expect("it ends")).collect()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [200, 409].contains(status)), "{answers:?}");
    let _ = std::fs::remove_dir_all(folder);
}

/// Books with a fund, their key, and the file of a policy.
fn books() -> (Books, String, String) {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    books.does("donation receive --fund general --amount 10 --order-no A --name 张三");
    let out = books.path.join("first");
    books.json(&["export", out.to_str().expect("UTF-8")]);
    let vkey = std::fs::read_to_string(out.join("log.vkey")).expect("exported").trim().to_owned();
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    (books, vkey, token)
}

fn policy(folder: &Path, log: &str, witness: &str, address: &str) -> PathBuf {
    let file = folder.join("policy");
    let text = format!("log {log}\nwitness w {witness} http://{address}\nquorum w # one is enough\n");
    std::fs::write(&file, text).expect("written");
    file
}

/// Waits until the newest checkpoint carries the signature of a witness.
fn wait_for_witness(site: &Served, vkey: &VerifierKey) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let note = site.get("/log/books/checkpoint").body;
        let parsed = Note::parse(note.as_bytes()).expect("a note");
        if cosignature::verify(&parsed, vkey).is_ok() {
            return note;
        }
        assert!(Instant::now() < deadline, "the witness signs: {note}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_server_shows_its_checkpoints_and_everybody_sees_who_has_signed_them() {
    let (books, vkey, token) = books();
    let running = witness(&books.path.join("witness"), &[&vkey]);
    let policy = policy(&books.path, &vkey, &running.vkey.to_string(), &running.address);
    let file = policy.to_str().expect("UTF-8").to_owned();
    let site = Served::with(books, &["--witnesses", &file]);
    let seen = wait_for_witness(&site, &running.vkey);
    let first = site.get("/api/v1/ledger").json()["witnesses"][0].clone();
    assert_eq!((&first["name"], &first["first"]), (&json!("witness.example/ours"), &first["last"]), "{first}");
    let first_seen = first["first"]["size"].as_u64().expect("a size");
    let gift = json!({"fund": "general", "amount": 100, "order_no": "B"});
    assert_eq!(site.post(&token, "/api/v1/donations", &gift).status, 201);
    let deadline = Instant::now() + Duration::from_secs(30);
    while site.get("/api/v1/ledger").json()["witnesses"][0]["last"] == first["last"] {
        assert!(Instant::now() < deadline, "the witness sees the log grow");
        std::thread::sleep(Duration::from_millis(200));
    }
    wait_for_witness(&site, &running.vkey);
    assert!(site.get("/zh/entries").body.contains("见证方 witness.example/ours 自"));
    assert!(site.get("/en/entries").body.contains("has seen one history since"));
    // Whoever has only the address and a policy.
    let url = format!("http://{}/log/books/", site.address);
    let stranger = Books::in_folder();
    let told = stranger.json(&["verify", &url, "--policy", &file]);
    assert_eq!((&told["ok"], told["witnesses"].as_array().map(Vec::len)), (&json!(true), Some(1)), "{told}");
    // And a donor's receipt: its checkpoint is one that the witness has signed.
    let issued = site.post(&token, "/api/v1/donations/3/receipt", &json!({})).json();
    let authorized = [("authorization", format!("Bearer {token}"))];
    let authorized: Vec<(&str, &str)> = authorized.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let path = format!("/api/v1/donations/{}/receipt/json", issued["donation"]);
    let receipt = Receipt::of_file(&site.send("GET", &path, &authorized, "").bytes).expect("a receipt");
    let proven = receipt.verify(&receipt.vkey).expect("it holds");
    assert_eq!(proven.seen.first().map(|(name, _)| name.as_str()), Some("witness.example/ours"));
    let saved = stranger.path.join("receipt.json");
    std::fs::write(&saved, receipt.to_bytes().expect("it can be written")).expect("written");
    let told = stranger.json(&["verify", saved.to_str().expect("UTF-8"), "--policy", &file]);
    assert_eq!(told["witnesses"].as_array().map(Vec::len), Some(1), "{told}");
    // An export carries what the witness has signed.
    let out = site.books.path.join("static");
    site.books.json(&["export", "--static", out.to_str().expect("UTF-8")]);
    let told = stranger.json(&["verify", out.to_str().expect("UTF-8"), "--policy", &file]);
    assert_eq!(told["witnesses"].as_array().map(Vec::len), Some(1), "{told}");
    // A witness that is away keeps nobody.
    drop(running);
    let gift = json!({"fund": "general", "amount": 100, "order_no": "C"});
    assert_eq!(site.post(&token, "/api/v1/donations", &gift).status, 201);
    let books = site.stop();
    // The database itself, against what its reader knows from elsewhere.
    let kept = books.path.join("kept");
    std::fs::write(&kept, &seen).expect("written");
    let told = books.json(&["verify", "--policy", &file, "--since", kept.to_str().expect("UTF-8")]);
    assert_eq!(told["witnesses"].as_array().map(Vec::len), Some(1), "{told}");
    let size = Checkpoint::parse(&Note::parse(seen.as_bytes()).expect("a note").text).expect("a checkpoint").size;
    assert_eq!((&told["since"], told["unwitnessed_before"].as_u64()), (&json!(size), Some(first_seen)), "{told}");
    let wrong = |arguments: &[&str], words: &str| {
        let output = books.run(&[&["verify", "--json"], arguments].concat());
        let told: Json = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let reason = told["first_bad"]["reason"].as_str().unwrap_or_default();
        assert!(output.status.code() == Some(1) && reason.contains(words), "{arguments:?}: {told}");
    };
    let stranger = Log::new("test.example/books", 9, 1).vkey();
    wrong(&["--vkey", &stranger], "not signed by");
    let others = books.path.join("others");
    let unseen = "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X";
    std::fs::write(&others, format!("log {vkey}\nwitness w {unseen}\nquorum w\n")).expect("written");
    wrong(&["--policy", others.to_str().expect("UTF-8")], "cosigned by 0 witnesses");
    let forged = seen.replace(&format!("\n{size}\n"), &format!("\n{}\n", size - 1));
    std::fs::write(&kept, forged).expect("written");
    wrong(&["--since", kept.to_str().expect("UTF-8")], "the earlier checkpoint does not hold");
    // What is kept of the witness is looked at too.
    let sql = |statement: &str| {
        let changed = Command::new("sqlite3").arg(books.data().join("mingzhang.db")).arg(statement).status();
        changed.is_ok_and(|status| status.success())
    };
    if books.is_a_file() && sql("select 1") {
        for (there, back, words) in [
            ("set seconds = seconds + 1", "set seconds = seconds - 1", "was changed"),
            ("set witness = witness || 'x'", "set witness = rtrim(witness, 'x')", "was changed"),
            ("set size = size + 1000", "set size = size - 1000", "without the checkpoint"),
        ] {
            assert!(sql(&format!("update cosignature {there}")));
            wrong(&[], words);
            assert!(sql(&format!("update cosignature {back}")));
        }
        let flipped = "update cosignature set line = substr(line, 1, length(line) - 10) || 'AAAA' || substr(line, -6)";
        assert!(sql(flipped));
        wrong(&["--policy", &file], "does not hold");
    }
}

/// What a hostile witness makes of a request.
type Answer = fn(&AddCheckpoint, &SigningKey) -> String;

/// A witness that answers as it likes; its key, and how often it was asked.
fn hostile(name: &'static str, answer: Answer) -> (String, String, Arc<AtomicU32>) {
    let key = SigningKey::from_bytes(&[9; 32]);
    let vkey = VerifierKey::of(name, KeyKind::Witness, &key).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (address, asked) = (listener.local_addr().expect("bound").to_string(), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = said.trim().parse().unwrap_or(0);
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            let said = AddCheckpoint::parse(&body).map(|request| answer(&request, &key)).unwrap_or_default();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", said.len());
            let _ = reader.get_mut().write_all(&[head.as_bytes(), said.as_bytes()].concat());
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (vkey, address, asked)
}

#[test]
fn nothing_of_a_hostile_witness_is_kept() {
    let answers: [(&str, Answer); 4] = [
        // It signs the signatures too, behind an empty line of its own.
        ("hostile.example/text", |request, key| {
            let text = format!("{}\n", request.note.trim_end_matches('\n'));
            format!("\n{}\n", cosignature::cosign(&text, 1_790_000_000, "hostile.example/text", key))
        }),
        // A time that no calendar has.
        ("hostile.example/time", |request, key| {
            let text = Note::parse(request.note.as_bytes()).expect("a note").text;
            format!("{}\n", cosignature::cosign(&text, u64::MAX, "hostile.example/time", key))
        }),
        // Somebody else's name.
        ("hostile.example/name", |request, key| {
            let text = Note::parse(request.note.as_bytes()).expect("a note").text;
            format!("{}\n", cosignature::cosign(&text, 1_790_000_000, "gov.example/regulator", key))
        }),
        ("hostile.example/noise", |_, _| "\u{1b}[2J\n\n\u{202e}".repeat(1_000)),
    ];
    let (books, vkey, _) = books();
    let mut policy = format!("log {vkey}\n");
    let mut asked = Vec::new();
    for (place, (name, answer)) in answers.into_iter().enumerate() {
        let (key, address, count) = hostile(name, answer);
        policy.push_str(&format!("witness w{place} {key} http://{address}\n"));
        asked.push(count);
    }
    let file = books.path.join("policy");
    std::fs::write(&file, policy).expect("written");
    let site = Served::with(books, &["--witnesses", file.to_str().expect("UTF-8")]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while asked.iter().any(|count| count.load(Ordering::SeqCst) == 0) {
        assert!(Instant::now() < deadline, "all of them are asked");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(site.get("/api/v1/ledger").json()["witnesses"], json!([]));
    let note = site.get("/log/books/checkpoint").body;
    assert_eq!(Note::parse(note.as_bytes()).expect("a note").signatures.len(), 1, "{note}");
    assert_eq!(site.stop().does("verify")["ok"], true);
}

#[test]
fn a_key_that_another_has_followed_gets_no_cosignature_any_more() {
    let folder = folder("rotated");
    let (old, new) = (Log::new("log.example/a", 1, 60), Log::new("log.example/a", 2, 60));
    {
        let running = witness(&folder, &[&old.vkey(), &new.vkey()]);
        let status =
            |request: &AddCheckpoint| ask(&running.address, "POST", "/add-checkpoint", request.to_text().as_bytes()).0;
        assert_eq!(status(&old.request(0, 20)), 200);
        // Both sign the first that the new key signs.
        let mut both = new.request(20, 33);
        let mut note = Note::parse(both.note.as_bytes()).expect("a note");
        note.add_signature("log.example/a", &old.key.key);
        both.note = note.to_string();
        assert_eq!(status(&both), 200);
        assert_eq!(status(&old.request(33, 40)), 403);
        assert_eq!(status(&new.request(33, 40)), 200);
    }
    // Also after it has been started again.
    let running = witness(&folder, &[]);
    let status =
        |request: &AddCheckpoint| ask(&running.address, "POST", "/add-checkpoint", request.to_text().as_bytes()).0;
    assert_eq!((status(&old.request(40, 50)), status(&new.request(40, 50))), (403, 200));
}

/// A process that is killed at the end.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program and gives what it prints; nothing where it is not here or fails.
fn run(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_witness_that_nobody_here_wrote_cosigns_our_checkpoints() {
    let (books, vkey, _) = books();
    let folder = books.path.clone();
    let Some(program) = foreign("litewitness", "filippo.io/torchwood/cmd/litewitness", &folder) else { return };
    let (socket, key, database) = (folder.join("agent"), folder.join("id"), folder.join("db"));
    let tables = format!(
        "create table log (origin text primary key, tree_size integer not null, tree_hash text not null);
         create table key (origin text not null, key text not null);
         insert into log values ('test.example/books', 0, '{}'); insert into key values ('test.example/books', '{vkey}');",
        merkle::empty_root().to_base64()
    );
    let ready =
        Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().ok().map(Killed);
    let made = run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
    let filled = run(Command::new("sqlite3").arg(&database).arg(tables));
    let (Some(_agent), Some(_), Some(_)) = (ready, made, filled) else {
        eprintln!("skipped: ssh-agent, ssh-keygen or sqlite3 is not here, which litewitness needs");
        return;
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while run(Command::new("ssh-add").arg(&key).env("SSH_AUTH_SOCK", &socket)).is_none() {
        assert!(Instant::now() < deadline, "the agent takes the key");
        std::thread::sleep(Duration::from_millis(100));
    }
    let listed = run(Command::new("ssh-keygen").args(["-l", "-f"]).arg(&key)).expect("listed");
    let fingerprint = listed.split(' ').nth(1).expect("a fingerprint");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut command = Command::new(program);
    command
        .args(["-name", "litewitness.example/w", "-key", fingerprint, "-listen", &free.to_string(), "-db"])
        .arg(&database);
    let mut child = command.arg("-ssh-agent").arg(&socket).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut errors = BufReader::new(child.stderr.take().expect("piped"));
    let _child = Killed(child);
    let mut said = None;
    let mut line = String::new();
    while said.is_none() && errors.read_line(&mut line).expect("it says something") > 0 {
        said = line.split_once("vkey=").map(|(_, vkey)| vkey.trim().trim_matches('"').to_owned());
        line.clear();
    }
    // It goes on talking, and must not be cut off.
    std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
    let witness = VerifierKey::parse(&said.expect("it says its key")).expect("a key");
    let policy = policy(&folder, &vkey, &witness.to_string(), &free.to_string());
    let site = Served::with(books, &["--witnesses", policy.to_str().expect("UTF-8")]);
    let note = wait_for_witness(&site, &witness);
    assert!(note.contains("— litewitness.example/w "), "{note}");
    drop(site.stop());
}

#[test]
fn a_log_that_nobody_here_wrote_is_cosigned_by_our_witness() {
    let folder = folder("foreign");
    let Some(program) = foreign("witnessed", ".", &folder) else { return };
    let vkey = run(Command::new(&program).arg("key").arg(&folder).arg("tessera.example/log")).expect("a key");
    let running = witness(&folder.join("witness"), &[vkey.trim()]);
    let policy = policy(&folder, vkey.trim(), &running.vkey.to_string(), &running.address);
    let output = Command::new(&program).arg("run").arg(&folder).arg(policy).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = VerifierKey::parse(vkey.trim()).expect("a key");
    let opened = VerifiedCheckpoint::open(&output.stdout, &log).expect("signed");
    assert_eq!(opened.checkpoint().size, 3);
    assert!(cosignature::verify(opened.note(), &running.vkey).is_ok(), "{}", String::from_utf8_lossy(&output.stdout));
    let _ = std::fs::remove_dir_all(folder);
}
