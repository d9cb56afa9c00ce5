//! Clients that are slow, silent or many hold nobody else up.

use crate::books::Books;
use crate::served::Served;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The status of an answer, or nothing where the connection was closed without one.
fn answered(stream: &mut TcpStream, within: Duration) -> Option<String> {
    stream.set_read_timeout(Some(within)).expect("a timeout");
    let mut bytes = Vec::new();
    let mut buffer = [0; 512];
    match stream.read(&mut buffer) {
        Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("it is still open: {error}"),
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split(' ').nth(1).map(str::to_owned)
}

/// Answers soon, whatever others do.
fn is_well(site: &Served) {
    let start = Instant::now();
    assert_eq!(site.get("/readyz").status, 200);
    assert_eq!(site.get("/zh").status, 200);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn slow_and_half_open_clients_are_let_go() {
    let site = Served::of(Books::opened());
    let connect = |sent: &str| {
        let mut stream = TcpStream::connect(&site.address).expect("it listens");
        stream.write_all(sent.as_bytes()).expect("sent");
        stream
    };
    let mut slow: Vec<TcpStream> = (0..200).map(|_| connect("GET /zh HTTP/1.1\r\nhost: x\r\nx-slow: ")).collect();
    let mut silent: Vec<TcpStream> = (0..200).map(|_| connect("")).collect();
    let lookup = "POST /api/v1/lookups HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    let mut half: Vec<TcpStream> = (0..10).map(|_| connect(lookup)).collect();
    is_well(&site);
    // A letter now and then does not help.
    for _ in 0..4 {
        std::thread::sleep(Duration::from_secs(4));
        for stream in &mut slow {
            // It may have been let go already.
            let _ = stream.write_all(b"a");
        }
    }
    is_well(&site);
    for stream in slow.iter_mut().chain(&mut silent) {
        let status = answered(stream, Duration::from_secs(10));
        assert!(status.is_none() || status.as_deref() == Some("408"), "{status:?}");
    }
    for stream in &mut half {
        assert_eq!(answered(stream, Duration::from_secs(25)).as_deref(), Some("503"));
    }
    site.stop();
}

#[test]
fn a_statement_may_take_longer_to_arrive_than_a_command() {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let site = Served::of(books);
    let mut stream = TcpStream::connect(&site.address).expect("it listens");
    let head = "POST /api/v1/imports?name=a.csv&fund=general HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
    stream.write_all(format!("{head}authorization: Bearer {token}\r\n\r\n").as_bytes()).expect("sent");
    for _ in 0..9 {
        stream.write_all(b"x").expect("it still listens");
        std::thread::sleep(Duration::from_secs(4));
    }
    assert_eq!(answered(&mut stream, Duration::from_secs(10)).as_deref(), Some("422"), "it is no statement");
    site.stop();
}

#[test]
fn ten_thousand_open_connections_hold_nobody_up() {
    let allowed = rlimit::increase_nofile_limit(u64::MAX).expect("a limit");
    let wanted = usize::try_from(allowed.saturating_sub(500).min(10_000)).expect("small");
    if wanted < 10_000 {
        eprintln!("only {wanted} connections: the system allows {allowed} open files");
    }
    let site = Served::of(Books::opened());
    let open: Vec<TcpStream> = (0..wanted).map(|_| TcpStream::connect(&site.address).expect("it listens")).collect();
    is_well(&site);
    drop(open);
    is_well(&site);
    site.stop();
}
