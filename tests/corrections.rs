//! Reports that are made again: nothing new, new figures, and a correction that says what was wrong.

use crate::books::Books;
use crate::browser::browser;
use crate::served::Served;
use mingzhang::ledger::chain::leaf_hash;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Books with a case, a gift for it and a report.
fn reported() -> (Books, Json) {
    let books = Books::opened();
    for line in [
        "case open --id c_1 --fund f_1 --category health --on 2026-03-01 --region-zh 测试市 --region-en Test",
        "account open wallet/a --fund f_1",
        "case assess c_1 --need 1000 --on 2026-03-02",
        "case approve c_1 --limit 1000 --on 2026-03-03 --as wang",
        "donation receive --fund f_1 --amount 500 --order-no A --on 2026-03-04",
    ] {
        books.does(line);
    }
    let report = books.does("report case c_1");
    (books, report)
}

#[test]
fn a_report_is_made_anew_when_there_is_something_new_and_only_then() {
    let (books, first) = reported();
    // What happens elsewhere in the ledger is nothing new for the case.
    books.does("fund open --id other --type unrestricted --name-zh 其他 --name-en Other");
    books.does("account open wallet/b --fund other");
    books.does("donation receive --fund other --amount 3 --order-no X --account wallet/b");
    let again = books.does("report case c_1");
    assert_eq!((&again["repeated"], &again["entry"]), (&json!(true), &first["entry"]));
    assert_eq!(again["files"], first["files"]);
    books.does("donation receive --fund f_1 --amount 700 --order-no B --on 2026-03-05");
    // A number that is published gets another version only with a word on what changed.
    books.will_not("report case c_1", "is published already");
    let seq = first["entry"].to_string();
    let second = books.json(&["report", "case", "c_1", "--corrects", &seq, "--note", "收到新捐款"]);
    assert_eq!(second["repeated"], false);
    assert_ne!(second["number"], first["number"]);
    assert_eq!(books.does("report case c_1")["entry"], second["entry"]);
    assert_eq!(books.does("verify")["ok"], true);
}

