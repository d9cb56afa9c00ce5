//! Refusals in Chinese: what happened, where, and what to do.

use super::aim::Aim;
use super::field_rule::{FieldRule, TEXT_MAX};
use super::refusal::Refusal;
use super::vocabulary::{Category, Use};

fn thing(what: &str) -> &str {
    match what {
        "account" => "账户",
        "fund" => "基金",
        "campaign" => "募捐活动",
        "case" => "个案",
        "disbursement" => "拨付",
        "donation" | "gift" => "捐赠",
        "entry" => "记录",
        "user" => "用户",
        "report" => "报告",
        "channel" => "渠道",
        "subscription" => "订阅",
        other => other,
    }
}

/// The word for a state, of a campaign where it differs.
pub fn state<'s>(what: &str, state: &'s str) -> &'s str {
    match state {
        "opened" if what == "campaign" => "募捐中",
        "opened" => "已立案",
        "assessed" => "已评估",
        "approved" => "已批准",
        "declined" => "已拒绝",
        "closed" => "已结案",
        "requested" => "待复核",
        "paid" => "已支付",
        "rejected" => "已驳回",
        "returned" => "已全部退回",
        "reversed" => "已冲销",
        "filed" => "已备案",
        "ended" => "已结束",
        "recorded" => "入账",
        "received" => "收到捐赠",
        "last worked on" => "最近一次办理",
        "confirmed by the family already" => "家属已经确认",
        "given back in full already" => "已经全部退还",
        "corrected already" => "已经更正过",
        "not the newest version" => "不是最新的版本",
        "the same as the ledger says now" => "与账本现在的数字相同，没有要更正的",
        "certified already" => "已经开过捐赠凭证",
        "taken back already, in part or whole" => "已经冲销或部分退回",
        other => other,
    }
}

/// What can be done next, with the word for the command line.
fn step(step: &str) -> String {
    let word = match step {
        "assess" => "评估",
        "approve" => "复核批准",
        "decline" => "不予救助",
        "disbursement request" => "申请拨付",
        "close" => "结案",
        "reject" => "驳回",
        "pay" => "支付",
        "acknowledge" => "家属确认",
        "return" => "退回款项",
        "reverse" => "冲销",
        "open" => "开始",
        "end" => "结束",
        other => return other.to_owned(),
    };
    format!("{word}（{step}）")
}

fn role(role: &str) -> &str {
    match role {
        "admin" => "管理员",
        "clerk" => "经办",
        "checker" => "复核",
        "payer" => "出纳",
        "auditor" => "审计",
        other => other,
    }
}

fn field_name(field: &str) -> &str {
    match field {
        "on" => "日期",
        "unit" => "币种",
        "category" => "类别",
        "fund" => "基金",
        "purpose" => "用途",
        "to" => "转入基金",
        "basis" => "依据",
        "amount" => "金额",
        "need" => "需要的金额",
        "vouchers" => "单据张数",
        "gift_count" => "捐赠人数",
        "fee" => "手续费",
        "time_zone" => "时区",
        "uscc" => "统一社会信用代码",
        "new_vkey" => "新公钥",
        "ends_on" => "结束日期",
        "account" => "账户",
        "name_zh" => "中文名称",
        "name_en" => "英文名称",
        "region_zh" => "地区（中文）",
        "region_en" => "地区（英文）",
        other => other,
    }
}

fn field_rule(rule: &FieldRule) -> String {
    match rule {
        FieldRule::CategoryWanted => "请写明属于哪类困难，例如 minor,health".into(),
        FieldRule::NeedOfNothing => "需要的金额必须大于 0；没有困难的个案请用 case decline 办理".into(),
        FieldRule::NotOwnFund(fund) => {
            format!("{fund} 不能作为个案的专门基金，应为定向（earmarked）或代管（agency），且不属于其他个案")
        }
        FieldRule::NotFundId(fund) => format!("“{fund}”不能作为基金编号，最多 36 个字符，不含点号"),
        FieldRule::UnrestrictedHasNoPurpose => "非限定基金没有限定用途，请改为限定（restricted）".into(),
        FieldRule::DayTooOld(on) => format!("{on} 太早了，请核对年份"),
        FieldRule::NoCurrency(unit) => format!("{unit} 不是 ISO 4217 的币种，例如 CNY、VND"),
        FieldRule::RestrictedWantsLimit => {
            "限定基金要写明限定的类别（--purpose）或用途（--uses）；没有限定请设为 unrestricted".into()
        }
        FieldRule::RegionTooExact => "只写到市或县，不写街道、门牌、小区或村；账本永久公开".into(),
        FieldRule::SameAccount => "转出和转入不能是同一个账户".into(),
        FieldRule::SameFund => "不能在同一个基金内转账".into(),
        FieldRule::BasisWanted => {
            "请写明剩余财产转出的依据：plan（方案）、agreement（协议）或 similar_purpose（相近目的）".into()
        }
        FieldRule::GiftOfNothing => "捐赠必须大于 0".into(),
        FieldRule::GiftOfNobody => "至少有一位捐赠人".into(),
        FieldRule::FeeBeyondGift => "手续费是捐赠的一部分，币种相同，不超过捐赠金额".into(),
        FieldRule::WithinGift(gift) => format!("必须大于 0，最多为捐赠还没有退还的 {gift}"),
        FieldRule::TooLarge => "超出账本能记的范围".into(),
        FieldRule::PaymentOfNothing => "拨付必须大于 0".into(),
        FieldRule::NothingToMove => "没有可用的款项，金额必须大于 0".into(),
        FieldRule::CanStillComeBack(left) => format!("必须大于 0，这笔拨付最多还能退回 {left}"),
        FieldRule::NotTimeZone(zone) => format!("“{zone}”不是时区，例如 Asia/Shanghai"),
        FieldRule::NotNextKey(key) => format!("“{key}”不能做账本的下一把公钥：要带账本的名字，而且没有为它签过名"),
        FieldRule::NotUscc(uscc) => format!("“{uscc}”不是统一社会信用代码，应为 18 位，末位是校验码"),
        FieldRule::EndsBeforeStart => "募捐活动不能在开始之前结束".into(),
        FieldRule::NotAccount(why) => format!("不能作为账户名（{why}）"),
        FieldRule::TextLength => format!("要有 1 到 {TEXT_MAX} 个字"),
        FieldRule::TextControl => "不能有换行、控制字符或改变书写方向的符号".into(),
        FieldRule::TextGlyph(character) => {
            format!("报告无法印出“{character}”（U+{:04X}），请换一种写法", u32::from(*character))
        }
    }
}

