//! The pages in a real browser, with real books and with hostile ones: what axe-core finds at WCAG 2.2 AA, sideways scrolling on a phone
//! and at 200 % zoom, words and sums that are cut off, other hosts. Needs chromium and node; says so where they are missing.

use crate::books::Books;
use crate::served::Served;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a browser is, if there is one, and what it is driven with.
pub(crate) fn browser() -> Option<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|place| names.map(|name| place.join(name))).find(|path| path.is_file());
    let ready = folder.join("node_modules/puppeteer-core").is_dir() && folder.join("node_modules/axe-core").is_dir();
    match found.filter(|_| ready) {
        Some(found) => Some((found, folder)),
        None => {
            eprintln!("not run: chromium, or `npm ci` in tests/browser");
            None
        }
    }
}

/// Opens each path at the width of a phone, of a screen, and at 200 % zoom.
fn looked_at(site: &Served, paths: &[String]) {
    let Some((browser, folder)) = browser() else { return };
    let mut command = Command::new("node");
    command.arg(folder.join("pages.mjs")).arg(browser).arg(format!("http://{}", site.address));
    if let Some(shots) = std::env::var_os("MINGZHANG_SHOTS") {
        command.arg("--shots").arg(shots);
    }
    let output = command.args(paths).output().expect("node runs");
    let told: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(told, json!({"pages": paths.len(), "wrong": []}));
}

/// The paths in both languages.
fn both(paths: &[&str]) -> Vec<String> {
    paths.iter().flat_map(|path| ["/zh", "/en"].map(|language| format!("{language}{path}"))).collect()
}

#[test]
fn pages_of_the_worked_example_are_right_in_a_browser() {
    let books = Books::new();
    let data = books.data();
    let demo = books.run(&["demo", "--no-serve", "--json", "--dir", data.to_str().expect("UTF-8")]);
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let told: Json = serde_json::from_slice(&demo.stdout).expect("one object");
    let gift = told["member_gift"].to_string();
    let code = books.does(&format!("donation code {gift}"))["code"].as_str().expect("a code").to_owned();
    let site = Served::of(books);
    let page = site.get(&format!("/en/gift/{code}")).body;
    for (label, money) in [
        ("Received", "132,000.00"),
        ("Spent", "110,185.60"),
        ("Not used yet", "0.00"),
        ("Moved to other funds", "21,814.40"),
    ] {
        let row = format!("<dt>{label}</dt><dd>{money} yuan</dd>");
        assert!(page.contains(&row), "the case as a whole adds up: {row} in {page}");
    }
    let paths = [
        "",
        "/gift",
        &format!("/gift/{code}"),
        "/funds",
        "/fund/f_3k9w",
        "/campaign/k_2026f0007",
        "/cases",
        "/case/c_2026k0031",
        "/reports",
        "/verify",
        "/entries",
        &format!("/entry/{gift}"),
        "/gift/nonsense",
        "/nothing",
    ];
    looked_at(&site, &both(&paths));
}

/// Everywhere where a person can write, something that would be a script, a tag or an end of an attribute if it were not escaped.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"&amp;{{7*7}}";

#[test]
fn hostile_text_is_text_on_every_page() {
    let books = Books::opened();
    let long = "善".repeat(96);
    books.json(&[
        "fund",
        "open",
        "--id",
        "general",
        "--type",
        "unrestricted",
        "--name-zh",
        HOSTILE,
        "--name-en",
        HOSTILE,
    ]);
    books.json(&[
        "fund",
        "open",
        "--id",
        "long",
        "--type",
        "unrestricted",
        "--name-zh",
        &long,
        "--name-en",
        &"W".repeat(96),
    ]);
    books.does("account open wallet/a --fund general,long");
    let campaign =
        "campaign file --id k_1 --fund general --starts 2026-03-01 --ends 2026-05-01 --target 1000 --on 2026-02-20";
    let campaign: Vec<&str> = campaign.split(' ').collect();
    books.json(&[&campaign[..], &["--name-zh", HOSTILE, "--name-en", HOSTILE, "--filing-no", HOSTILE]].concat());
    let case: Vec<&str> = "case open --id c_1 --fund f_1 --category health --on 2026-03-01".split(' ').collect();
    books.json(&[&case[..], &["--region-zh", "<script>a市", "--region-en", "<script>x='\""]].concat());
    let gift: Vec<&str> =
        "donation receive --fund general --amount 500 --account wallet/a --on 2026-03-08".split(' ').collect();
    let seq = books.json(&[&gift[..], &["--order-no", HOSTILE, "--name", HOSTILE, "--contact", HOSTILE]].concat());
    let seq = seq["donation"].to_string();
    let large = "donation receive --fund long --amount 123456189 --account wallet/a --order-no L --on 2026-03-08";
    let large = books.does(large)["donation"].to_string();
    books.does("donation receive --fund long --amount 9876543210.99 --account wallet/a --order-no M --on 2026-03-08");
    books.does(&format!("donation refund {large} --amount 100000000.5"));
    for line in [
        "case assess c_1 --need 600 --on 2026-03-02",
        "case approve c_1 --limit 600 --on 2026-03-03 --as wang",
        "fund transfer general f_1 --amount 400 --on 2026-03-09",
        "account open bank/a --fund f_1",
        "disbursement request --case c_1 --amount 300 --use hospital --payee-class hospital --on 2026-03-10",
    ] {
        books.does(line);
    }
    let code = |seq: &str| books.does(&format!("donation code {seq}"))["code"].as_str().expect("a code").to_owned();
    let (code, code_of_large) = (code(&seq), code(&large));
    let site = Served::of(books);
    let paths = [
        "",
        "/gift",
        &format!("/gift/{code}"),
        &format!("/gift/{code_of_large}"),
        "/funds",
        "/fund/general",
        "/fund/long",
        "/campaign/k_1",
        "/cases",
        "/case/c_1",
        "/reports",
        "/entries",
        "/entry/1",
        &format!("/entry/{seq}"),
    ];
    let paths = both(&paths);
    let mut seen = 0;
    let mut pages: Vec<String> = paths.iter().map(|path| site.get(path).body).collect();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let typed = "order_no=%3Cscript%3Ealert(1)%3C%2Fscript%3E&amount=%3Cimg%20src%3Dx%3E&code=%3Cscript%3E";
    pages.push(site.send("POST", "/zh/gift", &form, typed).body);
    pages.push(site.get("/zh/gift/%3Cscript%3Ealert(1)%3C%2Fscript%3E").body);
    pages.push(site.get("/g/%3Cscript%3E%0d%0aset-cookie:x").head);
    for page in &pages {
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(!page.contains("\nset-cookie"), "{page}");
        seen += page.matches("&#60;script&#62;").count();
    }
    assert!(seen > 10, "the hostile text is shown {seen} times");
    looked_at(&site, &paths);
}

#[test]
fn the_given_vectors_hold_in_a_browser() {
    let Some((browser, folder)) = browser() else { return };
    let output = Command::new("node").arg(folder.join("vectors.mjs")).arg(browser).output().expect("node runs");
    let told: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(told["wrong"], json!([]));
    assert!(told["checked"].as_u64().is_some_and(|checked| checked > 300), "{told}");
}
