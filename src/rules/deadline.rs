//! Statutory and product deadlines, from `deadlines.toml`.

use crate::values::Day;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// One duty to do something by a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Deadline {
    /// Id, as `campaign.final`.
    pub id: String,
    /// The duty in Chinese.
    pub zh: String,
    /// The duty in English.
    pub en: String,
    /// How many units after the trigger; negative for before it.
    pub offset: i32,
    /// What `offset` counts.
    pub unit: DeadlineUnit,
    /// Law and article.
    pub source: String,
    /// How well the source was checked.
    pub verified: Verified,
}

/// What a deadline counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadlineUnit {
    /// Days of the calendar.
    CalendarDay,
    /// Days on which offices work.
    WorkingDay,
    /// Same day number n months later, or the last day of that month.
    Month,
    /// Years.
    Year,
    /// Hours.
    Hour,
    /// A date in the year.
    FixedDate,
    /// The law says “in time” and no number.
    None,
}

/// What was seen of the source of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// The text of the law.
    Text,
    /// An excerpt of it.
    Excerpt,
    /// An official summary.
    Summary,
    /// An earlier version.
    Earlier,
    /// Nothing yet.
    None,
}

/// Why there is no due day.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum DeadlineError {
    /// No deadline has this id.
    #[error("there is no deadline “{0}”")]
    Unknown(String),
    /// Counted in something other than days and months.
    #[error("deadline “{0}” is not a fixed number of days")]
    NotAFixedNumberOfDays(String),
    /// Before the year 0 or after 9999.
    #[error("deadline “{0}” falls outside the calendar")]
    OutsideCalendar(String),
}

impl Verified {
    /// The word as it stands in the rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Excerpt => "excerpt",
            Self::Summary => "summary",
            Self::Earlier => "earlier",
            Self::None => "none",
        }
    }
}

impl Deadline {
    /// Last day on which the duty is done in time. A due day that falls on a rest day is not moved.
    pub fn due(&self, trigger: Day) -> Result<Day, DeadlineError> {
        let due = match self.unit {
            DeadlineUnit::CalendarDay => trigger.plus_days(self.offset),
            DeadlineUnit::Month => trigger.plus_months(self.offset),
            DeadlineUnit::WorkingDay
            | DeadlineUnit::Year
            | DeadlineUnit::Hour
            | DeadlineUnit::FixedDate
            | DeadlineUnit::None => return Err(DeadlineError::NotAFixedNumberOfDays(self.id.clone())),
        };
        due.ok_or_else(|| DeadlineError::OutsideCalendar(self.id.clone()))
    }
}

/// The deadline with this id.
pub fn deadline(id: &str) -> Result<&'static Deadline, DeadlineError> {
    all().deadlines.get(id).ok_or_else(|| DeadlineError::Unknown(id.into()))
}

/// First day on which this set of deadlines holds.
pub fn effective_from() -> Day {
    all().effective_from
}

struct Deadlines {
    effective_from: Day,
    deadlines: BTreeMap<String, Deadline>,
}

#[derive(Deserialize)]
struct Meta {
    effective_from: String,
}

#[derive(Deserialize)]
struct File {
    meta: Meta,
    deadline: Vec<Deadline>,
}

fn all() -> &'static Deadlines {
    static ALL: OnceLock<Deadlines> = OnceLock::new();
    ALL.get_or_init(|| {
        let file: File =
            toml::from_str(include_str!("deadlines.toml")).expect("the file is part of the build and tested");
        let effective_from = Day::parse(&file.meta.effective_from).expect("the file is part of the build and tested");
        let deadlines = file.deadline.into_iter().map(|deadline| (deadline.id.clone(), deadline)).collect();
        Deadlines { effective_from, deadlines }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, trigger: &str, expected: &str) {
        let due = deadline(id).and_then(|deadline| deadline.due(Day::parse(trigger).expect(trigger)));
        let got = due.map_or_else(|error| error.to_string(), |day| day.to_string());
        assert_eq!(got, expected, "{id} from {trigger}");
    }

    #[test]
    fn a_deadline_gives_its_last_day() {
        check("campaign.final", "2026-04-15", "2026-07-15");
        check("project.final", "2026-05-12", "2026-08-12");
        check("project.surplus.disclosure", "2026-05-12", "2026-08-12");
        check("campaign.final", "2026-11-30", "2027-02-28");
        check("campaign.plan.filing", "2026-03-02", "2026-02-20");
        check("imprest.papers", "2026-03-02", "deadline “imprest.papers” is not a fixed number of days");
        check("annual.report", "2026-12-31", "deadline “annual.report” is not a fixed number of days");
        check("campaign.party", "2026-12-31", "there is no deadline “campaign.party”");
        check("campaign.final", "9999-12-31", "deadline “campaign.final” falls outside the calendar");
    }
}
