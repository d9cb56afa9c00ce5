//! The README is right: its tour runs, line by line, and says what the program says; every subcommand stands in it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Step {
    command: String,
    expected: Vec<String>,
}

/// The commands of all ```console blocks, each with the lines that follow it.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), expected: Vec::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            step.expected.push(line.to_owned());
        }
    }
    steps
}

/// Whether a line is as expected; `…` stands for anything.
fn is_like(line: &str, expected: &str) -> bool {
    let mut rest = line;
    for (place, part) in expected.split('…').enumerate() {
        match rest.find(part) {
            Some(found) if place > 0 || found == 0 => rest = &rest[found + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || expected.ends_with('…')
}

/// Whether what was said is as expected; a line of `…` alone stands for any lines.
fn says(told: &[&str], expected: &[String]) -> bool {
    match (expected.split_first(), told.split_first()) {
        (None, _) => told.is_empty(),
        (Some((first, rest)), _) if first == "…" => (0..=told.len()).any(|skipped| says(&told[skipped..], rest)),
        (Some((first, rest)), Some((line, others))) => is_like(line.trim_end(), first) && says(others, rest),
        (Some(_), None) => false,
    }
}

/// The server of the tour, at a free port.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mingzhang"));
        let command = command.args(["serve", "--json", "--listen", "127.0.0.1:0"]).current_dir(folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        let address = line.split('"').find(|part| part.starts_with("127.")).expect("an address").to_owned();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("the samples") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
}

#[test]
fn the_tour_runs_and_says_what_the_readme_says() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(manifest.join("README.md")).expect("the README");
    let folder = std::env::temp_dir().join(format!("mingzhang-readme-{}", std::process::id()));
    copy(&manifest.join("docs/samples"), &folder.join("docs/samples"));
    let steps = steps(&readme);
    assert!(steps.len() > 15, "the tour is there");
    let (mut token, mut server) = (String::new(), None);
    for step in &steps {
        if step.command.starts_with("alias ") {
            continue;
        }
        if step.command == "mingzhang serve &" {
            server = Some(Server::start(&folder));
            continue;
        }
        if step.command.starts_with("curl ") && !has_curl() {
            eprintln!("curl is not here: “{}” was not run", step.command);
            continue;
        }
        let address = server.as_ref().map_or("", |server| server.address.as_str());
        let script = format!(
            "mingzhang() {{ '{}' \"$@\"; }}\n{} 2>&1",
            env!("CARGO_BIN_EXE_mingzhang"),
            step.command.replace("127.0.0.1:8080", address)
        );
        let mut command = Command::new("bash");
        let command =
            command.args(["-c", &script]).current_dir(&folder).env("LANG", "en_US.UTF-8").env("TOKEN", &token);
        let output = command.output().expect("bash runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let told: Vec<&str> = text.lines().collect();
        assert!(output.status.success(), "{}\n{text}", step.command);
        assert!(says(&told, &step.expected), "$ {}\n{text}", step.command);
        if step.command.starts_with("mingzhang user token ") {
            token = text.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        }
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn every_subcommand_stands_in_the_readme() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let help = |path: &[&str]| -> Vec<String> {
        let output = Command::new(env!("CARGO_BIN_EXE_mingzhang")).args(path).arg("--help").output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .filter(|name| name != "help")
            .collect()
    };
    let words: Vec<&str> = readme.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let all = help(&[]);
    assert!(all.len() > 10);
    for command in all {
        assert!(words.contains(&command.as_str()), "{command} is not in the README");
        for below in help(&[&command]) {
            assert!(words.contains(&below.as_str()), "{command} {below} is not in the README");
        }
    }
}
