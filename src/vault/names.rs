//! Names of persons that the vault knows, and whether a public text holds one of them.
//!
//! | known name      | text                 | found                                   |
//! |-----------------|----------------------|-----------------------------------------|
//! | `张小明`        | `资助张小明同学基金` | yes                                     |
//! | `吴忠`          | `吴忠市急难救助`     | no: two characters only where they stand alone |
//! | `爱心人士`      | `爱心人士基金`       | no: does not start with a surname       |
//! | `Anna Schmidt`  | `Fund of anna schmidt` | yes                                   |

use std::collections::BTreeSet;

/// Single-character surnames that nine of ten people in China bear, by frequency (Ministry of Public Security, 2020 and before).
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
/// Surnames of two characters.
const DOUBLE_SURNAMES: [&str; 8] = ["欧阳", "上官", "司马", "诸葛", "司徒", "东方", "尉迟", "皇甫"];
/// Characters of a Chinese name at most; what is longer is an organisation or a saying.
const HAN_MAX: usize = 4;
/// Words of a name in Latin letters at most.
const WORDS_MAX: usize = 4;

/// Names of persons.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Notes a name. What does not look like a person's (a nickname, an organisation, a masked name) is passed over: it would stop
    /// public text that names nobody.
    pub fn insert(&mut self, name: &str) {
        let name = name.trim();
        if self.0.contains(name) {
            return;
        }
        let han: Vec<char> = name.chars().collect();
        let is_han_name =
            han.iter().copied().all(is_han) && starts_with_surname(name) && (2..=HAN_MAX).contains(&han.len());
        let has_middle_dot = name.split('·').count() > 1 && han.iter().all(|c| is_han(*c) || *c == '·');
        let words = words(name);
        let is_latin_name = (2..=WORDS_MAX).contains(&words.len()) && words.iter().all(|word| is_latin_word(word));
        if is_han_name || has_middle_dot {
            self.0.insert(name.to_owned());
        } else if is_latin_name {
            self.0.insert(words.join(" "));
        }
    }

    /// Whether a text holds one of the names.
    pub fn found_in(&self, text: &str) -> bool {
        !self.0.is_empty() && (self.han_found_in(text) || self.latin_found_in(text))
    }

    fn han_found_in(&self, text: &str) -> bool {
        text.split(|c| !is_han(c) && c != '·').any(|run| {
            let chars: Vec<char> = run.chars().collect();
            let holds = |from: usize, to: usize| {
                let piece: String = chars[from..to].iter().collect();
                self.0.contains(&piece)
            };
            let inside = (0..chars.len()).any(|from| (from + 3..=chars.len().min(from + 24)).any(|to| holds(from, to)));
            inside || (chars.len() == 2 && holds(0, 2))
        })
    }

    fn latin_found_in(&self, text: &str) -> bool {
        let words = words(text);
        (0..words.len()).any(|from| {
            (from + 2..=words.len().min(from + WORDS_MAX)).any(|to| self.0.contains(&words[from..to].join(" ")))
        })
    }
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

fn starts_with_surname(name: &str) -> bool {
    name.chars().next().is_some_and(|first| SURNAMES.contains(first))
        || DOUBLE_SURNAMES.iter().any(|surname| name.starts_with(surname))
}

/// Words in small letters.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn is_latin_word(word: &str) -> bool {
    word.chars().all(|c| c.is_alphabetic() && !is_han(c))
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_known_name_is_found_and_ordinary_words_are_not() {
        let mut names = Names::default();
        for name in [
            "张小明",
            "吴忠",
            "爱心人士",
            "欧阳娜",
            "阿依古丽·买买提",
            "Anna Schmidt",
            "*利华",
            "中国银行股份有限公司",
            "M",
            "",
        ] {
            names.insert(name);
        }
        for (text, found) in [
            ("资助张小明同学基金", true),
            ("张小鸣", false),
            ("吴忠市急难救助", false),
            ("吴忠 急难救助", true),
            ("爱心人士基金", false),
            ("欧阳娜个案", true),
            ("阿依古丽·买买提", true),
            ("中国银行股份有限公司专项基金", false),
            ("Fund of anna  SCHMIDT", true),
            ("Fund of Hanna Schmidt", false),
            ("Anna", false),
            ("", false),
        ] {
            assert_eq!(names.found_in(text), found, "{text}");
        }
    }
}
