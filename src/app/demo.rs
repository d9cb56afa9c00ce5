//! The sample statements of the demo: 1,549 invented gifts to an urgent case, 132,000.00 yuan, in seven files as they would come from
//! a platform, a bank, a village's cash box and a members' list; and a small general fund with channel fees. Invented people only.

use crate::values::amount::format_minor;
use crate::values::{Day, Unit};
use std::fmt::Write as _;

/// A sample statement and how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// File name.
    pub name: String,
    /// The statement, CSV.
    pub csv: String,
    /// Its mapping, TOML.
    pub mapping: String,
}

/// Gifts of one day and source.
struct Group {
    name: &'static str,
    source: &'static str,
    day: (i16, i8, i8),
    count: usize,
    total: i64,
    /// Amounts that must stand at a place: place from 0, minor units.
    fixed: &'static [(usize, i64)],
}

/// The groups in order of their days: 1,286 platform gifts of 61,734.50, 3 of enterprises of 30,000.00, 214 from village cash boxes of
/// 18,265.50, 46 of members of 22,000.00.
const GROUPS: [Group; 7] = [
    Group {
        name: "platform-0303",
        source: "platform",
        day: (2026, 3, 3),
        count: 412,
        total: 2_011_800,
        fixed: &[(0, 10_000)],
    },
    Group { name: "enterprise-0304", source: "enterprise", day: (2026, 3, 4), count: 1, total: 2_000_000, fixed: &[] },
    Group { name: "village-0306", source: "village_cash", day: (2026, 3, 6), count: 214, total: 1_826_550, fixed: &[] },
    // A member's 500.00 lies at [7,980,000, 8,030,000): it pays for the hospital and for food.
    Group {
        name: "members-0308",
        source: "members",
        day: (2026, 3, 8),
        count: 46,
        total: 2_200_000,
        fixed: &[(44, 50_000), (45, 8_350)],
    },
    Group { name: "platform-0310", source: "platform", day: (2026, 3, 10), count: 598, total: 2_736_650, fixed: &[] },
    Group {
        name: "enterprise-0315",
        source: "enterprise",
        day: (2026, 3, 15),
        count: 2,
        total: 1_000_000,
        fixed: &[(0, 225_000)],
    },
    Group { name: "platform-0320", source: "platform", day: (2026, 3, 20), count: 276, total: 1_425_000, fixed: &[] },
];

/// Surnames and given names that are put together at random.
const SURNAMES: [&str; 16] =
    ["王", "李", "张", "刘", "陈", "杨", "马", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "欧阳"];
const GIVEN: [&str; 16] =
    ["小雨", "建国", "芳", "志强", "秀兰", "明", "静", "海燕", "磊", "婷", "玉梅", "浩", "丽", "晨", "淑珍", "子涵"];
const WISHES: [&str; 8] = ["加油", "早日康复", "", "一点心意", "", "祝孩子平安", "", "好起来"];

/// A sequence that is the same in every run: the demo tells one story.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound
    }
}

/// Amounts as people give them, exactly `count` of them and exactly `total`, the fixed ones at their places.
fn amounts(group: &Group, chance: &mut Sequence) -> Vec<i64> {
    const USUAL: [i64; 12] = [500, 1_000, 1_000, 2_000, 2_000, 5_000, 5_000, 6_600, 8_800, 10_000, 20_000, 50_000];
    let mut left = group.total - group.fixed.iter().map(|(_, minor)| minor).sum::<i64>();
    let mut open = i64::try_from(group.count - group.fixed.len()).expect("small");
    let mut amounts = Vec::with_capacity(group.count);
    for place in 0..group.count {
        if let Some((_, minor)) = group.fixed.iter().find(|(fixed, _)| *fixed == place) {
            amounts.push(*minor);
            continue;
        }
        let mean = left / open;
        // Around the mean of what is left, so that the last gift is an ordinary one too.
        let near: Vec<i64> = USUAL.iter().copied().filter(|usual| *usual <= mean * 4 && *usual * 8 >= mean).collect();
        let usual = if near.is_empty() { mean / 100 * 100 } else { near[chance.below(near.len())] };
        let minor = match open {
            1 => left,
            2..=12 => (mean / 100 * 100).max(1),
            _ if left - usual < (open - 1) * 500 => 500,
            _ => usual,
        };
        amounts.push(minor);
        left -= minor;
        open -= 1;
    }
    amounts
}

