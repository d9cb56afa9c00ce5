//! The command line with `--server`: the same commands, the same answers, the same entries as on a data folder.

use crate::books::Books;
use crate::dry_run::{MAPPING, STATEMENT};
use crate::served::Served;
use serde_json::Value as Json;
use std::process::{Command, Output};

/// The commands of a small year; every step of every kind that both ways can do. `admin` is the first user, `wang` checks.
const STORY: &[(&str, &str)] = &[
    ("admin", "fund open --id general --type unrestricted --name-zh 日常 --name-en General"),
    ("admin", "fund open --id edu --type restricted --purpose minor --name-zh 助学 --name-en Schooling"),
    ("admin", "account open bank/a --fund general,edu"),
    ("admin", "account open wallet/a --fund general"),
    (
        "admin",
        "campaign file --id k_1 --name-zh 募捐 --name-en Appeal --fund general --starts 2026-03-01 --ends 2026-05-01 --target 1000 --on 2026-02-20",
    ),
    ("admin", "campaign open k_1 --on 2026-03-01"),
    (
        "admin",
        "donation receive --fund general --amount 500 --fee 3 --order-no A-1 --account wallet/a --on 2026-03-08 --name 张三丰",
    ),
    ("admin", "donation receive --fund general --amount 200 --order-no A-2 --account wallet/a --on 2026-03-09"),
    ("admin", "donation receive --fund edu --amount 100 --order-no A-3 --on 2026-03-09"),
    ("admin", "donation receive --fund general --amount 1 --order-no A-2 --account wallet/a"),
    ("admin", "donation receive --fund general --amount x --order-no A-4 --account wallet/a"),
    ("admin", "donation receive --fund general --amount 1 --order-no A-4"),
    ("admin", "donation list --last 2"),
    ("admin", "donation list --fund none"),
    ("admin", "donation refund 9 --on 2026-03-10"),
    ("admin", "account move wallet/a bank/a --amount 497 --on 2026-03-10"),
    (
        "admin",
        "case open --id c_1 --fund f_1 --category minor,health --region-zh 吴忠市 --region-en Wuzhong --on 2026-03-01",
    ),
    ("admin", "case assess c_1 --need 600 --on 2026-03-02"),
    ("admin", "case approve c_1"),
    ("wang", "case approve c_1 --limit 600 --on 2026-03-03"),
    ("admin", "fund transfer general f_1 --amount 400 --on 2026-03-09"),
    ("admin", "account open bank/b --fund f_1"),
    (
        "admin",
        "disbursement request --case c_1 --amount 300 --use hospital --payee-class hospital --vouchers 1 --on 2026-03-10",
    ),
    ("wang", "disbursement approve 18 --on 2026-03-10"),
    ("wang", "disbursement pay 18"),
    ("admin", "disbursement pay 18 --on 2026-03-11"),
    ("admin", "disbursement request --case c_1 --amount 20 --use drugs --payee-class pharmacy --on 2026-03-12"),
    ("wang", "disbursement reject 21 --reason papers_missing --on 2026-03-12"),
    ("admin", "disbursement acknowledge 18 --code nonsense"),
    ("admin", "disbursement return 18 --amount 50 --on 2026-03-20"),
    ("admin", "reverse 15 --on 2026-03-21"),
    ("admin", "disbursement list"),
    ("admin", "account list"),
    ("admin", "fund list"),
    ("admin", "case list"),
    ("admin", "campaign end k_1 --on 2026-05-01"),
    ("admin", "campaign list"),
    ("admin", "trace 7"),
    ("admin", "trace 7 --at 12"),
    ("admin", "trace 18"),
    ("admin", "trace 21"),
    ("admin", "trace 0"),
    ("admin", "trace 7 --at 99"),
    ("admin", "trace --order-no A-1 --amount 500"),
    ("admin", "trace --order-no A-1 --amount 501"),
    ("admin", "trace --code nonsense"),
    ("admin", "donation code 0"),
    ("admin", "user add Li --role payer --id li"),
    ("admin", "user add Li --role payer"),
    ("wang", "user role li payer --remove"),
    ("admin", "user role li clerk"),
    ("admin", "user list"),
    ("admin", "case decline c_1"),
    ("admin", "report case c_1 --out OUT"),
    ("admin", "report case none"),
    ("admin", "fund open --id list --type unrestricted --name-zh 名单 --name-en List"),
    ("admin", "import OUT/list.csv --mapping OUT/list.toml --fund list --dry-run"),
    ("admin", "import OUT/list.csv --mapping OUT/list.toml --fund list"),
    ("admin", "import OUT/list.csv --mapping OUT/list.toml --fund list"),
    ("admin", "import OUT/list.csv --fund list"),
    ("admin", "import OUT/list.csv --fund none"),
    ("wang", "import OUT/list.csv --mapping OUT/list.toml --fund list"),
    ("admin", "entry list"),
];

