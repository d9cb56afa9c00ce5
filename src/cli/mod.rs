//! The command line: one file per subcommand, one way to speak.
//!
//! Exit codes: 0 done · 1 `verify` found a bad entry · 2 the command line is wrong · 3 refused by a rule, nothing was posted ·
//! 4 the database or a file failed · 5 what was given cannot be used.

mod account;
mod bench;
mod campaign;
mod case;
mod demo;
mod disbursement;
mod donation;
mod fund;
mod import;
mod init;
mod out;
mod report;
mod reverse;
mod session;
mod trace;
mod trouble_zh;
mod user;
mod verify;

use crate::app::folder::Folder;
use crate::app::writer::ClockTrust;
use crate::clock::Clock;
use crate::config::Lang;
use crate::entropy::Entropy;
use clap::{Parser, Subcommand};
use out::{Out, complain};
use session::{Failure, Session};
use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

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
    #[arg(long, global = true, value_name = "DIR", default_value = "mingzhang-data")]
    data: PathBuf,
    /// Which ledger, where the folder holds several
    #[arg(long, global = true, value_name = "SLUG")]
    ledger: Option<String>,
    /// Act as this user (id or name) instead of the first one
    #[arg(long = "as", global = true, value_name = "USER")]
    acting: Option<String>,
    /// Answer with one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// Language of sentences; by default that of the environment
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    /// Idempotency key: the same command with the same key is posted once
    #[arg(long, global = true, value_name = "KEY")]
    key: Option<String>,
    /// Post although the clock looks wrong
    #[arg(long, global = true)]
    accept_clock: bool,
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
    /// Check every entry, and everything derived from them
    Verify(verify::Verify),
    /// Replay all entries and write everything derived from them anew
    Rebuild(verify::Rebuild),
    /// Write the log as plain files that anybody can verify
    Export(verify::Export),
    /// A worked example from nothing: gifts, a case under four eyes, reports, a trace
    Demo(demo::Demo),
    /// Measure this program against ceilings of this machine
    Bench(bench::Bench),
}

/// Runs one command line and gives its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no mistake; clap prints them where they belong.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let lang = args.lang.unwrap_or_else(crate::config::lang_of_environment);
    let session = Session {
        out: Out { json: args.json, lang },
        folder: Folder::new(&args.data),
        ledger: args.ledger,
        acting: args.acting,
        key: args.key,
        trust: if args.accept_clock { ClockTrust::Accepted } else { ClockTrust::Checked },
        clock: Clock::new(),
        entropy: RefCell::new(Entropy::new()),
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

async fn dispatch(session: &Session, command: Subcommands) -> Result<(), Failure> {
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
        Subcommands::Rebuild(args) => args.run(session).await,
        Subcommands::Export(args) => args.run(session).await,
        Subcommands::Demo(args) => args.run(session).await,
        Subcommands::Bench(args) => args.run(session).await,
    }
}