const fn category(category: Category) -> &'static str {
    match category {
        Category::Minor => "未成年人",
        Category::Health => "重大疾病",
        Category::Disability => "残疾",
        Category::Violence => "受侵害",
        Category::Death => "身故、殡葬",
        Category::Disaster => "灾害",
        Category::Poverty => "生活困难",
        Category::PublicWork => "公益建设",
    }
}

const fn purpose(purpose: Use) -> &'static str {
    match purpose {
        Use::Hospital => "住院费与预交金",
        Use::Nutrition => "营养费",
        Use::Drugs => "院外药品",
        Use::LodgingTravel => "陪护住宿与交通",
        Use::Rehabilitation => "康复与辅具",
        Use::Funeral => "殡葬",
        Use::Education => "教育",
        Use::Living => "日常生活",
        Use::Housing => "住房",
        Use::Other => "其他",
    }
}

/// What money is for, after 用于.
fn aim(aim: &Aim) -> String {
    let categories = |known: &[Category]| known.iter().copied().map(category).collect::<Vec<_>>().join("、");
    match aim {
        Aim::Case(case, known) if known.is_empty() => format!("个案 {case}"),
        Aim::Case(case, known) => format!("个案 {case}（{}）", categories(known)),
        Aim::UseOfCase(wanted, case, known) => format!("个案 {case}（{}）的{}", categories(known), purpose(*wanted)),
        Aim::Categories(known) => format!("“{}”类个案", categories(known)),
        Aim::Uses(known) => format!("“{}”", known.iter().copied().map(purpose).collect::<Vec<_>>().join("、")),
        Aim::Fund(fund) => format!("基金 {fund}"),
        Aim::Principal => "保值增值，不动用本金".into(),
        Aim::Beneficiary => "指定的受益人".into(),
        Aim::DonorsPurpose => "捐赠人指定的用途".into(),
        Aim::Anything => "没有限定的用途".into(),
    }
}