/// The random id of the first user.
fn admin(books: &Books) -> String {
    books.does("user list")["users"][0]["user"].as_str().expect("an id").to_owned()
}

fn told(output: &Output, out: &str, admin: &str) -> (Option<i32>, String, String) {
    // Codes are random; everything else is the same to the letter.
    let is_code = |word: &str| word.len() == 34 && word.split('-').all(|group| group.len() == 4);
    let hidden = |line: &str| -> String {
        line.split_inclusive(['：', ' ', '\n']).map(|word| if is_code(word.trim()) { "CODE\n" } else { word }).collect()
    };
    let text = |bytes: &[u8]| hidden(&String::from_utf8_lossy(bytes).replace(out, "OUT").replace(admin, "ADMIN"));
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Entries without what differs by nature: moments, random salts, and what is hashed from them.
fn entries(books: &Books) -> Vec<Json> {
    let admin = admin(books);
    let folder = books.path.join("export");
    books.json(&["export", folder.to_str().expect("UTF-8")]);
    let text = std::fs::read_to_string(folder.join("entries.jsonl")).expect("the log").replace(&admin, "ADMIN");
    let mut entries: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for entry in &mut entries {
        for member in ["at", "prev"] {
            entry[member] = Json::Null;
        }
        for member in ["donor", "vkey", "file", "pdf_zh", "pdf_en", "data", "terms"] {
            entry["body"].as_object_mut().expect("an object").remove(member);
        }
    }
    entries
}

#[test]
fn a_server_answers_as_the_folder_does() {
    let here = Books::opened();
    let there = Books::opened();
    let token = |user: &str| there.does(&format!("user token {user}"))["token"].as_str().expect("a token").to_owned();
    let tokens = [("admin", token("admin")), ("wang", token("wang"))];
    let admins = [admin(&here), admin(&there)];
    let site = Served::of(there);
    let outs =
        [here.path.join("out"), site.books.path.join("out")].map(|path| path.to_str().expect("UTF-8").to_owned());
    for out in &outs {
        std::fs::create_dir_all(out).expect("a folder");
        let write =
            |name: &str, text: &str| std::fs::write(std::path::Path::new(out).join(name), text).expect("written");
        write("list.csv", STATEMENT);
        write("list.toml", MAPPING);
    }
    for lang in ["en", "zh"] {
        for (user, line) in STORY {
            let by_folder = line.replace("OUT", &outs[0]);
            let arguments: Vec<&str> = by_folder.split(' ').chain(["--lang", lang]).collect();
            let local =
                here.run(&[&arguments[..], &["--as", if *user == "admin" { "admin" } else { "wang" }]].concat());
            let token = tokens.iter().find(|(name, _)| name == user).map(|(_, token)| token.as_str()).expect("known");
            let by_server = line.replace("OUT", &outs[1]);
            let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
            command.args(by_server.split(' ')).args(["--lang", lang, "--server", &site.address, "--token", token]);
            let remote = command.output().expect("the program runs");
            assert_eq!(told(&remote, &outs[1], &admins[1]), told(&local, &outs[0], &admins[0]), "{line}");
        }
    }
    for path in std::fs::read_dir(&outs[0]).expect("reports").map(|file| file.expect("a file").path()) {
        let other = std::path::Path::new(&outs[1]).join(path.file_name().expect("a name"));
        let (ours, theirs) = (std::fs::read(&path).expect("read"), std::fs::read(&other).expect("the same files"));
        // A report names its checkpoint, which differs.
        assert!(ours == theirs || path.to_string_lossy().contains("CASE-"), "{}", path.display());
    }
    let there = site.stop();
    let (ours, theirs) = (entries(&here), entries(&there));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
    assert_eq!(there.does("verify")["ok"], true);
}

#[test]
fn a_server_that_is_not_there_is_told_as_such() {
    let books = Books::opened();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mingzhang"))
            .args(arguments)
            .env("LANG", "en")
            .output()
            .expect("the program runs")
    };
    let away = run(&["fund", "list", "--server", "127.0.0.1:1"]);
    assert_eq!(away.status.code(), Some(4), "{}", String::from_utf8_lossy(&away.stderr));
    let only_here = run(&["verify", "--server", "127.0.0.1:1"]);
    assert_eq!(only_here.status.code(), Some(5));
    let site = Served::of(books);
    let wrong = run(&["user", "list", "--server", &site.address, "--token", "mz-nonsense"]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("A valid token is needed"));
}
