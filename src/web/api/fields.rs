//! The fields of a command, as JSON, or of a query. Each is read once, here; every bad one is told, and none that is not known is
//! passed over. The same readers describe themselves: run on nothing, they leave a list of what they asked for, which is what the
//! OpenAPI document says.

use super::shape::Shape;
use crate::values::{Amount, Day, Unit};
use crate::web::problem::Problem;
use axum::extract::Query;
use axum::http::{StatusCode, Uri};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Counts and amounts end where a reader of JSON may lose the last digit.
const COUNT_MAX: u64 = (1 << 53) - 1;

/// Fields that are being read.
#[derive(Debug, Default)]
pub(super) struct Fields {
    left: RefCell<Map<String, Value>>,
    wrong: RefCell<Vec<(String, String, String)>>,
    /// Where a reader describes itself: what it asked for.
    asked: Option<RefCell<Vec<Described>>>,
}

/// The members of one JSON object. One that comes twice is refused: programs disagree which of the two holds.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members, A::Error> {
                let mut map = Map::new();
                while let Some(name) = members.next_key::<String>()? {
                    match map.entry(name) {
                        Entry::Vacant(place) => place.insert(members.next_value()?),
                        Entry::Occupied(known) => {
                            return Err(A::Error::custom(format_args!("“{}” comes twice", known.key())));
                        }
                    };
                }
                Ok(Members(map))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// What a reader asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub name: String,
    pub schema: Value,
    pub required: bool,
}

impl Fields {
    /// From a body of one JSON object.
    pub(super) fn of(body: &[u8]) -> Result<Self, Problem> {
        let bad = |zh: &str, en: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_json", zh, en);
        match serde_json::from_slice(body) {
            Ok(Members(map)) => Ok(Self { left: RefCell::new(map), ..Self::default() }),
            Err(error) if error.is_data() => Err(bad(
                "请求体应为一个 JSON 对象，每一项只写一次。",
                &format!("The body must be one JSON object, each member once: {error}"),
            )),
            Err(error) => Err(bad("请求体不是合格的 JSON。", &format!("The body is not JSON: {error}"))),
        }
    }

