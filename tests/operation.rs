//! What those who run it need: settings from flags, environment and file, and figures to watch.

use crate::books::Books;
use crate::served::Served;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::process::Command;

/// Settings as `config show` tells them, with a file and variables.
fn shown(books: &Books, file: &str, variables: &[(&str, &str)], flags: &[&str]) -> BTreeMap<String, (String, String)> {
    let path = books.path.join("settings.toml");
    std::fs::write(&path, file).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
    command.args(["config", "show", "--json", "--config"]).arg(&path).args(flags).env("LANG", "en");
    for name in ["DATABASE_URL", "MINGZHANG_DATA", "MINGZHANG_LISTEN"] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Json = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let text = |row: &Json, member: &str| row[member].as_str().unwrap_or("–").to_owned();
    let rows = told["settings"].as_array().expect("a list");
    rows.iter().map(|row| (text(row, "setting"), (text(row, "value"), text(row, "from")))).collect()
}

#[test]
fn flags_come_before_the_environment_and_the_environment_before_the_file() {
    let books = Books::in_folder();
    let file =
        "data = 'from-file'\ndatabase = 'postgres://me:secret@db.example/books'\n[serve]\nlisten = '127.0.0.1:9001'\n";
    let path = books.path.join("settings.toml").display().to_string();
    let all = shown(&books, file, &[("MINGZHANG_LISTEN", "127.0.0.1:9002")], &["--data", "from-flag"]);
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(all["data"], pair("from-flag", "--data"));
    assert_eq!(all["serve.listen"], pair("127.0.0.1:9002", "$MINGZHANG_LISTEN"));
    assert_eq!(all["database"], pair("postgres://db.example:5432/books", &path), "no password is shown");
    assert_eq!(shown(&books, file, &[], &[])["data"], pair("from-file", &path));
    assert_eq!(shown(&books, "", &[], &[])["serve.listen"], pair("127.0.0.1:8080", "built in"));
}

#[test]
fn a_setting_that_is_none_is_named() {
    let books = Books::in_folder();
    let path = books.path.join("settings.toml");
    for (file, words) in
        [("dta = 'x'\n", "`dta` is no setting"), ("data = 3\n", "`data` must be text"), ("data = \n", "line 1")]
    {
        std::fs::write(&path, file).expect("written");
        let path = path.to_str().expect("UTF-8");
        books.refused(&["config", "show", "--config", path], 5, words);
        books.refused(&["config", "show", "--config", "nowhere.toml"], 5, "nowhere.toml");
    }
}

#[test]
fn a_value_from_elsewhere_is_refused_by_where_it_comes_from() {
    let books = Books::in_folder();
    let path = books.path.join("settings.toml");
    std::fs::write(&path, "database = 'mysql://x'\n").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
    command.args(["fund", "list", "--config"]).arg(&path).env("LANG", "en").env_remove("DATABASE_URL");
    let told = |command: &mut Command| {
        let output = command.output().expect("the program runs");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let by_file = told(&mut command);
    assert!(by_file.contains("settings.toml (database)"), "{by_file}");
    let by_environment = told(command.env("DATABASE_URL", "mysql://y"));
    assert!(by_environment.contains("comes from $DATABASE_URL"), "{by_environment}");
}

#[test]
fn a_value_that_the_command_would_refuse_is_marked() {
    let books = Books::in_folder();
    let all = shown(&books, "[serve]\nmetrics = 'here'\nbehind_proxy = 'perhaps'\nlisten = '127.0.0.1:1'\n", &[], &[]);
    assert!(all["serve.metrics"].0.starts_with("here (no address"), "{all:?}");
    assert!(all["serve.behind_proxy"].0.starts_with("perhaps (give"), "{all:?}");
    assert_eq!(all["serve.listen"].0, "127.0.0.1:1");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let Some(books) = Books::on_server() else { return };
    // Empty: there is nothing to read, and reading makes nothing.
    books.refused(&["fund", "list"], 4, "there is no ledger");
    books.refused(&["verify"], 4, "there is no ledger");
    let database = books.database().expect("it has one");
    database.execute("create table theirs (n int)");
    let init = ["init", "--origin", "test.example/books", "--name-zh", "测试", "--name-en", "Test"];
    for arguments in [&init[..], &["fund", "list"], &["verify"]] {
        books.refused(arguments, 4, "none of this program");
    }
    // Not even where it was made with the same tool.
    database.execute(
        "create table _sqlx_migrations (version bigint primary key, description text not null,
         installed_on timestamptz not null default now(), success boolean not null, checksum bytea not null,
         execution_time bigint not null);
         insert into _sqlx_migrations values (1, 'theirs', now(), true, 'x', 1)",
    );
    books.refused(&init, 4, "none of this program");
    database.execute("drop table theirs, _sqlx_migrations");
    assert_eq!(books.open().does("verify")["ok"], true);
}

