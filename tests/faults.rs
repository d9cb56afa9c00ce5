//! Faults and tampering, with real processes and real files: `verify` names the first bad entry; what was acknowledged survives SIGKILL.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

struct Books(PathBuf);

impl Books {
    /// A ledger with a fund, an account and five gifts: entries 0 to 7, the gifts are 3 to 7.
    fn new(name: &str) -> Self {
        Self::at(std::env::temp_dir().join(format!("mingzhang-faults-{}-{name}", std::process::id())))
    }

    fn at(folder: PathBuf) -> Self {
        let books = Self(folder);
        for arguments in [
            &["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"][..],
            &["fund", "open", "--id", "f", "--type", "unrestricted", "--name-zh", "日常", "--name-en", "General"],
            &["account", "open", "bank/1", "--fund", "f"],
        ] {
            assert!(books.run(arguments).status.success(), "{arguments:?}");
        }
        for number in 0..5 {
            assert!(books.gift(number).status.success());
        }
        books
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
        command.args(arguments).arg("--data").arg(&self.0).env("LANG", "en");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    fn gift(&self, number: u32) -> Output {
        let (order, key) = (format!("N{number}"), format!("k{number}"));
        self.run(&[
            "donation",
            "receive",
            "--fund",
            "f",
            "--amount",
            "10",
            "--order-no",
            &order,
            "--key",
            &key,
            "--json",
        ])
    }

    fn verdict(&self) -> (i32, Json) {
        let output = self.run(&["verify", "--json"]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), serde_json::from_str(&told).expect("one JSON object, always"))
    }

    fn sql(&self, statement: &str) -> bool {
        let triggers = "drop trigger if exists entry_is_not_changed; drop trigger if exists entry_is_not_removed;";
        self.raw_sql(&format!("{triggers} {statement}"))
    }

    fn raw_sql(&self, statement: &str) -> bool {
        let output =
            Command::new("sqlite3").arg(self.0.join("mingzhang.db")).arg(statement).output().expect("sqlite3 runs");
        output.status.success()
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("{program} is not on this machine: this test did not run");
    }
    found
}

#[test]
fn a_row_changed_behind_its_back_is_found_and_named() {
    if !has("sqlite3") {
        return;
    }
    let check = |name: &str, statement: &str, seq: u64| {
        let books = Books::new(name);
        assert_eq!(books.verdict().0, 0, "{name}: it holds before");
        assert!(books.sql(statement), "{name}");
        let (code, verdict) = books.verdict();
        assert_eq!(
            (code, &verdict["ok"], &verdict["first_bad"]["seq"]),
            (1, &Json::from(false), &Json::from(seq)),
            "{name}: {verdict}"
        );
    };
    check(
        "bytes",
        "update entry set bytes = cast(replace(cast(bytes as text), '\"amount\":1000', '\"amount\":1001') as blob) where seq = 5",
        5,
    );
    check("removed", "delete from entry where seq = 5", 5);
    check(
        "swapped",
        "create temp table two as select seq, bytes from entry where seq in (4, 5);
         update entry set bytes = (select bytes from two where two.seq = 9 - entry.seq) where seq in (4, 5)",
        4,
    );
    check(
        "inserted",
        "insert into entry (ledger_id, seq, leaf, key_hash, payload_hash, reference_hash, order_hash, bytes)
         select ledger_id, 8, leaf, 0, 0, 0, 0, bytes from entry where seq = 7",
        8,
    );
    check("cut", "delete from entry where seq >= 6", 6);
    check("leaf", "update entry set leaf = zeroblob(32) where seq = 5", 5);
    check("span", "update span set to_position = to_position - 1 where seq = 6 and op = 0", 6);
    check("run", "update run set to_position = to_position - 1", 7);
    check("state", "update subject set doc = cast('{}' as blob) where area = 'fund'", 7);
    check("head", "update ledger set size = size - 1", 7);
    check("row", "update ledger set last_leaf = x'00'", 7);
    check("gone", "delete from ledger", 7);
    check("checkpoint", "update checkpoint set note = replace(note, '— ', '— x') where size = 5", 4);
    check("vault", "update vault set sealed = zeroblob(100) where seq = 6", 6);
    check("no record", "delete from vault where seq = 6", 6);
    check("another's record", "update vault set seq = case seq when 6 then 70 else 6 end where seq in (6, 7)", 6);
    check("key", "update entry set key_hash = 0, reference_hash = 0 where seq = 5", 5);
    check("order number", "update entry set order_hash = order_hash + 1 where seq = 5", 5);
    check(
        "before the first",
        "insert into entry (ledger_id, seq, leaf, key_hash, payload_hash, reference_hash, order_hash, bytes)
         select ledger_id, -1, leaf, 0, 0, 0, 0, bytes from entry where seq = 7",
        0,
    );
    check("of no line", "insert into run select ledger_id, 77, 0, 5, 0, 0 from run limit 1", 7);
    check("of no ledger", "insert into subject select 9, area, id, doc from subject", 7);
    check("of no kind", "insert into subject select ledger_id, 'zebra', id, doc from subject where area = 'fund'", 7);
    check("tile", "insert into tile select ledger_id, 0, 0, zeroblob(256) from ledger", 7);
    check("tile of more", "insert into tile select ledger_id, 1, 0, leaf from entry where seq = 0", 7);
    check("type", "update run set state = 'free'", 7);
    check("type of a hash", "update entry set key_hash = 'none' where seq = 5", 5);
    check("digits in bytes", "update entry set key_hash = cast(cast(key_hash as text) as blob) where seq = 5", 5);
    check("type of a person", "update vault set person = 'Wu' where seq = 6", 6);
    check("type of the first person", "update vault set person = 'Wu' where seq = 3", 3);
    check("type of a post", "update span set of_seq = 'none' where seq = 6", 7);
    check("a post of no line", "insert into span select ledger_id, -1, -2, 0, 4, 0, 100, -1 from ledger", 4);
    check("a post without end", "insert into span select ledger_id, x'32', 0, 0, 0, 0, 5, -1 from ledger", 7);
    check(
        "a post within a post",
        "update span set of_seq = of_seq || (select ' ' || line_id || ' ' || op || ' ' || from_position || ' ' || seq || ' ' || place
           || ' ' || to_position || ' ' || of_seq from span where seq = 6) where seq = 5;
         delete from span where seq = 6",
        7,
    );
    check(
        "an entry within an entry",
        "create temp table six as select * from entry where seq = 6;
         update entry set order_hash = order_hash || ' ' || leaf || bytes || (select seq || ' 32 ' || length(bytes) || ' ' || key_hash
           || ' ' || payload_hash || ' ' || reference_hash || ' ' || order_hash from six) where seq = 5;
         update entry set leaf = (select leaf from six), bytes = (select bytes from six) where seq = 5;
         delete from entry where seq = 6",
        5,
    );
    check("code", "insert into code select ledger_id, 'receipt', zeroblob(32), '4' from ledger", 7);
    check("slug", "update ledger set slug = 'other'", 0);
}