/// The seven statements of the urgent case, in order of their days.
pub fn case_statements() -> Vec<Sample> {
    let mut chance = Sequence(2026);
    GROUPS.iter().map(|group| statement(group, &mut chance)).collect()
}

fn statement(group: &Group, chance: &mut Sequence) -> Sample {
    let (year, month, day) = group.day;
    let day = Day::new(year, month, day).expect("days of the story exist");
    let mut csv = String::from("交易单号,日期,时间,捐赠人,金额,附言\r\n");
    for (place, minor) in amounts(group, chance).into_iter().enumerate() {
        let seconds = 8 * 3600 + place * 50_000 / group.count;
        let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let number =
            format!("{}{}{:06}", &group.source[..2].to_ascii_uppercase(), day.to_string().replace('-', ""), place + 1);
        let name = match group.source {
            "enterprise" => format!("示例{}有限公司", ["青山", "绿水", "长河"][chance.below(3)]),
            // Money from a box has no name.
            "village_cash" => String::new(),
            _ => format!("{}{}", SURNAMES[chance.below(16)], GIVEN[chance.below(16)]),
        };
        let wish = WISHES[chance.below(8)];
        write!(csv, "{number},{day},{time},{name},\"{}\",{wish}\r\n", format_minor(minor, Unit::CNY))
            .expect("writing to a String cannot fail");
    }
    write!(csv, "合计,,,,\"{}\",\r\n", format_minor(group.total, Unit::CNY)).expect("writing to a String cannot fail");
    let account = if group.source == "village_cash" { "box/village" } else { "bank/main" };
    Sample { name: format!("{}.csv", group.name), csv, mapping: mapping(group.source, account, "") }
}

/// The statement of the general fund: a dozen gifts of which the channel kept 0.6 %.
pub fn general_statement() -> Sample {
    let mut chance = Sequence(7);
    let mut csv = String::from("交易单号,日期,时间,捐赠人,金额,手续费,附言\r\n");
    let (mut total, day) = (0, Day::new(2026, 3, 9).expect("a day"));
    for place in 1..=12_usize {
        let minor = [2_000, 5_000, 10_000, 20_000][chance.below(4)];
        total += minor;
        let name = format!("{}{}", SURNAMES[chance.below(16)], GIVEN[chance.below(16)]);
        let (gross, fee) = (format_minor(minor, Unit::CNY), format_minor(minor * 6 / 1000, Unit::CNY));
        write!(csv, "WX2026030900{place:04},{day},10:{place:02}:00,{name},\"{gross}\",{fee},日常捐\r\n")
            .expect("writing to a String cannot fail");
    }
    write!(csv, "合计,,,,\"{}\",,\r\n", format_minor(total, Unit::CNY)).expect("writing to a String cannot fail");
    Sample {
        name: "general-0309.csv".into(), csv, mapping: mapping("wechat", "wallet/wechat", "fee = \"手续费\"\n")
    }
}

fn mapping(source: &str, account: &str, more_columns: &str) -> String {
    format!(
        "name = \"示例流水\"\nunit = \"CNY\"\naccount = \"{account}\"\nsource = \"{source}\"\n\n[heading]\nholds = [\"交易单号\", \"金额\"]\n\n\
         [columns]\nday = \"日期\"\ntime = \"时间\"\namount = \"金额\"\n{more_columns}reference = \"交易单号\"\nname = \"捐赠人\"\nmemo = \"附言\"\n\n\
         [form]\nday = \"%Y-%m-%d\"\ntime = \"%H:%M:%S\"\n\n[total]\ncolumn = \"交易单号\"\ntext = \"合计\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_are_those_of_the_worked_example() {
        let sum = |source: &str| {
            let groups = GROUPS.iter().filter(|group| group.source == source);
            groups.fold((0, 0), |(count, total), group| (count + group.count, total + group.total))
        };
        assert_eq!(sum("platform"), (1_286, 6_173_450));
        assert_eq!(sum("enterprise"), (3, 3_000_000));
        assert_eq!(sum("village_cash"), (214, 1_826_550));
        assert_eq!(sum("members"), (46, 2_200_000));
        let mut chance = Sequence(2026);
        for group in &GROUPS {
            let amounts = amounts(group, &mut chance);
            assert_eq!((amounts.len(), amounts.iter().sum::<i64>()), (group.count, group.total), "{}", group.name);
            assert!(amounts.iter().all(|minor| *minor > 0), "{}", group.name);
        }
    }
}
