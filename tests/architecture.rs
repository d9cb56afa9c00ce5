//! One crate means that the compiler does not check the direction; this does: each module may use only what stands to its left in
//! ARCHITECTURE.md.

use std::path::{Path, PathBuf};

/// Modules in order; those of one row may not use each other.
const LEFT_TO_RIGHT: [&[&str]; 10] = [
    &["values"],
    &["rules", "ledger"],
    &["domain"],
    &["vault", "exchange", "report"],
    &["clock", "entropy", "config"],
    &["store"],
    &["app"],
    &["web"],
    &["cli"],
    &["main", "lib"],
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the source") {
        let path = entry.expect("a file of the source").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn row_of(module: &str) -> usize {
    LEFT_TO_RIGHT.iter().position(|row| row.contains(&module)).unwrap_or_else(|| panic!("{module} is not in the table"))
}

#[test]
fn modules_use_only_what_stands_to_their_left() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    assert!(found.len() > 80, "only {} files were found", found.len());
    for path in found {
        let relative = path.strip_prefix(&source).expect("inside the source");
        let module =
            relative.iter().next().and_then(|part| part.to_str()).expect("UTF-8").trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for rest in code.split("crate::").skip(1) {
            let used: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if used != module && LEFT_TO_RIGHT.iter().any(|row| row.contains(&used.as_str())) {
                assert!(
                    row_of(&used) < row_of(&module),
                    "{} uses {used}, which does not stand to its left",
                    relative.display()
                );
            }
        }
        let at_the_edges = ["cli", "exchange", "report", "web"].contains(&module.as_str());
        assert!(at_the_edges || !code.contains("serde_json"), "{} uses serde_json", relative.display());
    }
}

#[test]
fn every_statement_in_a_file_is_used() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut code = String::new();
    for file in ["tables.rs", "sqlite.rs", "postgres.rs", "ceiling.rs"] {
        code.push_str(&std::fs::read_to_string(store.join(file)).expect("readable"));
    }
    for folder in ["common", "sqlite", "postgres"] {
        for entry in std::fs::read_dir(store.join("sql").join(folder)).expect("a folder of statements") {
            let path = entry.expect("a statement").path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
            assert!(
                code.contains(&format!("\"{name}\"")) || code.contains(&format!("{name}.sql")),
                "{name}.sql is not used"
            );
        }
    }
}

/// The tables distribute by ledger: every statement asks for one ledger, but for those about the database itself.
#[test]
fn no_statement_crosses_ledgers() {
    const OF_THE_DATABASE: [&str; 12] = [
        "ledger_insert",
        "ledger_list",
        "strays_of_none",
        "migrations",
        "settle",
        "announce",
        "file",
        "identity",
        "is_empty",
        "lead",
        "turn_take",
        "turn_end",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql");
    let mut asked = 0;
    for name in ["common", "sqlite", "postgres"] {
        for entry in std::fs::read_dir(folder.join(name)).expect("a folder of statements") {
            let path = entry.expect("a statement").path();
            let stem = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
            if OF_THE_DATABASE.contains(&stem.as_str()) || stem.starts_with("ceiling_") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            let text = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
            let is_insert = text.starts_with("insert") && text.contains("ledger_id,");
            assert!(is_insert || text.contains("ledger_id = $1"), "{} asks for no ledger", path.display());
            // Where it joins tables, the others are joined by the ledger too.
            for join in text.split(" join ").skip(1) {
                let on = join.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(on.contains(".ledger_id = "), "{}: {on}", path.display());
            }
            asked += 1;
        }
    }
    assert!(asked > 40, "only {asked} statements were read");
}
