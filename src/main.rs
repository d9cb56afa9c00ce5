//! The `mingzhang` program: arguments in, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    mingzhang::cli::run(std::env::args_os())
}
