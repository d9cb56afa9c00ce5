//! The certificate of a gift 捐赠凭证: what 《慈善法》第三十八条 asks a receipt to state (donor, kind and amount, organisation, handler,
//! date), and how to check it without the organisation. It is for its donor alone: nothing of it is published.

use crate::report::document::{Block, Document, Fact, KeyFigure, Verification, short_code};
use crate::report::labels::Language;
use crate::values::{Amount, Day, Hash, Timestamp};

/// What a certificate states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Name of the organisation in Chinese.
    pub name_zh: String,
    /// And in English.
    pub name_en: String,
    /// Unified social credit code.
    pub uscc: Option<String>,
    /// Origin of the ledger.
    pub origin: String,
    /// Its number.
    pub number: String,
    /// Day of issue.
    pub on: Day,
    /// When it was recorded.
    pub at: Timestamp,
    /// The donor, where a name was given.
    pub donor: Option<String>,
    /// What was given, less what had been given back by then.
    pub amount: Amount,
    /// Day of the gift.
    pub gift_on: Day,
    /// The fund, in Chinese and in English.
    pub fund: (String, String),
    /// The channel's order number or that of the paper slip.
    pub order_no: String,
    /// Who recorded the gift, by name.
    pub handler: String,
    /// The entry of the gift, and that of the certificate.
    pub entries: (u64, u64),
    /// Leaf hash of the gift.
    pub leaf: Hash,
    /// Size and root that the log signed.
    pub tree: (u64, Hash),
    /// The log's key.
    pub vkey: String,
}

impl ReceiptRow {
    /// The certificate in one language.
    pub fn document(&self, language: Language) -> Document {
        let l = language.labels();
        let fact = |key: &str, value: String| Fact { name: l.text(key).into(), value };
        let donor = self.donor.clone().unwrap_or_else(|| l.text("receipt.no_name").into());
        let mut facts = vec![
            fact("receipt.number", self.number.clone()),
            fact("receipt.on", self.on.to_string()),
            fact("receipt.organisation", language.choose(&self.name_zh, &self.name_en).into()),
        ];
        facts.extend(self.uscc.clone().map(|uscc| fact("receipt.uscc", uscc)));
        facts.extend([
            fact("receipt.donor", donor),
            fact("receipt.kind", l.fill("receipt.kind_money", &[("currency", &l.unit(self.amount.unit()))])),
            fact("receipt.gift_on", self.gift_on.to_string()),
            fact("receipt.fund", language.choose(&self.fund.0, &self.fund.1).into()),
            fact("receipt.order_no", self.order_no.clone()),
            fact("receipt.handler", self.handler.clone()),
        ]);
        let address = self.address();
        Document {
            language,
            title: l.text("receipt.title").into(),
            subtitle: l.fill("receipt.subtitle", &[("number", &self.number)]),
            organisation: language.choose(&self.name_zh, &self.name_en).into(),
            number: self.number.clone(),
            short_code: short_code(self.leaf),
            data_hash: self.leaf,
            unit: self.amount.unit(),
            at: self.at,
            blocks: vec![
                Block::Facts(facts),
                Block::KeyFigures(vec![KeyFigure {
                    name: l.text("receipt.amount").into(),
                    detail: String::new(),
                    amount: self.amount.minor(),
                }]),
                Block::Note(l.text("receipt.legal").into()),
                Block::Verification(Verification {
                    how: l.text("receipt.how").into(),
                    lines: vec![
                        fact("verification.ledger", self.origin.clone()),
                        fact("receipt.entry", self.entries.0.to_string()),
                        fact("receipt.own_entry", self.entries.1.to_string()),
                        fact("receipt.leaf", self.leaf.to_hex()),
                        fact("verification.size", self.tree.0.to_string()),
                        fact("verification.root", self.tree.1.to_hex()),
                        fact("receipt.vkey", self.vkey.clone()),
                        fact("verification.qr", address.clone()),
                    ],
                    address,
                    caption: l.text("verification.qr_caption").into(),
                }),
            ],
        }
    }

    /// Where it is checked: the number of the entry, nothing personal.
    fn address(&self) -> String {
        let host = self.origin.split('/').next().unwrap_or_default();
        format!("https://{host}/verify?receipt={}&entry={}", self.number, self.entries.0)
    }
}
