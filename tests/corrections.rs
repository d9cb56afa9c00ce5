//! Reports that are made again: nothing new, new figures, and a correction that says what was wrong.

use crate::books::Books;
use serde_json::{Value as Json, json};

/// Books with a case, a gift for it and a report.
pub(crate) fn reported() -> (Books, Json) {
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
    let second = books.does("report case c_1");
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
    let site = crate::served::Served::of(books);
    let told = site.get(&format!("/api/v1/reports/{entry}")).json();
    assert_eq!((&told["corrected_by"], &told["note"]), (&second["entry"], &json!("漏记了一笔 20 元的捐款")), "{told}");
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
