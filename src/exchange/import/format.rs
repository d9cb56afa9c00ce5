//! The formats by name.

use std::fmt;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FormatName {
    /// WeChat, bill of a person (微信支付账单明细).
    Wechat,
    /// WeChat Pay, fund bill of a merchant (资金账单).
    WechatMerchant,
    /// Alipay, bill of a person (电子客户回单).
    Alipay,
    /// Alipay, account ledger of a merchant (账务明细).
    AlipayMerchant,
    /// Vietcombank account statement.
    Vietcombank,
    /// Agribank account statement.
    Agribank,
    /// Vietinbank account statement.
    Vietinbank,
    /// Hubei Red Cross, daily list of donors.
    HubeiRedcross,
    /// Wuhan Red Cross, gifts by QR code and card terminal.
    WuhanQrpos,
    /// Wuhan Red Cross, lists of donors by channel.
    WuhanList,
    /// Described by a mapping file.
    Mapping,
}

impl FormatName {
    /// All that are recognised by their heading.
    pub const ALL: [Self; 10] = [
        Self::Wechat,
        Self::WechatMerchant,
        Self::Alipay,
        Self::AlipayMerchant,
        Self::Vietcombank,
        Self::Agribank,
        Self::Vietinbank,
        Self::HubeiRedcross,
        Self::WuhanQrpos,
        Self::WuhanList,
    ];

    /// As it is written on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::WechatMerchant => "wechat-merchant",
            Self::Alipay => "alipay",
            Self::AlipayMerchant => "alipay-merchant",
            Self::Vietcombank => "vietcombank",
            Self::Agribank => "agribank",
            Self::Vietinbank => "vietinbank",
            Self::HubeiRedcross => "hubei-redcross",
            Self::WuhanQrpos => "wuhan-qrpos",
            Self::WuhanList => "wuhan-list",
            Self::Mapping => "mapping",
        }
    }

    /// In Chinese, for people.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Wechat => "微信个人账单",
            Self::WechatMerchant => "微信支付商户资金账单",
            Self::Alipay => "支付宝个人账单",
            Self::AlipayMerchant => "支付宝商家账务明细",
            Self::Vietcombank => "越南外贸银行流水",
            Self::Agribank => "越南农业银行流水",
            Self::Vietinbank => "越南工商银行流水",
            Self::HubeiRedcross => "湖北省红十字会捐款公示",
            Self::WuhanQrpos => "武汉市红十字会扫码与刷卡明细",
            Self::WuhanList => "武汉市红十字会捐赠明细",
            Self::Mapping => "自定义对照",
        }
    }

    /// All names, for a message.
    pub(super) fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("“{0}” is not a format. Known formats: {list}", list = FormatName::list())]
pub struct NotAFormat(pub String);

impl std::str::FromStr for FormatName {
    type Err = NotAFormat;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| NotAFormat(text.chars().take(40).collect()))
    }
}
