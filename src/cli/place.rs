//! URLs of databases on the command line and in the environment. They may hold a password, so one that is wrong is not repeated.

use crate::store::Place;
use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use std::ffi::OsStr;

#[derive(Clone)]
struct Parser;

/// Reads the URL of a database.
pub(super) fn parser() -> impl TypedValueParser<Value = Place> {
    Parser
}

impl TypedValueParser for Parser {
    type Value = Place;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Place, Error> {
        let refused = || {
            let mut error = Error::new(ErrorKind::ValueValidation).with_cmd(command);
            let argument = argument.map(ToString::to_string).unwrap_or_default();
            error.insert(ContextKind::InvalidArg, ContextValue::String(argument));
            error.insert(ContextKind::InvalidValue, ContextValue::String("…".into()));
            let advice = "write it as postgres://user:password@host:port/name".to_owned();
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
            error
        };
        value.to_str().and_then(|url| url.parse().ok()).ok_or_else(refused)
    }
}
