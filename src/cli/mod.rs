//! The command line: one file per subcommand, one way to speak.
//!
//! Exit codes: 0 done · 1 `verify` found a bad entry · 2 the command line is wrong · 3 refused by a rule, nothing was posted ·
//! 4 the database or a file failed · 5 what was given cannot be used.

mod account;
mod bench;
mod campaign;
mod case;
mod channel;
mod config;
mod demo;
mod disbursement;
mod donation;
mod fund;
mod help_zh;
mod import;
mod init;
mod keep;
mod key;
mod monitor;
mod out;
mod place;
mod report;
mod reverse;
mod serve;
mod service;
mod session;
mod subscription;
mod trace;
mod trouble_zh;
mod user;
mod verify;
mod witness;

use crate::app::folder::Folder;
use crate::app::writer::ClockTrust;
use crate::clock::Clock;
use crate::config::Lang;
use crate::config::{BadSettings, KEYS, Key, Settings};
use crate::entropy::Entropy;
use crate::store::Place;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use out::{Out, complain};
use session::{Failure, Session};
use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::sync::Mutex;

/// The data folder where none is named.
const DATA: &str = "mingzhang-data";

/// Mingzhang 明账: a charity's ledger in which every fen has an address.
#[derive(Debug, Parser)]
#[command(
    name = "mingzhang",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 verify found a bad entry, 2 wrong command line, 3 refused by a rule (nothing was posted), 4 database or file trouble, 5 unusable input."
)]
struct Args {
    /// Data folder
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "DIR", default_value = DATA)]
    data: PathBuf,
    /// PostgreSQL database, for several nodes; keys and files stay in the data folder
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "URL", value_parser = place::parser())]
    database: Option<Place>,
    /// Which ledger, where the folder holds several
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "SLUG")]
    ledger: Option<String>,
    /// Act as this user (id or name) instead of the first one
    #[arg(long = "as", global = true, help_heading = "Everywhere", value_name = "USER")]
    acting: Option<String>,
    /// Answer with one JSON object
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// Language of sentences; by default that of the environment
    #[arg(long, global = true, help_heading = "Everywhere", value_enum)]
    lang: Option<Lang>,
    /// File of settings; mingzhang.toml here where not given
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Idempotency key: the same command with the same key is posted once
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "KEY")]
    key: Option<String>,
    /// Post although the clock looks wrong
    #[arg(long, global = true, help_heading = "Everywhere")]
    accept_clock: bool,
    /// Have the command carried out by this server instead of on a data folder
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "URL", conflicts_with_all = ["data", "ledger", "acting"])]
    server: Option<String>,
    /// Token for the server
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        value_name = "TOKEN",
        env = "MINGZHANG_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Open a new ledger with its keys and its first user
    Init(init::Init),
    /// Users and their roles
    #[command(subcommand)]
    User(user::User),
    /// Bank accounts, wallets, cash boxes
    #[command(subcommand)]
    Account(account::Account),
    /// Funds, and money moved between them
    #[command(subcommand)]
    Fund(fund::Fund),
    /// Public appeals
    #[command(subcommand)]
    Campaign(campaign::Campaign),
    /// Cases of aid
    #[command(subcommand)]
    Case(case::Case),
    /// Gifts
    #[command(subcommand)]
    Donation(donation::Donation),
    /// Payments for a case
    #[command(subcommand)]
    Disbursement(disbursement::Disbursement),
    /// Take back a whole entry by a new one
    Reverse(reverse::Reverse),
    /// Import a statement of gifts (CSV, CSV in gzip, XLSX)
    Import(import::ImportArgs),
    /// Where a gift went, or whose gifts a payment used
    Trace(trace::Trace),
    /// Transparency reports as PDF, in Chinese and in English
    #[command(subcommand)]
    Report(report::Report),
    /// Check every entry, and everything derived from them: of the data folder, or of what anybody can have
    Verify(verify::Verify),
    Witness(witness::Witness),
    Monitor(monitor::Monitor),
    /// Replay all entries and write everything derived from them anew
    Rebuild(verify::Rebuild),
    /// Write the log as plain files that anybody can verify
    Export(verify::Export),
    /// Copy the ledger to another data folder or database, entry by entry, each verified; run again, it goes on where it stopped
    Copy(keep::Copy),
    /// Back the ledger up while it is in use: one file without the keys of persons, and those in a file of their own
    Backup(keep::Backup),
    /// Restore a backup into an empty data folder that holds the ledger's keys, and hold it against the last known checkpoint
    Restore(keep::Restore),
    /// Payment channels that post gifts by signed messages
    #[command(subcommand)]
    Channel(channel::Channel),
    /// Programs that are told of new entries by signed messages
    #[command(subcommand)]
    Subscription(subscription::Subscription),
    /// The keys that sign the log, and how one takes the place of another
    #[command(subcommand)]
    Key(key::Key),
    /// Settings: flags before the environment before the file
    #[command(subcommand)]
    Config(config::Config),
    /// Serve the ledger over HTTP: pages for donors, an interface for programs
    Serve(serve::Serve),
    /// A worked example from nothing: gifts, a case under four eyes, reports, a trace
    Demo(demo::Demo),
    /// Measure this program against ceilings of this machine
    Bench(bench::Bench),
}

