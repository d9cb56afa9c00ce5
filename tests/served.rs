//! A ledger that the real program serves, and a plain way to ask it.

use crate::books::Books;
use crate::conformance;
use serde_json::Value as Json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A ledger that is being served.
pub(crate) struct Served {
    pub(crate) books: Books,
    pub(crate) child: Child,
    pub(crate) address: String,
    /// Where its figures are, if they are told.
    metrics: String,
    /// What it says of its interface.
    document: OnceLock<Json>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The same, where it is not text.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Served {
    pub(crate) fn of(books: Books) -> Self {
        Self::with(books, &[])
    }

    pub(crate) fn with(books: Books, arguments: &[&str]) -> Self {
        let mut command = books.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
        command.args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        let told: Json = serde_json::from_str(&line).expect("one JSON object");
        let address = told["listening"].as_str().expect("an address").to_owned();
        let metrics = told["metrics"].as_str().unwrap_or_default().to_owned();
        Self { books, child, address, metrics, document: OnceLock::new() }
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_bytes(method, path, headers, body.as_bytes())
    }

    /// Asks; an answer of the interface must be what its document says.
    pub(crate) fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.exchange(method, path, headers, body);
        if path.starts_with("/api/v1/") {
            let asked = || self.exchange("GET", "/api/v1/openapi.json", &[], b"").json();
            conformance::check(self.document.get_or_init(asked), method, path, &answer);
        }
        answer
    }

    /// Its figures.
    pub(crate) fn metrics(&self) -> String {
        exchange(&self.metrics, "GET", "/metrics", &[], b"").body
    }

    fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        exchange(&self.address, method, path, headers, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub(crate) fn post(&self, token: &str, path: &str, body: &Json) -> Answer {
        self.send("POST", path, &[("authorization", &format!("Bearer {token}"))], &body.to_string())
    }

    /// Kills it, as the power may.
    pub(crate) fn kill(mut self) -> Books {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        std::mem::replace(&mut self.books, Books::taken())
    }

    /// Kills it, and serves the same ledger again.
    pub(crate) fn kill_and_serve(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        *self = Self::of(std::mem::replace(&mut self.books, Books::taken()));
    }

    /// Asks politely to end, and waits.
    pub(crate) fn stop(mut self) -> Books {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()));
        assert!(self.child.wait().expect("it ends").success());
        std::mem::replace(&mut self.books, Books::taken())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(&[request.as_bytes(), body].concat()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("answered");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head and a body");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let bytes = bytes.split_off(end + 4);
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}
