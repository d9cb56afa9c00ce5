//! Errors of a mapping in Chinese.

use super::mapping::MappingError;

/// What a value must be, or what a key is for.
fn wanted(text: &str) -> String {
    let zh = match text {
        "a form with %Y, %m and %d" => "含有 %Y、%m、%d 的格式",
        "a form with %H and %M and without a day" => "含有 %H、%M、不含日期的格式",
        "a heading in quotes, or the number of a column, from 1" => "引号里的列名，或从 1 起的列号",
        "a list of columns" => "列的清单",
        "a number from 0" => "从 0 起的整数",
        "a number from 1, since there is no heading" => "从 1 起的列号（文件没有表头）",
        "a table, as [columns]" => "一节，例如 [columns]",
        "a text in quotes" => "引号里的文字",
        "a text or a list of texts" => "一段文字，或文字的清单",
        "made of %Y %m %d %H %M %S, each once, and signs between" => {
            "由 %Y %m %d %H %M %S 和分隔符组成的格式，每个至多一次"
        }
        "one sign, as . or , — or nothing" => "一个符号，例如 . 或 ,，或者空着",
        "the account that it is a statement of, as bank/icbc-1" => "对账单所属的账户，例如 bank/icbc-1",
        "the column of the day" => "日期所在的列",
        "the column of money out" => "支出所在的列",
        "the column of amounts; or “credit” and “debit”" => "金额所在的列；或者写“credit”和“debit”两列",
        "the mark of the total row, as 合计" => "合计行的标志，例如“合计”",
        "the name of an encoding, as utf-8, gbk, gb18030, big5, windows-1258" => {
            "编码的名称，例如 utf-8、gbk、gb18030、big5、windows-1258"
        }
        "the unit of all amounts, as CNY" => "金额的币种，例如 CNY",
        "true or false" => "true 或 false",
        "where each fact stands" => "各项内容所在的列",
        "where the mark of the total row stands" => "合计行标志所在的列",
        other => {
            return other.strip_prefix("one of ").map_or_else(|| other.to_owned(), |list| format!("以下之一：{list}"));
        }
    };
    zh.into()
}

impl MappingError {
    /// The error in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Syntax { message } => format!("不是合格的 TOML：{message}"),
            Self::TooLarge { size_bytes, max_bytes } => {
                format!("有 {size_bytes} 字节，对照文件最多 {max_bytes} 字节")
            }
            Self::UnknownKey { key, suggestion: None } => format!("没有“{key}”这一项"),
            Self::UnknownKey { key, suggestion: Some(known) } => {
                format!("没有“{key}”这一项，是不是“{known}”？")
            }
            Self::MissingKey { key, why } => format!("缺少“{key}”：{}", wanted(why)),
            Self::WrongType { key, expected } => format!("“{key}”应为{}", wanted(expected)),
            Self::BadValue { key, value, expected } => format!("“{key}”写的是“{value}”，应为{}", wanted(expected)),
            Self::Conflict { key, other } => format!("“{key}”和“{other}”只能写一个"),
            Self::ColumnMissing { key, column, line } => {
                format!("“{key}”指的列“{column}”，第 {line} 行的表头里没有")
            }
            Self::ColumnTwice { key, column, line } => {
                format!("“{key}”指的列“{column}”，第 {line} 行的表头里不止一个，请改用列号")
            }
            Self::HeadingNotFound { key } => format!("文件里没有一行符合“{key}”"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phrase that the reader of mappings uses has its Chinese: a new one is found here.
    #[test]
    fn every_phrase_is_translated() {
        let source = include_str!("mapping.rs");
        let (code, _) = source.split_once("mod tests").expect("tests stand at the end");
        let calls = ["need_text(", "need_column(", "need_section(", "wrong(", "why: ", "expected: ", "expected = "];
        let mut seen = 0;
        for call in calls {
            for rest in code.split(call).skip(1) {
                let line = rest.lines().next().unwrap_or_default();
                let Some(phrase) = line.split('"').nth_back(1).filter(|phrase| phrase.contains(' ')) else { continue };
                let zh = wanted(phrase);
                assert!(zh != phrase || phrase.contains('{'), "“{phrase}” has no Chinese");
                seen += 1;
            }
        }
        assert!(seen > 12, "only {seen} phrases were found: did the calls change their shape?");
    }
}