/// Runs one command line and gives its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let settings = Settings::read(said(&args, "--config").map(PathBuf::from));
    let lang = lang_of(&args, settings.as_ref().ok()).unwrap_or_else(crate::config::lang_of_environment);
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return unusable(&error, lang, args.iter().any(|arg| arg == "--json")),
    };
    let (args, flags) = match parse(&args, lang, &settings) {
        Ok(parsed) => parsed,
        Err(error) => {
            let code = told(&error, lang, args.iter().any(|arg| arg == "--json"));
            if let Some(origin) = origin_of(&error, &args, &settings) {
                let out = Out { json: false, lang };
                complain(&out.pick(format!("这个值来自 {origin}。"), format!("This value comes from {origin}")));
            }
            return code;
        }
    };
    let session = Session {
        out: Out { json: args.json, lang },
        folder: match args.database {
            None => Folder::new(&args.data),
            Some(place) => Folder::new(&args.data).with_database(place),
        },
        ledger: args.ledger,
        acting: args.acting,
        key: args.key,
        trust: if args.accept_clock { ClockTrust::Accepted } else { ClockTrust::Checked },
        clock: Clock::new(),
        entropy: RefCell::new(Entropy::new()),
        server: args.server.map(|server| (server, args.token.unwrap_or_default())),
        service: Mutex::default(),
        settings,
        flags,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("this program could not start: {error}"));
            return ExitCode::from(4);
        }
    };
    match runtime.block_on(dispatch(&session, args.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.text(lang);
            if session.out.json && !matches!(failure, Failure::NotOk) {
                session.out.object(&failure.object(lang));
            }
            if !text.is_empty() {
                complain(&text);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Where a value comes from that cannot be used and does not stand on the command line.
fn origin_of(error: &clap::Error, args: &[OsString], settings: &Settings) -> Option<String> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = argument.split_whitespace().next()?;
    let key =
        KEYS.into_iter().find(|key| flag.strip_prefix("--").is_some_and(|name| name.replace('-', "_") == key.name))?;
    if said(args, flag).is_some() {
        return None;
    }
    let of_environment = key.of_environment().map(|_| format!("${}", key.variable));
    let of_file = || Some(format!("{} ({})", settings.path.as_ref()?.display(), key.path()));
    of_environment.or_else(of_file)
}

/// The language asked for, found before the arguments are understood, so that a mistake in them is told in it.
fn lang_of(args: &[OsString], settings: Option<&Settings>) -> Option<Lang> {
    let key = KEYS.into_iter().find(|key| key.name == "lang")?;
    let told = said(args, "--lang").map(str::to_owned).or_else(|| key.of_environment());
    let told = told.or_else(|| settings?.get(key).map(str::to_owned))?;
    <Lang as clap::ValueEnum>::from_str(&told, false).ok()
}

/// The value of a flag, before the arguments are understood.
fn said<'a>(args: &'a [OsString], flag: &str) -> Option<&'a str> {
    let texts: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let apart = texts.windows(2).rev().find(|pair| pair[0] == flag).map(|pair| pair[1]);
    let with_equals = || texts.iter().rev().find_map(|text| text.strip_prefix(flag)?.strip_prefix('='));
    apart.or_else(with_equals)
}