#[test]
fn commands_take_what_the_file_says() {
    let books = Books::in_folder().open();
    let path = books.path.join("settings.toml");
    std::fs::write(&path, format!("data = '{}'\nlang = 'zh'\n", books.data().display())).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
    command.args(["user", "list", "--config"]).arg(&path).env("LANG", "en").env_remove("DATABASE_URL");
    let output = command.output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("Wang") && text.contains("角色"), "{text}");
}

#[test]
fn settings_do_not_stand_in_the_way_of_a_server() {
    let books = Books::in_folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
    command.args(["fund", "list", "--server", "127.0.0.1:1"]).env("LANG", "en").env("MINGZHANG_DATA", books.data());
    let output = command.env("MINGZHANG_LEDGER", "books").output().expect("the program runs");
    // It was asked, and is not there.
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    books.refused(&["fund", "list", "--server", "127.0.0.1:1"], 2, "--data");
}

#[test]
fn figures_are_told_to_those_who_watch() {
    let books = Books::opened();
    books.does("fund open --id general --type unrestricted --name-zh 日常 --name-en General");
    books.does("account open wallet/a --fund general");
    let token = books.does("user token admin")["token"].as_str().expect("a token").to_owned();
    let site = Served::with(books, &["--metrics", "127.0.0.1:0"]);
    let gift = |amount: i64| json!({"fund": "general", "amount": amount, "order_no": "M-1"});
    assert_eq!(site.post(&token, "/api/v1/donations", &gift(100)).status, 201);
    assert_eq!(site.post(&token, "/api/v1/donations", &gift(100)).status, 409);
    site.send("FOO", "/made-up", &[], "");
    let told = site.metrics();
    for line in [
        "mingzhang_database_up 1",
        "mingzhang_writer_up 1",
        "mingzhang_queue_depth 0",
        "mingzhang_queue_max 4096",
        "mingzhang_ledger_entries 4",
        "mingzhang_batch_entries_count 1",
        "mingzhang_commit_seconds_count 1",
        "mingzhang_refused_total{code=\"reference_repeated\"} 1",
        "mingzhang_request_seconds_count{method=\"POST\",route=\"/api/v1/donations\",status=\"201\"} 1",
        "mingzhang_request_seconds_count{method=\"-\",route=\"-\",status=\"404\"} 1",
    ] {
        assert!(told.lines().any(|found| found == line), "{line}\n{told}");
    }
    assert_eq!(site.get("/metrics").status, 404, "not on the address of the pages");
}

#[test]
fn a_password_in_a_url_that_is_wrong_is_not_told() {
    let books = Books::in_folder();
    std::fs::create_dir_all(&books.path).expect("made");
    let file = books.path.join("mingzhang.toml");
    for (name, text) in [
        ("DATABASE_URL", "postgres://u:geheim@h:99999/db"),
        ("DATABASE_URL", "mysql://u:geheim@h/db"),
        ("MINGZHANG_REPLICA", "x://u:geheim@h"),
        ("TOML", "database = \"postgres:/u:geheim@h/db\"\n"),
        ("TOML", "database = postgres://u:geheim@h/db\n"),
    ] {
        for language in ["en", "zh_CN.UTF-8"] {
            for arguments in [&["config", "show"][..], &["verify"], &["copy", "--to", "postgresq://u:geheim@h/db"]] {
                let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
                command
                    .args(arguments)
                    .arg("--data")
                    .arg(books.data())
                    .env("LANG", language)
                    .env_remove("DATABASE_URL");
                if name == "TOML" {
                    std::fs::write(&file, text).expect("written");
                    command.env("MINGZHANG_CONFIG", &file);
                } else {
                    command.env(name, text);
                }
                let output = command.output().expect("it runs");
                let told = [output.stdout, output.stderr].concat();
                let told = String::from_utf8_lossy(&told);
                assert!(!told.contains("geheim"), "{name}={text} {arguments:?}: {told}");
            }
        }
    }
}
