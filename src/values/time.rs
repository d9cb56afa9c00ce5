//! Times and days. There is no `now` here: time is an argument.

use jiff::civil;
use jiff::tz::TimeZone;
use std::fmt;

/// An instant in UTC to the millisecond, written `YYYY-MM-DDTHH:MM:SS.mmmZ`; years 0000 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// A calendar day, written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(civil::Date);

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// The text is neither `YYYY-MM-DD` nor an IANA zone, as asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum TimeError {
    /// Not a calendar day.
    #[error("“{0}” is not a day: write it as 2026-03-05")]
    Day(String),
    /// Not an IANA time zone.
    #[error("“{0}” is not a time zone: write it as Asia/Shanghai")]
    Zone(String),
}

impl Timestamp {
    /// From milliseconds since 1970-01-01T00:00:00Z; `None` outside the years 0000 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        const FIRST: i64 = -62_167_219_200_000;
        const LAST: i64 = 253_402_300_799_999;
        (FIRST..=LAST).contains(&millis).then_some(Self(millis))
    }

    /// From seconds since 1970-01-01T00:00:00Z; `None` after the year 9999.
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000)).and_then(Self::from_millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads exactly `YYYY-MM-DDTHH:MM:SS.mmmZ`; no other form, no leap second, no day that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let template = b"0000-00-00T00:00:00.000Z";
        let fits = bytes.iter().zip(template).all(|(b, t)| if *t == b'0' { b.is_ascii_digit() } else { b == t });
        if !fits {
            return None;
        }
        let number = |from: usize, to: usize| {
            bytes.get(from..to).map(|digits| digits.iter().fold(0_i32, |n, d| n * 10 + i32::from(d - b'0')))
        };
        let small = |from, to| number(from, to).and_then(|n| i8::try_from(n).ok());
        let date = civil::Date::new(i16::try_from(number(0, 4)?).ok()?, small(5, 7)?, small(8, 10)?).ok()?;
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let in_day = i64::from((hour * 60 + minute) * 60 + second) * 1000 + i64::from(number(20, 23)?);
        Self::from_millis(days_since_epoch(date) * 86_400_000 + in_day)
    }

    /// The calendar day of this instant in a zone.
    pub fn day(self, zone: &Zone) -> Day {
        let instant = jiff::Timestamp::from_millisecond(self.0).expect("within the years 0 to 9999");
        Day(zone.0.to_datetime(instant).date())
    }

    /// `YYYY-MM-DD HH:MM` in a zone, for people.
    pub fn minute_text(self, zone: &Zone) -> String {
        let instant = jiff::Timestamp::from_millisecond(self.0).expect("within the years 0 to 9999");
        let local = zone.0.to_datetime(instant);
        format!("{} {:02}:{:02}", Day(local.date()), local.hour(), local.minute())
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, `days_from_civil`).
fn days_since_epoch(date: civil::Date) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Writes the digits of a number, as many as there is room for. Each entry holds two of these texts, and `write!` stood out in
/// the profile of posting.
fn put(room: &mut [u8], mut number: i64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("no time is negative");
        number /= 10;
    }
}

/// Writes a day over the first ten bytes, which hold its hyphens.
fn put_date(text: &mut [u8], day: Day) {
    let (year, month, day) = day.parts();
    put(&mut text[..4], year.into());
    put(&mut text[5..7], month.into());
    put(&mut text[8..10], day.into());
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let epoch = civil::date(1970, 1, 1);
        let date = epoch.checked_add(jiff::Span::new().days(days)).expect("within the years 0 to 9999");
        let (seconds, millis) = (in_day / 1000, in_day % 1000);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put_date(&mut text, Day(date));
        for (place, number) in [(11, seconds / 3600), (14, seconds / 60 % 60), (17, seconds % 60)] {
            put(&mut text[place..place + 2], number);
        }
        put(&mut text[20..23], millis);
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Day {
    /// Reads exactly `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let refuse = || TimeError::Day(text.chars().take(40).collect());
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shape {
            return Err(refuse());
        }
        text.parse().map(Self).map_err(|_| refuse())
    }

    /// Its year.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// From numbers; `None` for a day that does not exist.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        (0..=9999).contains(&year).then(|| civil::Date::new(year, month, day).ok().map(Self)).flatten()
    }

    /// Year, month, day.
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// `n` days later (earlier if negative); `None` beyond the years 0 to 9999.
    pub fn plus_days(self, n: i32) -> Option<Self> {
        self.0.checked_add(jiff::Span::new().try_days(n).ok()?).ok().map(Self)
    }

    /// The same day number `n` months later, or the last day of that month.
    pub fn plus_months(self, n: i32) -> Option<Self> {
        self.0.checked_add(jiff::Span::new().try_months(n).ok()?).ok().map(Self)
    }

    /// Days from `earlier` to this day; negative if it lies after.
    pub fn days_since(self, earlier: Self) -> i64 {
        days_since_epoch(self.0) - days_since_epoch(earlier.0)
    }

    /// 1 for Monday … 7 for Sunday.
    pub fn weekday(self) -> i8 {
        self.0.weekday().to_monday_one_offset()
    }

    /// The instant at which this day's `hour:minute:second` strikes in a zone.
    pub fn at(self, hour: i8, minute: i8, second: i8, zone: &Zone) -> Option<Timestamp> {
        let local = civil::DateTime::from_parts(self.0, civil::Time::new(hour, minute, second, 0).ok()?);
        let zoned = zone.0.to_zoned_datetime(local).ok()?;
        Timestamp::from_millis(zoned.timestamp().as_millisecond())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"0000-00-00";
        put_date(&mut text, *self);
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Day {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Zone {
    /// By IANA name, from the embedded database.
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        TimeZone::get(name).map(Self).map_err(|_| TimeError::Zone(name.chars().take(60).collect()))
    }

    /// The zone where no other is said: Asia/Shanghai.
    pub fn shanghai() -> Self {
        Self::parse("Asia/Shanghai").expect("in the embedded database")
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_one_form() {
        for good in [
            "2026-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "0000-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            assert_eq!(Timestamp::parse(good).expect(good).to_string(), good);
        }
        for bad in [
            "2026-02-30T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:00:60.000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00.000Z",
            "2026-01-01T00:00:00.000z",
            "+026-01-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_follow_the_calendar_and_the_zone() {
        let day = |text| Day::parse(text).expect(text);
        assert_eq!(day("2026-04-15").plus_months(3), Some(day("2026-07-15")));
        assert_eq!(day("2026-01-31").plus_months(1), Some(day("2026-02-28")));
        assert_eq!(day("2026-03-05").days_since(day("2026-02-20")), 13);
        let late = Timestamp::parse("2026-03-05T16:30:00.000Z").expect("given");
        assert_eq!(late.day(&Zone::shanghai()), day("2026-03-06"));
        assert_eq!(day("2026-03-06").at(0, 30, 0, &Zone::shanghai()), Some(late));
        assert!(Day::parse("2026-2-03").is_err() && Day::parse("2026-02-30").is_err());
    }
}
