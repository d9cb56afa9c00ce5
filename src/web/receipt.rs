//! The receipt as files: a page that checks itself without a network, the printed certificate, and the data of both.

use super::problem::Problem;
use super::site::Site;
use crate::app::opened::Opened;
use crate::app::receipt::{self, NoReceipt};
use crate::domain::receipt::Certificate;
use crate::domain::vocabulary::Use;
use crate::ledger::receipt::{IN_PAGE, Receipt};
use crate::report::labels::Language;
use crate::report::model::receipt::ReceiptRow;
use crate::report::{ReportError, pdf};
use crate::store::StoreError;
use crate::values::Unit;
use askama::Template;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const STYLE: &str = concat!(include_str!("assets/site.css"), include_str!("assets/receipt.css"));
pub(super) const PROOF: &str = include_str!("assets/proof.js");
const RECEIPT: &str = include_str!("assets/receipt.js");
const NOBLE: &str = include_str!("assets/vendor/noble-ed25519-3.2.0.js");

/// The scripts of the page, in order. A module's exports cannot be reached from another script of the same file.
pub(super) static SCRIPTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let exports = NOBLE.rfind("export {").unwrap_or(NOBLE.len());
    let noble = format!("{}globalThis.nobleEd25519 = {{ verifyAsync }};\n", &NOBLE[..exports]);
    [noble, PROOF.to_owned(), RECEIPT.to_owned()]
});

/// The files there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The page that checks itself.
    Html,
    /// The printed certificate.
    Pdf,
    /// What the page holds, as its own file.
    Json,
}

impl Format {
    /// From the end of a file's name.
    pub fn of(extension: &str) -> Option<Self> {
        match extension {
            "html" => Some(Self::Html),
            "pdf" => Some(Self::Pdf),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The end of a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Json => "json",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Json => "application/json",
        }
    }
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage<'r> {
    language: Language,
    title: &'r str,
    number: &'r str,
    organisation: &'r str,
    host: &'r str,
    style: &'r str,
    style_hash: String,
    scripts: &'r [String],
    script_hashes: Vec<String>,
    receipt: String,
    given: String,
}

impl ReceiptPage<'_> {
    fn say<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.language.choose(zh, en)
    }
}

/// What the content security policy allows: this text and no other.
fn hash_of(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The file of a certificate in one format, with its name.
pub async fn file(
    site: &Site,
    certificate: &Certificate,
    format: Format,
    language: Language,
) -> Result<(String, Vec<u8>), Problem> {
    let opened = &site.opened;
    let receipt = receipt::gather(opened, &site.items, certificate, &site.witnesses).await?;
    let proven = receipt.verify(&receipt.vkey).map_err(NoReceipt::from)?;
    let row = receipt::row(opened, certificate, &receipt, &proven).await?;
    let bytes = match format {
        Format::Json => receipt.to_bytes().map_err(|error| broken(&error.to_string()))?,
        Format::Html => page(opened, &row, &receipt, language).await?.into_bytes(),
        Format::Pdf => {
            let mut bytes = pdf::render(&row.document(language)).map_err(undrawable)?;
            // A comment behind the end of the file, by which the page that checks files knows what was dropped on it.
            bytes.extend(format!("% mingzhang certificate {}\n", certificate.number).bytes());
            bytes
        }
    };
    let language = language.choose("zh", "en");
    Ok((format!("{}.{language}.{}", certificate.number, format.extension()), bytes))
}

async fn page(opened: &Opened, row: &ReceiptRow, receipt: &Receipt, language: Language) -> Result<String, StoreError> {
    let labels = language.labels();
    let (host, slug) = (row.origin.split('/').next().unwrap_or_default(), opened.row.slug.as_str());
    let mut given = words(opened, language).await?;
    (given["host"], given["slug"]) = (host.into(), slug.into());
    let page = ReceiptPage {
        language,
        title: labels.text("receipt.title"),
        number: &row.number,
        organisation: language.choose(&row.name_zh, &row.name_en),
        host,
        style: STYLE,
        style_hash: hash_of(STYLE),
        scripts: &*SCRIPTS,
        script_hashes: SCRIPTS.iter().map(|script| hash_of(script)).collect(),
        receipt: STANDARD.encode(receipt.to_bytes().unwrap_or_default()),
        // No `<` in it can end the element.
        given: given.to_string().replace('<', "\\u003c"),
    };
    Ok(page.render().expect("writing into a string cannot fail"))
}

/// What a page that shows a receipt calls units, uses and kinds of entries.
pub(super) async fn words(opened: &Opened, language: Language) -> Result<Value, StoreError> {
    let labels = language.labels();
    let lines = opened.store.lines(opened.row.ledger_id).await?;
    let units = lines.iter().filter_map(|(_, name)| name.split_once('/')?.1.parse::<Unit>().ok());
    let units: BTreeMap<String, Unit> = units.map(|unit| (unit.to_string(), unit)).collect();
    let kinds = KINDS.iter().map(|kind| (*kind, labels.word("kind", &kind.replace('.', "_"))));
    Ok(json!({
        "digits": units.iter().map(|(name, unit)| (name.clone(), unit.minor_digits().into())).collect::<BTreeMap<_, Value>>(),
        "units": units.iter().map(|(name, unit)| (name.clone(), labels.unit(*unit))).collect::<BTreeMap<_, _>>(),
        "uses": Use::ALL.iter().map(|of| (of.as_str(), labels.word("use", of.as_str()))).collect::<BTreeMap<_, _>>(),
        "kinds": kinds.collect::<BTreeMap<_, _>>(),
    }))
}

/// Kinds of entries that touch a gift.
const KINDS: [&str; 10] = [
    "donation.received",
    "donation.refunded",
    "receipt.issued",
    "fund.transferred",
    "disbursement.approved",
    "disbursement.rejected",
    "disbursement.paid",
    "disbursement.returned",
    "entry.reversed",
    "report.published",
];

fn broken(what: &str) -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "receipt_broken",
        format!("凭证开不出来：{what}。请组织运行 mingzhang verify。"),
        format!("The receipt cannot be made: {what}. The charity should run `mingzhang verify`"),
    )
}

fn undrawable(error: ReportError) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "undrawable",
        format!("这张凭证印不出来：{error}。自证凭证（HTML）不受影响。"),
        format!("The certificate cannot be printed: {error}. The receipt that proves itself (HTML) can be had"),
    )
}

impl From<NoReceipt> for Problem {
    fn from(error: NoReceipt) -> Self {
        let text = error.to_string();
        let unprocessable = |code, zh: String| Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh, text.clone());
        match error {
            NoReceipt::Store(error) => error.into(),
            NoReceipt::Write(error) => error.into(),
            NoReceipt::Refused(refusal) => refusal.into(),
            NoReceipt::Shut(gift) => {
                unprocessable("record_shut", format!("捐赠 {gift} 的登记信息打不开：密钥已删除，或另行保管。"))
            }
            NoReceipt::TooMany(gift) => unprocessable(
                "too_many_entries",
                format!("捐赠 {gift} 牵涉的记录太多，一张凭证放不下；可用 mingzhang trace 查看。"),
            ),
            NoReceipt::Unsigned => {
                let problem = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "not_signed_yet",
                    "账本还没有签名到这一条，请稍后再试。",
                    text,
                );
                Self { retry_after: Some(2), ..problem }
            }
            NoReceipt::Broken(error) => broken(&error.to_string()),
        }
    }
}