impl Refusal {
    /// The refusal in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Refusal::LedgerIsOpen => "账本已经开立，不能再次开立。".into(),
            Refusal::Exists { what, name } => format!("{} {name} 已经存在，请换一个编号。", thing(what)),
            Refusal::Unknown { what: "entry", name } => format!("账本里没有记录 {name}，请核对编号。"),
            Refusal::Unknown { what, name } => {
                format!("没有{} {name}。请先查看列表：mingzhang {what} list。", thing(what))
            }
            Refusal::ReportIsPublished { number, seq } => format!(
                "报告 {number} 已公布（记录 {seq}），此后个案有了变化。请公布下一版并说明变化：--corrects {seq} --note “改了什么”。"
            ),
            Refusal::MovedNothing { seq, kind } => format!("记录 {seq}（{kind}）没有动用款项，没有可以冲销的。"),
            Refusal::LastAdmin { user } => {
                format!("{user} 是最后一位管理员，不能去掉；请先把管理员角色授予另一个人。")
            }
            Refusal::NotThatKind { seq, found, .. } => format!("记录 {seq} 不能这样处理：{found}。"),
            Refusal::Field { field, rule } => format!("{}：{}。", field_name(field), field_rule(rule)),
            Refusal::FutureDay { on, today } => format!("日期 {on} 还没有到，今天是 {today}。请核对日期。"),
            Refusal::DayBefore { on, step, since } => {
                format!("日期 {on} 早于 {since}（{}的日期），后一步不能早于前一步。请核对日期。", state("", step))
            }
            Refusal::AccountNotOfFund { account, fund } => {
                format!(
                    "账户 {account} 没有对基金 {fund} 开放。先运行：mingzhang account open {account} --fund {fund}。"
                )
            }
            Refusal::StepNotPossible { what, name, state: now, possible } => {
                let next = if possible.is_empty() {
                    "没有下一步了".to_owned()
                } else {
                    format!("现在可以：{}", possible.iter().map(|next| step(next)).collect::<Vec<_>>().join("、"))
                };
                format!("{} {name} 的状态是“{}”，不能这样做；{next}。", thing(what), state(what, now))
            }
            Refusal::CheckerIsMaker { checker } => {
                format!("{checker} 是经办人，不能复核自己提交的事项，请由另一个人复核。")
            }
            Refusal::PayerIsChecker { payer } => {
                format!("{payer} 复核了这笔拨付，不能再由同一个人支付，请经办人或出纳支付。")
            }
            Refusal::RoleMissing { user, role: wanted } => {
                format!("{user} 没有“{}”的角色。管理员可以授予：mingzhang user role {user} {wanted}。", role(wanted))
            }
            Refusal::FundPurposeDiffers { fund, purpose, wanted } => {
                format!("基金 {fund} 只能用于{}，而这笔是用于{}。专款专用，请换一个基金。", aim(purpose), aim(wanted))
            }
            Refusal::NotEnough { fund, gift, available, asked, missing, gone } => {
                let whose = gift.map(|seq| format!("里属于捐赠 {seq} 的钱")).unwrap_or_default();
                let mut text = format!("基金 {fund} {whose}可用 {available}，需要 {asked}，还差 {missing}。");
                if !gone.is_empty() {
                    let word = |state: &str| match state {
                        "held" => "已批准待付",
                        "spent" => "已支出或转出",
                        _ => "已退还",
                    };
                    let parts: Vec<String> = gone
                        .iter()
                        .map(|part| format!("记录 {} {} {}", part.by, word(part.state), part.amount))
                        .collect();
                    text.push_str(&format!("这些钱的去向：{}。", parts.join("；")));
                }
                text
            }
            Refusal::MoneyLeft { fund, left } => format!(
                "基金 {fund} 还有 {left}。结案前请先处理剩余财产：mingzhang fund transfer {fund} 目标基金 --reason surplus --basis plan。"
            ),
            Refusal::StillWaiting { case, waiting } => {
                format!("个案 {case} 还有 {waiting} 笔拨付没有办完，请先支付或驳回。")
            }
            Refusal::OverLimit { case, limit, committed, asked } => {
                format!("个案 {case} 批准额度 {limit}，已提交或支付 {committed}，再加 {asked} 就超过了。")
            }
            Refusal::BuiltUpon { seq, later } => {
                let later: Vec<String> = later.iter().map(u64::to_string).collect();
                format!("记录 {seq} 不能冲销：后面的记录 {} 用到了这笔钱，请先冲销它们。", later.join("、"))
            }
            Refusal::ReversedAlready { seq, by } => format!("记录 {seq} 已经由记录 {by} 冲销，不用再冲。"),
            Refusal::ReturnedInPart { request } => format!(
                "拨付 {request} 已有部分款项退回，说明确实付过，不能冲销；其余退回的款项请用 mingzhang disbursement return {request} 入账。"
            ),
            Refusal::ReverseInstead { seq, instead } => {
                format!("记录 {seq} 没有动用款项；动用款项的是记录 {instead}，请运行：mingzhang reverse {instead}。")
            }
            Refusal::NotReversible { seq } => format!("记录 {seq} 是退还或释放，不能冲销，请把事实重新入账。"),
            Refusal::Private { field, what } => {
                let what = match *what {
                    "an identity number" => "身份证号",
                    "a mobile number" => "手机号",
                    "the name of a donor" => "一位捐赠人的姓名",
                    _ => "银行卡号",
                };
                format!("{field} 里有{what}。账本永久公开，请删去后再提交。")
            }
            Refusal::WrongCode { seq } => format!("这个确认码不属于拨付 {seq} 的个案。请核对。"),
            Refusal::KeyReused { seq } => format!("这个幂等键已用于另一件事（记录 {seq}），请换一个。"),
            Refusal::ReferenceRepeated { seq } => format!("这个单号已经入账，见记录 {seq}，没有重复入账。"),
            Refusal::ReferenceReversed { seq, by } => {
                format!("这个单号已经入账，见记录 {seq}，后来由记录 {by} 冲销。如果要重新入账，请加上 --anew。")
            }
            Refusal::ReferenceDiffers { seq, earlier } => {
                format!("这个单号已经入账，见记录 {seq}，但金额是 {earlier}，两者不一致，没有入账。请核对哪一个正确。")
            }
            Refusal::Posting(broken) => format!("这笔记录不符合记账规则：{broken}。没有入账。"),
            Refusal::Writing(error) => format!("这笔记录写不进账本：{error}。没有入账。"),
            Refusal::TooManyPieces { posts } => {
                format!("这笔钱要由 {posts} 段组成，一条记录最多 500 段，请分几次办理。")
            }
        }
    }
}