/// The file of settings cannot be used.
fn unusable(error: &BadSettings, lang: Lang, json: bool) -> ExitCode {
    let out = Out { json, lang };
    let zh = match error {
        BadSettings::File { path, source } => trouble_zh::file(path, source),
        BadSettings::Toml { path, line, what } => {
            format!("{} 第 {line} 行不是合格的 TOML：{what}", path.display())
        }
        BadSettings::Member { path, member } => {
            let names: Vec<String> = KEYS.iter().map(crate::config::Key::path).collect();
            format!("{}：没有“{member}”这项设置，可用：{}。", path.display(), names.join("、"))
        }
        BadSettings::Form { path, member } => {
            format!("{}：“{member}”要写成带引号的文字，或 true、false。", path.display())
        }
    };
    let text = out.pick(zh, error.to_string());
    out.object(&serde_json::json!({"error": {"code": "input", "path": "", "text": text}}));
    complain(&text);
    ExitCode::from(5)
}

/// Settings on the command line: name and value.
type Flags = Vec<(&'static str, String)>;

/// The arguments, and of the settings those that stand among them.
fn parse(args: &[OsString], lang: Lang, settings: &Settings) -> Result<(Args, Flags), clap::Error> {
    let command = with_settings(negative_numbers(Args::command()), settings);
    let command = match lang {
        Lang::Zh => help_zh::translate(command),
        Lang::En => command,
    };
    let matches = command.try_get_matches_from(args)?;
    let by_flag = |key: &Key| {
        let is_flag = key.command.is_empty() && matches.value_source(key.name) == Some(ValueSource::CommandLine);
        let value = is_flag.then(|| matches.get_raw(key.name)).flatten()?.next_back()?;
        Some((key.name, value.to_string_lossy().into_owned()))
    };
    Ok((Args::from_arg_matches(&matches)?, KEYS.iter().filter_map(by_flag).collect()))
}

/// What the environment says holds where no flag says otherwise, and what the file says where neither does. Neither is a flag: with
/// `--server` they are passed over. What they say may hold a password, so help does not show it.
fn with_settings(command: clap::Command, settings: &Settings) -> clap::Command {
    KEYS.iter().fold(command, |command, key| {
        let said = key.of_environment().or_else(|| settings.get(*key).map(str::to_owned));
        let Some(said) = said else { return command };
        // Once in the life of the process: clap keeps what it is given for as long.
        let said: &'static str = said.leak();
        let set = |arg: clap::Arg| arg.default_value(said).hide_default_value(true);
        if key.command.is_empty() {
            command.mut_arg(key.name, set)
        } else {
            command.mut_subcommand(key.command, |command| command.mut_arg(key.name, set))
        }
    })
}

/// `--amount -5` is a wrong amount, not an unknown option.
fn negative_numbers(command: clap::Command) -> clap::Command {
    let argument =
        |arg: clap::Arg| if arg.get_action().takes_values() { arg.allow_negative_numbers(true) } else { arg };
    command.mut_args(argument).mut_subcommands(negative_numbers)
}

/// Prints help, or what is wrong with the command line.
fn told(error: &clap::Error, lang: Lang, json: bool) -> ExitCode {
    let is_mistake = error.use_stderr();
    let shows_help = error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let out = Out { json, lang };
    match lang {
        // Help and version are no mistake; clap prints them where they belong.
        Lang::En => drop(error.print()),
        Lang::Zh if is_mistake && !shows_help => complain(&help_zh::mistake(error)),
        Lang::Zh if is_mistake => complain(help_zh::help(&error.render().to_string()).trim_end()),
        Lang::Zh => out.text(help_zh::help(&error.render().to_string()).trim_end()),
    }
    if !is_mistake {
        return ExitCode::SUCCESS;
    }
    let text = match lang {
        Lang::Zh if !shows_help => help_zh::mistake(error),
        Lang::Zh | Lang::En => error.kind().to_string(),
    };
    out.object(&serde_json::json!({"error": {"code": "command_line", "path": "", "text": text}}));
    ExitCode::from(2)
}

async fn dispatch(session: &Session, command: Subcommands) -> Result<(), Failure> {
    let only_here = match &command {
        Subcommands::Init(_) => Some("init"),
        Subcommands::Verify(_) => Some("verify"),
        Subcommands::Witness(_) => Some("witness"),
        Subcommands::Monitor(_) => Some("monitor"),
        Subcommands::Rebuild(_) => Some("rebuild"),
        Subcommands::Export(_) => Some("export"),
        Subcommands::Copy(_) => Some("copy"),
        Subcommands::Backup(_) => Some("backup"),
        Subcommands::Restore(_) => Some("restore"),
        Subcommands::Serve(_) => Some("serve"),
        Subcommands::Config(_) => Some("config"),
        Subcommands::Demo(_) => Some("demo"),
        Subcommands::Bench(_) => Some("bench"),
        Subcommands::User(_)
        | Subcommands::Account(_)
        | Subcommands::Fund(_)
        | Subcommands::Campaign(_)
        | Subcommands::Case(_)
        | Subcommands::Donation(_)
        | Subcommands::Disbursement(_)
        | Subcommands::Reverse(_)
        | Subcommands::Import(_)
        | Subcommands::Trace(_)
        | Subcommands::Channel(_)
        | Subcommands::Subscription(_)
        | Subcommands::Key(_)
        | Subcommands::Report(_) => None,
    };
    only_here.map_or(Ok(()), |command| session.only_here(command))?;
    let done = carry_out(session, command).await;
    session.end().await;
    done
}

async fn carry_out(session: &Session, command: Subcommands) -> Result<(), Failure> {
    match command {
        Subcommands::Init(args) => args.run(session).await,
        Subcommands::User(args) => args.run(session).await,
        Subcommands::Account(args) => args.run(session).await,
        Subcommands::Fund(args) => args.run(session).await,
        Subcommands::Campaign(args) => args.run(session).await,
        Subcommands::Case(args) => args.run(session).await,
        Subcommands::Donation(args) => args.run(session).await,
        Subcommands::Disbursement(args) => args.run(session).await,
        Subcommands::Reverse(args) => args.run(session).await,
        Subcommands::Import(args) => args.run(session).await,
        Subcommands::Trace(args) => args.run(session).await,
        Subcommands::Report(args) => args.run(session).await,
        Subcommands::Verify(args) => args.run(session).await,
        Subcommands::Witness(args) => args.run(session).await,
        Subcommands::Monitor(args) => args.run(session).await,
        Subcommands::Rebuild(args) => args.run(session).await,
        Subcommands::Export(args) => args.run(session).await,
        Subcommands::Copy(args) => args.run(session).await,
        Subcommands::Backup(args) => args.run(session).await,
        Subcommands::Restore(args) => args.run(session).await,
        Subcommands::Channel(args) => args.run(session).await,
        Subcommands::Subscription(args) => args.run(session).await,
        Subcommands::Key(args) => args.run(session).await,
        Subcommands::Serve(args) => args.run(session).await,
        Subcommands::Config(args) => args.run(session),
        Subcommands::Demo(args) => args.run(session).await,
        Subcommands::Bench(args) => args.run(session).await,
    }
}