#[test]
fn no_report_is_made_of_a_ledger_that_does_not_hold() {
    if !has("sqlite3") {
        return;
    }
    let books = Books::new("report");
    for line in ["case open --id c_1 --fund f_1 --category health --region-zh 吴忠市", "report case c_1"] {
        assert!(books.run(&line.split(' ').collect::<Vec<_>>()).status.success(), "{line}");
    }
    assert!(books.sql("update entry set leaf = zeroblob(32) where seq = 5"));
    let refused = books.run(&["report", "case", "c_1"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("No report was made") && told.contains("first bad entry is 5"), "{told}");
}

#[test]
fn the_database_itself_refuses_to_change_entries() {
    if !has("sqlite3") {
        return;
    }
    let books = Books::new("triggers");
    assert!(!books.raw_sql("update entry set leaf = zeroblob(32) where seq = 3"));
    assert!(!books.raw_sql("delete from entry where seq = 7"));
    assert_eq!(books.verdict().0, 0);
}

#[test]
fn what_is_derived_is_rebuilt_from_the_entries() {
    if !has("sqlite3") {
        return;
    }
    let books = Books::new("rebuild");
    assert!(
        books.raw_sql("delete from run; delete from span where seq = 4; delete from subject where area = 'account'")
    );
    assert_eq!(books.verdict().0, 1);
    assert!(books.run(&["rebuild"]).status.success());
    assert_eq!(books.verdict().0, 0);
}

fn slow() -> bool {
    let slow = std::env::var_os("MINGZHANG_SLOW_TESTS").is_some();
    if !slow {
        eprintln!("5 kills here; 30 with MINGZHANG_SLOW_TESTS=1");
    }
    slow
}

fn bill(path: &Path, rows: u32) {
    let mut text =
        String::from("交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注\n");
    for row in 0..rows {
        text.push_str(&format!("2026-03-01 12:00:00,二维码收款,张小明,/,收入,¥1.00,零钱,已收钱,4200{row:024},/,/\n"));
    }
    std::fs::write(path, text).expect("writable");
}

fn kill(mut child: Child) {
    child.kill().expect("SIGKILL is sent");
    child.wait().expect("it has ended");
}

#[test]
fn an_import_that_was_killed_goes_on_where_it_stopped() {
    let (rounds, rows) = if slow() { (30, 150_000) } else { (5, 20_000) };
    let books = Books::new("import");
    let file = books.0.join("bill.csv");
    bill(&file, rows);
    let path = file.to_str().expect("UTF-8").to_owned();
    let arguments = ["import", &path, "--fund", "f", "--json"];
    let mut hit = 0;
    for round in 0..rounds {
        let mut child =
            books.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
        // Another moment each time: at its start, between two batches, within one.
        std::thread::sleep(Duration::from_millis(40 + round * 137 % 400));
        hit += u32::from(child.try_wait().expect("it can be asked").is_none());
        kill(child);
        assert_eq!(books.verdict().1["ok"], true, "round {round}");
    }
    eprintln!("{hit} of {rounds} kills met an import under way");
    assert!(hit > 0);
    let output = books.run(&arguments);
    let told: Json = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let finished_before = told["duplicates"] == rows;
    assert!(finished_before || told["accepted"] == rows, "{told}");
    let export = books.0.join("export");
    assert!(books.run(&["export", export.to_str().expect("UTF-8")]).status.success());
    let entries = std::fs::read_to_string(export.join("entries.jsonl")).expect("an export");
    let gifts = entries.lines().filter(|line| line.contains("\"kind\":\"donation.received\"")).count();
    assert_eq!(u32::try_from(gifts), Ok(rows + 5), "none lost, none doubled");
    assert_eq!(books.verdict().1["ok"], true);
}

/// A file system of its own, that can be full. Only root may make one, and not everywhere.
struct Room(PathBuf);

impl Room {
    fn new(size: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("mingzhang-faults-{}-room", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        let room = Self(folder);
        room.mount(&format!("size={size}")).then_some(room)
    }

    fn mount(&self, options: &str) -> bool {
        let mut command = Command::new("mount");
        let command = command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg(&self.0).stderr(Stdio::null()).status();
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_full_disk_is_told_and_the_same_import_goes_on_when_there_is_room() {
    const ROWS: u32 = 20_000;
    let Some(room) = Room::new("12m") else {
        eprintln!("no disk was filled: a small file system cannot be made here");
        return;
    };
    let books = Books::at(room.0.join("books"));
    let file = std::env::temp_dir().join(format!("mingzhang-faults-{}-full.csv", std::process::id()));
    bill(&file, ROWS);
    let path = file.to_str().expect("UTF-8").to_owned();
    let arguments = ["import", &path, "--fund", "f", "--json"];
    let output = books.run(&arguments);
    let told: Json = serde_json::from_slice(&output.stdout).expect("one JSON object, always");
    let text = told["error"]["text"].as_str().unwrap_or_default();
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(text.contains("disk is full") && text.contains("same command again"), "{text}");
    let (_, verdict) = books.verdict();
    let kept = verdict["entries"].as_u64().unwrap_or_default();
    assert_eq!(verdict["ok"], true, "no half entry: {verdict}");
    assert!((8..u64::from(ROWS)).contains(&kept), "some batches were written before: {kept}");
    assert!(room.mount("remount,size=200m"), "more room");
    let output = books.run(&arguments);
    let told: Json = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&told["accepted"], &told["rejected"]), (&Json::from(ROWS), &Json::from(0)), "{told}");
    // Five gifts and three entries before them, the account, the gifts of the bill, and that it is complete.
    assert_eq!(books.verdict().1["entries"], Json::from(8 + 1 + ROWS + 1));
    assert_eq!(books.verdict().1["ok"], true);
    std::fs::remove_file(&file).expect("removed");
    drop(books);
}

#[test]
fn an_acknowledged_gift_survives_a_kill() {
    let books = Books::new("gift");
    let rounds = if slow() { 30 } else { 5 };
    for round in 0..rounds {
        let number = 100 + round;
        let (order, key) = (format!("N{number}"), format!("k{number}"));
        let arguments =
            ["donation", "receive", "--fund", "f", "--amount", "10", "--order-no", &order, "--key", &key, "--json"];
        let mut child =
            books.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
        for _ in 0..round * 2_000 {
            std::thread::yield_now();
        }
        child.kill().expect("SIGKILL is sent");
        let output = child.wait_with_output().expect("it has ended");
        let told: Option<Json> = serde_json::from_slice(&output.stdout).ok();
        let again: Json = serde_json::from_slice(&books.gift(number).stdout).expect("the repeated command answers");
        if let Some(told) = told {
            assert_eq!((&told["entry"], &again["repeated"]), (&again["entry"], &Json::Bool(true)), "round {round}");
        }
    }
    let (_, verdict) = books.verdict();
    assert_eq!((&verdict["ok"], &verdict["entries"]), (&Json::from(true), &Json::from(8 + rounds)), "none doubled");
}
