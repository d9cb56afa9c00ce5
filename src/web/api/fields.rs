//! The fields of a command, as JSON. Each is read once, here; every bad one is told, and none that is not known is passed over.

use crate::values::{Amount, Day, Unit};
use crate::web::problem::Problem;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt::Display;
use std::str::FromStr;

/// Fields that are being read.
#[derive(Debug)]
pub(super) struct Fields {
    left: RefCell<Map<String, Value>>,
    wrong: RefCell<Vec<(String, String, String)>>,
}

impl Fields {
    /// From a body of one JSON object.
    pub(super) fn of(body: &[u8]) -> Result<Self, Problem> {
        let bad = |zh: &str, en: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_json", zh, en);
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self { left: RefCell::new(map), wrong: RefCell::default() }),
            Ok(_) => Err(bad("请求体应为一个 JSON 对象。", "The body must be one JSON object")),
            Err(error) => Err(bad("请求体不是合格的 JSON。", &format!("The body is not JSON: {error}"))),
        }
    }

    fn take(&self, name: &str) -> Option<Value> {
        self.left.borrow_mut().remove(name).filter(|value| !value.is_null())
    }

    fn must_be_there(&self, name: &str) {
        let absent = !self.left.borrow().contains_key(name);
        if absent {
            self.wrong(name, "缺少这一项", "is missing");
        }
    }

    fn wrong(&self, name: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.wrong.borrow_mut().push((format!("/{name}"), zh.into(), en.into()));
    }

    /// A text that may be absent.
    pub(super) fn maybe_text(&self, name: &str, most: usize) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if (1..=most).contains(&text.chars().count()) => Some(text),
            Value::String(_) => {
                self.wrong(name, format!("要有 1 到 {most} 个字"), format!("1 to {most} characters"));
                None
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.wrong(name, "应为文字", "must be a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &str, most: usize) -> Option<String> {
        self.must_be_there(name);
        self.maybe_text(name, most)
    }

    /// A value of a type that reads itself from a text.
    pub(super) fn maybe<T: FromStr<Err: Display>>(&self, name: &str) -> Option<T> {
        let text = self.maybe_text(name, 200)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, format!("“{text}”不能用在这里"), error.to_string());
                None
            }
        }
    }

    /// The same, which must be there.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Option<T> {
        self.must_be_there(name);
        self.maybe(name)
    }

    /// A list of such values; empty where not given.
    pub(super) fn maybe_list<T: FromStr<Err: Display>>(&self, name: &str) -> Vec<T> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.wrong(name, "应为清单", "must be a list");
                return Vec::new();
            }
        };
        let mut read = Vec::new();
        for (place, item) in items.iter().enumerate() {
            match item.as_str().map(str::parse::<T>) {
                Some(Ok(value)) => read.push(value),
                Some(Err(error)) => {
                    let text = item.as_str().unwrap_or_default();
                    self.wrong(&format!("{name}/{place}"), format!("“{text}”不能用在这里"), error.to_string());
                }
                None => self.wrong(&format!("{name}/{place}"), "应为文字", "must be a text"),
            }
        }
        read
    }

    /// The same with at least one.
    pub(super) fn list<T: FromStr<Err: Display>>(&self, name: &str) -> Option<Vec<T>> {
        self.must_be_there(name);
        Some(self.maybe_list(name)).filter(|read| !read.is_empty())
    }

    /// A whole number from 0.
    pub(super) fn maybe_count(&self, name: &str) -> Option<u64> {
        match self.take(name)?.as_u64() {
            Some(count) => Some(count),
            None => {
                self.wrong(name, "应为从 0 起的整数", "must be a whole number from 0");
                None
            }
        }
    }

    /// Minor units, whole and not negative, in a unit.
    pub(super) fn maybe_amount(&self, name: &str, unit: Unit) -> Option<Amount> {
        let value = self.take(name)?;
        let amount = value.as_i64().and_then(|minor| Amount::new(minor, unit).ok());
        if amount.is_none() {
            self.wrong(
                name,
                "应为最小单位的整数，例如 50000 表示 500.00 元",
                "must be a whole number of minor units, as 50000 for 500.00",
            );
        }
        amount
    }

    /// The same, which must be there.
    pub(super) fn amount(&self, name: &str, unit: Unit) -> Option<Amount> {
        self.must_be_there(name);
        self.maybe_amount(name, unit)
    }

    /// The unit of the amounts; yuan where not given.
    pub(super) fn unit(&self) -> Unit {
        self.maybe("unit").unwrap_or(Unit::CNY)
    }

    /// The day of the fact; today where not given.
    pub(super) fn day(&self, today: Day) -> Day {
        self.maybe("on").unwrap_or(today)
    }

    /// What was read, if nothing was wrong and nothing is left.
    pub(super) fn end<T>(self, read: Option<T>) -> Result<T, Problem> {
        for name in self.left.borrow().keys() {
            self.wrong(name, "没有这一项", "is not known here");
        }
        let wrong = self.wrong.into_inner();
        match (read, wrong.first()) {
            (Some(read), None) => Ok(read),
            _ => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "field",
                "有的项写得不对，没有入账。",
                "Some fields are wrong; nothing was posted",
            )
            .with(wrong)),
        }
    }
}