#[test]
fn a_correction_takes_the_place_of_the_report_that_was_wrong() {
    let (books, first) = reported();
    let entry = first["entry"].to_string();
    // Nothing is wrong as long as the figures are what they were.
    books.refused(&["report", "case", "c_1", "--corrects", &entry, "--note", "x"], 3, "the same");
    books.refused(&["report", "case", "c_1", "--corrects", "1", "--note", "x"], 3, "report");
    books.refused(&["report", "case", "c_1", "--corrects", &entry], 2, "--note");
    books.does("donation receive --fund f_1 --amount 20 --order-no B --on 2026-03-04");
    books.refused(
        &["report", "case", "c_1", "--corrects", &entry, "--note", "身份证 11010519491231002X"],
        3,
        "identity",
    );
    let second = books.json(&["report", "case", "c_1", "--corrects", &entry, "--note", "漏记了一笔 20 元的捐款"]);
    let number = first["number"].as_str().expect("a number").replace("-v1", "-v2");
    assert_eq!((&second["number"], &second["repeated"]), (&json!(number), &json!(false)));
    assert_eq!(books.does("verify")["ok"], true);
    assert!(books.does("rebuild")["differed"].is_null());
    // Once corrected it cannot be corrected again; the new one can.
    books.does("donation receive --fund f_1 --amount 5 --order-no C --on 2026-03-04");
    books.refused(&["report", "case", "c_1", "--corrects", &entry, "--note", "y"], 3, "not the newest");
    let third =
        books.json(&["report", "case", "c_1", "--corrects", &second["entry"].to_string(), "--note", "再漏一笔"]);
    assert_eq!(third["number"], number.replace("-v2", "-v3"));
    let site = Served::of(books);
    let told = site.get(&format!("/api/v1/reports/{entry}")).json();
    assert_eq!((&told["corrected_by"], &told["note"]), (&second["entry"], &json!("漏记了一笔 20 元的捐款")), "{told}");
    // An auditor lists the items of a total: each is an entry, once, and they add up to what was published.
    let published = site.get(&format!("/api/v1/entries/{entry}")).json()["body"]["terms"].clone();
    let term = published.as_array().expect("a list").iter().find(|term| term["name"] == "receipts").expect("there");
    let items = site.get(&format!("/api/v1/reports/{entry}/terms/receipts")).json();
    assert_eq!((&items["sum"], &items["root"], &items["count"]), (&term["sum"], &term["root"], &term["count"]));
    let gift = leaf_hash(&site.get("/api/v1/entries/6").bytes).to_hex();
    assert_eq!(items["items"], json!([{"item": gift, "amount": 50_000}]));
    assert_eq!(site.get(&format!("/api/v1/reports/{entry}/terms/none")).status, 404);
    let page = |from: u64, limit: u64| {
        let path = format!("/api/v1/reports/{}/terms/receipts?from={from}&limit={limit}", second["entry"]);
        site.get(&path).json()
    };
    let (all, first, rest) = (page(0, 100), page(0, 1), page(1, 1));
    assert_eq!((&all["count"], &all["next"]), (&json!(2), &Json::Null), "{all}");
    assert_eq!((&first["items"][0], &first["next"]), (&all["items"][0], &json!(1)), "{first}");
    assert_eq!((&rest["items"][0], &rest["next"]), (&all["items"][1], &Json::Null), "{rest}");
    assert_eq!((&page(7, 1)["items"], &page(7, 1)["next"]), (&json!([]), &Json::Null));
    // The old file is still there, and what changed is told row by row.
    let old = told["files"][0].as_str().expect("a path").to_owned();
    assert_eq!(site.get(&format!("/api/v1{old}")).status, 200);
    let changes = site.get(&format!("/api/v1/reports/{entry}/changes")).json();
    let row = changes["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["before"] == "50000" && row["after"] == "52000");
    assert!(row.is_some(), "{changes}");
    assert_eq!(site.get(&format!("/api/v1/reports/{}/changes", third["entry"])).status, 404);
    assert_eq!(site.stop().does("verify")["ok"], true);
}

/// What the page says of files that are dropped on it; nothing where there is no browser.
fn dropped(site: &Served, page: &str, manner: &[&str], files: &[PathBuf]) -> Option<Vec<Json>> {
    let (browser, folder) = browser()?;
    let mut command = Command::new("node");
    command.arg(folder.join("verify.mjs")).arg(browser).arg(format!("http://{}{page}", site.address)).args(manner);
    if let Some(shots) = std::env::var_os("MINGZHANG_SHOTS") {
        command.arg("--shots").arg(shots);
    }
    let output = command.args(files).output().expect("node runs");
    let told: Vec<Json> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    for told in &told {
        assert_eq!(told["wrong"], json!([]), "{told}");
        // Whatever is asked of the server, the file does not go along.
        let asked = told["asked"].as_array().expect("a list");
        assert!(
            asked
                .iter()
                .all(|asked| asked.as_str().is_some_and(|asked| asked.starts_with("GET ") && asked.ends_with(" 0"))),
            "{told}"
        );
    }
    Some(told)
}

#[test]
fn the_page_that_checks_files_says_what_is_genuine_superseded_or_not_ours() {
    let (books, first) = reported();
    let file = |report: &Json, place: usize| PathBuf::from(report["files"][place]["path"].as_str().expect("a path"));
    let kept = books.path.join("kept.pdf");
    std::fs::copy(file(&first, 0), &kept).expect("copied");
    let out = books.path.join("receipts");
    books.json(&["donation", "receipt", "6", "--out", out.to_str().expect("UTF-8")]);
    books.does("donation receive --fund f_1 --amount 20 --order-no B --on 2026-03-04");
    let second = books.json(&[
        "report",
        "case",
        "c_1",
        "--corrects",
        &first["entry"].to_string(),
        "--note",
        "漏记了一笔 20 元的捐款",
    ]);
    let changed = books.path.join("changed.pdf");
    let mut bytes = std::fs::read(file(&second, 0)).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&changed, bytes).expect("written");
    let mut receipts: Vec<PathBuf> =
        std::fs::read_dir(&out).expect("there").flatten().map(|file| file.path()).collect();
    receipts.sort();
    let ending = |end: &str| receipts.iter().find(|path| path.to_string_lossy().ends_with(end)).expect("there").clone();
    let noise = books.path.join("noise.bin");
    std::fs::write(&noise, [0xFF; 999]).expect("written");
    // A receipt of the same ledger's name with other keys.
    let (other, _) = reported();
    let others = other.path.join("receipts");
    other.json(&["donation", "receipt", "6", "--out", others.to_str().expect("UTF-8")]);
    let foreign = std::fs::read_dir(&others).expect("there").flatten().map(|file| file.path());
    let foreign = foreign.into_iter().find(|path| path.extension().is_some_and(|end| end == "html")).expect("a page");
    let site = Served::of(books);
    let proof = site.books.path.join("entry.tlog-proof");
    std::fs::write(&proof, site.get("/log/books/proof/6").bytes).expect("written");
    let expected: [(&Path, &str, &str); 11] = [
        (&ending("zh.pdf"), "waiting", "打印件本身证明不了什么"),
        (&file(&second, 0), "right", "现行"),
        (&file(&second, 1), "right", "现行"),
        (&file(&second, 2), "right", "现行"),
        (&kept, "waiting", "漏记了一笔 20 元的捐款"),
        (&changed, "wrong", "不是本组织公布的文件"),
        (&ending("zh.html"), "right", "是本组织开具的凭证"),
        (&ending(".json"), "right", "没有联网"),
        (&foreign, "wrong", "不是这个账本签发的"),
        (&noise, "wrong", "核对不通过"),
        (&proof, "waiting", "取不到记录"),
    ];
    let files: Vec<PathBuf> = expected.iter().map(|(path, ..)| path.to_path_buf()).collect();
    let Some(told) = dropped(&site, "/zh/verify", &[], &files) else { return };
    for ((path, verdict, words), told) in expected.iter().zip(&told) {
        let text = told["text"].as_str().expect("a text");
        assert!(told["verdict"] == *verdict && text.contains(words), "{}: {told}", path.display());
    }
    // What changed is told row by row.
    let text = told[4]["text"].as_str().expect("a text");
    assert!(text.contains("收支 · 捐赠收入") && text.contains("500.00") && text.contains("520.00"), "{text}");
    // With a network, the newest ledger is asked.
    let online = dropped(&site, "/en/verify", &["--online"], &[ending("en.html"), proof]).expect("a browser");
    assert!(online[0]["text"].as_str().is_some_and(|text| text.contains("are what they were")), "{}", online[0]);
    assert!(online[1]["verdict"] == "right", "{}", online[1]);
    // What a QR code leads to.
    let number = first["number"].as_str().expect("a number").trim_end_matches("-v1");
    for (version, verdict) in [("1", "waiting"), ("2", "right"), ("3", "wrong")] {
        let page = format!("/verify?report={number}&v={version}");
        let told = dropped(&site, &page, &[], &[]).expect("a browser");
        assert_eq!(told[0]["verdict"], verdict, "{}", told[0]);
    }
}