    /// From the query of an address, where every value is a text.
    pub(super) fn of_query(uri: &Uri) -> Result<Self, Problem> {
        let bad = |zh: &str, en: &str| Problem::new(StatusCode::BAD_REQUEST, "bad_query", zh, en);
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| bad("地址里的参数写法不对。", "The query is malformed"))?;
        let mut left = Map::new();
        for (name, value) in pairs.0 {
            if left.insert(name, Value::String(value)).is_some() {
                return Err(bad("地址里的每个参数只写一次。", "Each parameter of the query is given once"));
            }
        }
        Ok(Self { left: RefCell::new(left), ..Self::default() })
    }

    /// What a reader asks for.
    pub(super) fn asked_by(read: impl FnOnce(&Self)) -> Vec<Described> {
        let fields = Self { asked: Some(RefCell::default()), ..Self::default() };
        read(&fields);
        fields.asked.unwrap_or_default().into_inner()
    }

    fn take(&self, name: &str, schema: impl FnOnce() -> Value) -> Option<Value> {
        self.describe(name, schema);
        self.left.borrow_mut().remove(name).filter(|value| !value.is_null())
    }

    fn describe(&self, name: &str, schema: impl FnOnce() -> Value) {
        let Some(asked) = &self.asked else { return };
        let mut asked = asked.borrow_mut();
        match asked.iter_mut().find(|known| known.name == name) {
            Some(known) => known.schema = schema(),
            None => asked.push(Described { name: name.to_owned(), schema: schema(), required: false }),
        }
    }

    fn must_be_there(&self, name: &str) {
        let absent = !self.left.borrow().contains_key(name);
        if absent {
            self.wrong(name, "缺少这一项", "is missing");
        }
        if let Some(asked) = &self.asked {
            asked.borrow_mut().push(Described { name: name.to_owned(), schema: Value::Null, required: true });
        }
    }

    fn wrong(&self, name: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.wrong.borrow_mut().push((format!("/{name}"), zh.into(), en.into()));
    }

    /// A text that may be absent.
    pub(super) fn maybe_text(&self, name: &str, most: usize) -> Option<String> {
        let schema = || json!({"type": "string", "minLength": 1, "maxLength": most});
        match self.take(name, schema)? {
            Value::String(text) if !text.trim().is_empty() && text.chars().count() <= most => Some(text),
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
    pub(super) fn maybe<T: FromStr<Err: Display> + Shape>(&self, name: &str) -> Option<T> {
        let text = self.maybe_text(name, 200);
        self.describe(name, T::shape);
        let text = text?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, unfit::<T>(&text), error.to_string());
                None
            }
        }
    }

    /// The same, which must be there.
    pub(super) fn parsed<T: FromStr<Err: Display> + Shape>(&self, name: &str) -> Option<T> {
        self.must_be_there(name);
        self.maybe(name)
    }

    /// A list of such values; empty where not given.
    pub(super) fn maybe_list<T: FromStr<Err: Display> + Shape>(&self, name: &str) -> Vec<T> {
        let items = match self.take(name, || json!({"type": "array", "items": T::shape()})) {
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
                    self.wrong(&format!("{name}/{place}"), unfit::<T>(text), error.to_string());
                }
                None => self.wrong(&format!("{name}/{place}"), "应为文字", "must be a text"),
            }
        }
        read
    }

    /// A list of texts; empty where not given.
    pub(super) fn maybe_texts(&self, name: &str, most: usize, length: usize) -> Vec<String> {
        let text = || json!({"type": "string", "minLength": 1, "maxLength": length});
        let schema = || json!({"type": "array", "items": text(), "maxItems": most});
        let Some(value) = self.take(name, schema) else { return Vec::new() };
        let fits = |text: &&str| (1..=length).contains(&text.chars().count());
        let read = |item: &Value| item.as_str().filter(fits).map(str::to_owned);
        let texts = value.as_array().and_then(|items| items.iter().map(read).collect::<Option<Vec<_>>>());
        texts.filter(|texts| texts.len() <= most).unwrap_or_else(|| {
            let zh = format!("应为清单，最多 {most} 项，每项 1 到 {length} 个字");
            self.wrong(name, zh, format!("must be a list of at most {most} texts of 1 to {length} characters"));
            Vec::new()
        })
    }

    /// A list of values of a type, with at least one.
    pub(super) fn list<T: FromStr<Err: Display> + Shape>(&self, name: &str) -> Option<Vec<T>> {
        self.must_be_there(name);
        let read = self.maybe_list(name);
        self.describe(name, || json!({"type": "array", "items": T::shape(), "minItems": 1}));
        if read.is_empty() && self.wrong.borrow().is_empty() {
            self.wrong(name, "至少要有一项", "needs at least one");
        }
        Some(read).filter(|read| !read.is_empty())
    }

    /// Yes or no; no where not given.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.take(name, || json!({"type": "boolean"})) {
            None => false,
            Some(Value::Bool(is)) => is,
            Some(Value::String(text)) if text == "true" || text == "false" => text == "true",
            Some(_) => {
                self.wrong(name, "应为 true 或 false", "must be true or false");
                false
            }
        }
    }

    /// A whole number from 0.
    pub(super) fn maybe_count(&self, name: &str) -> Option<u64> {
        self.maybe_count_to(name, COUNT_MAX)
    }

    /// A whole number from 0 to `most`.
    pub(super) fn maybe_count_to(&self, name: &str, most: u64) -> Option<u64> {
        self.maybe_count_in(name, 0..=most)
    }

    /// A whole number of a range.
    pub(super) fn maybe_count_in(&self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let (least, most) = (range.start(), range.end());
        let value = self.take(name, || json!({"type": "integer", "minimum": least, "maximum": most}))?;
        // In a query every value is a text.
        let count = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match count.filter(|count| range.contains(count)) {
            Some(count) => Some(count),
            None => {
                self.wrong(
                    name,
                    format!("应为 {least} 到 {most} 的整数"),
                    format!("must be a whole number from {least} to {most}"),
                );
                None
            }
        }
    }

    /// Minor units, whole and not negative, in a unit.
    pub(super) fn maybe_amount(&self, name: &str, unit: Unit) -> Option<Amount> {
        let schema = || json!({"type": "integer", "minimum": 0, "maximum": COUNT_MAX, "description": "minor units"});
        let value = self.take(name, schema)?;
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
                "fields",
                "有的项写得不对，没有入账。",
                "Some fields are wrong; nothing was posted",
            )
            .with(wrong)),
        }
    }
}

/// In Chinese, why a text is none of a type: what its shape allows.
fn unfit<T: Shape>(text: &str) -> String {
    let shape = T::shape();
    if let Some(words) = shape["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return format!("“{text}”不能用在这里，可以写：{}", words.join("、"));
    }
    match shape["pattern"].as_str() {
        Some(pattern) => format!("“{text}”不合写法：{pattern}"),
        None => format!("“{text}”不是日期，请写成 2026-03-08 这样"),
    }
}
