//! Outside truth: a checker in Python, written from docs/format.md alone, reads what the program exports.

use std::process::{Command, Stdio};

#[test]
fn an_export_verifies_with_the_independent_checker() {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("python3 is not on this machine: this test did not run");
        return;
    }
    let folder = std::env::temp_dir().join(format!("mingzhang-checker-{}", std::process::id()));
    let (data, export) = (folder.join("data"), folder.join("export"));
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mingzhang")).args(arguments).arg("--data").arg(&data).output();
        let output = output.expect("the program runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let check = || {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/checker/check.py");
        let output = Command::new("python3").arg(script).arg(&export).output().expect("python3 runs");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (output.status.code(), told)
    };
    run(&["demo", "--no-serve", "--dir", data.to_str().expect("UTF-8")]);
    run(&["export", export.to_str().expect("UTF-8")]);
    let (code, told) = check();
    assert_eq!((code, &told["ok"]), (Some(0), &true.into()), "{told}");
    assert_eq!(told["lines"]["f_3k9w/CNY"]["spent"], 13_200_000);
    assert_eq!(told["lines"]["children_leukaemia_relief/CNY"]["free"], 2_181_440);

    let path = export.join("entries.jsonl");
    let entries = std::fs::read_to_string(&path).expect("an export");
    std::fs::write(&path, entries.replacen("\"source\":\"platform\"", "\"source\":\"members!\"", 1)).expect("writable");
    let (code, told) = check();
    assert_eq!((code, &told["ok"]), (Some(1), &false.into()), "{told}");
    std::fs::remove_dir_all(&folder).expect("removable");
}
