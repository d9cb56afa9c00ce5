//! The only reader of settings from the environment.

/// The language of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

/// Chinese where the environment says so (`LC_ALL`, `LC_MESSAGES`, `LANG` begin with `zh`), else English.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
pub fn lang_of_environment() -> Lang {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    if set.is_some_and(|text| text.to_ascii_lowercase().starts_with("zh")) { Lang::Zh } else { Lang::En }
}
