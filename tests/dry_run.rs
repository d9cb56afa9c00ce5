//! `import --dry-run` answers what the import will answer, and posts nothing.

use crate::books::Books;
use serde_json::Value as Json;

pub(crate) const MAPPING: &str = r#"
unit = "CNY"
account = "bank/some-bank"
source = "bank"
[columns]
day = "day"
amount = "amount"
status = "kind"
reference = "no"
original = "of"
balance = "balance"
[status]
accepted = ["gift"]
refund = ["refund"]
[form]
day = "%Y-%m-%d"
"#;

/// Two gifts; one twice in the file; its number again with another amount; one of next century; a refund of a gift of this very
/// file, and one of more than it gave; a last row that cannot be read and still says where the account stands.
pub(crate) const STATEMENT: &str = "day,kind,amount,no,of,balance
2026-03-01,gift,100.00,a1,,100.00
2026-03-02,gift,50.00,a2,,150.00
2026-03-02,gift,50.00,a2,,200.00
2026-03-02,gift,60.00,a2,,260.00
2126-03-02,gift,70.00,a3,,330.00
2026-03-03,refund,-30.00,r1,a1,300.00
2026-03-04,refund,-99.00,r2,a2,201.00
2026-13-05,gift,9.00,a5,,210.00
";

fn without(mut answer: Json, members: &[&str]) -> Json {
    for member in members {
        answer.as_object_mut().expect("one object").remove(*member);
    }
    answer
}

#[test]
fn a_dry_run_answers_what_the_import_answers() {
    let books = Books::opened();
    books.does("fund open --id f_1 --type unrestricted --name-zh 日常 --name-en Daily");
    let (statement, mapping) = (books.path.join("statement.csv"), books.path.join("mapping.toml"));
    std::fs::write(&statement, STATEMENT).expect("written");
    std::fs::write(&mapping, MAPPING).expect("written");
    let (statement, mapping) = (statement.display().to_string(), mapping.display().to_string());
    let line = ["import", statement.as_str(), "--fund", "f_1", "--mapping", mapping.as_str()];

    let before = books.does("verify")["size"].clone();
    let rehearsed = books.json(&[&line[..], &["--dry-run"]].concat());
    assert_eq!(books.does("verify")["size"], before, "a dry run posts nothing");
    assert!(books.does("account list")["accounts"].as_array().is_some_and(Vec::is_empty));
    let handed_back = books.path.join("statement.csv.rejected.csv");
    assert!(!handed_back.exists());

    let posted = books.json(&line);
    assert_eq!(
        without(rehearsed, &["dry_run", "entry", "files"]),
        without(posted.clone(), &["dry_run", "entry", "files"])
    );
    for (what, count) in
        [("rows", 8), ("accepted", 2), ("duplicates", 1), ("refunds", 2), ("refunds_posted", 1), ("rejected", 3)]
    {
        assert_eq!(posted[what], count, "{what}: {posted}");
    }
    assert_eq!(posted["totals"]["CNY"], 15_000);

    // Everything that is not in the ledger is in a file, with its reason.
    let reasons = std::fs::read_to_string(&handed_back).expect("rows were handed back");
    for words in
        ["with 50.00 CNY", "2126-03-02 lies in the future", "what is left of the gift: 50.00 CNY", "2026-13-05"]
    {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
    let lines: Vec<&str> = reasons.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(lines, ["5", "6", "9", "8"], "in the order of the file, refunds last");

    // The closing balance is that of the last row of the file, read or not.
    let controls = posted["controls"].as_array().expect("a list").clone();
    let closing = controls.iter().find(|control| control["what"] == "ClosingBalance").expect("the file has balances");
    assert_eq!((&closing["line"], &closing["stated"]), (&Json::from(9), &Json::from(21_000)));
    books.does("verify");
}
