//! `demo`: from nothing to published books in one command: a child with leukaemia, 132,000.00 yuan, every fen followed.

use super::account::text;
use super::init::Init;
use super::out::Out;
use super::session::{Failure, Session};
use super::{report, serve, trace, trouble_zh};
use crate::app::demo::{Sample, case_statements, general_statement};
use crate::app::import::{self, Import, Mode};
use crate::app::writer::{Submission, chain};
use crate::domain::command::{FileCampaign, OpenCase, OpenFund, Order, RequestDisbursement, Transfer};
use crate::domain::vocabulary::{Basis, Category, FeeOnRefund, FundType, PayeeClass, ReasonClass, TransferReason, Use};
use crate::exchange::import::{Mapping, Options};
use crate::values::{AccountId, Amount, CampaignId, CaseId, Day, FundId, Hash, Origin, StaffId, Unit};
use serde_json::json;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

/// A worked example from nothing: gifts, a case under four eyes, reports, a trace
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Folder for the demo's ledger and files; `mingzhang-demo` where not given
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Do not serve the pages afterwards
    #[arg(long)]
    no_serve: bool,
}

const CASE: &str = "c_2026k0031";

impl Demo {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let elsewhere = Some(session.folder.path()).filter(|path| *path != Path::new(super::DATA));
        let dir = self.dir.as_deref().or(elsewhere).unwrap_or(Path::new("mingzhang-demo"));
        if dir.join(crate::store::FILE_NAME).exists() {
            return Err(Failure::input(
                format!("{} 里已经有账本。换一个文件夹（--dir），或先把它移开。", dir.display()),
                format!(
                    "{} holds a ledger already: name another folder with --dir, or move it away first",
                    dir.display()
                ),
            ));
        }
        let told = Session {
            out: session.out,
            folder: session.folder.elsewhere(dir),
            ledger: None,
            acting: None,
            key: None,
            trust: session.trust,
            clock: session.clock,
            entropy: RefCell::new(crate::entropy::Entropy::new()),
            server: None,
            service: Mutex::default(),
            settings: crate::config::Settings::default(),
            flags: Vec::new(),
        };
        let quiet = Session {
            out: Out { json: false, ..session.out },
            folder: told.folder.clone(),
            ledger: None,
            acting: None,
            key: None,
            trust: session.trust,
            clock: session.clock,
            entropy: RefCell::new(crate::entropy::Entropy::new()),
            server: None,
            service: Mutex::default(),
            settings: crate::config::Settings::default(),
            flags: Vec::new(),
        };
        let member = story(&told, &quiet, dir).await?;
        if self.no_serve { Ok(()) } else { open_pages(&told, member).await }
    }
}

/// Serves the demo's ledger, at the usual port or at a free one, and says what to open.
async fn open_pages(session: &Session, member: Option<u64>) -> Result<(), Failure> {
    let listener = match TcpListener::bind("127.0.0.1:8080").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await.map_err(|error| {
            let place = Path::new("127.0.0.1");
            Failure::input(trouble_zh::file(place, &error), format!("127.0.0.1: {error}"))
        })?,
    };
    let mut paths = vec![("/".to_owned(), "首页", "the organisation")];
    if let Some(seq) = member {
        let answer = session.send(format!("/donations/{seq}/code"), json!({})).await?;
        paths.push((format!("/g/{}", text(&answer, "code")), "一名会员的捐款去了哪里", "where a member's gift went"));
    }
    paths.push((format!("/zh/case/{CASE}"), "个案", "the case, in Chinese"));
    serve::serve(session, listener, None, &paths, serve::Manner::default()).await
}

/// The users of the story and the way to post.
struct Story<'s> {
    session: &'s Session,
    handle: crate::app::writer::Handle,
    maker: StaffId,
    checker: StaffId,
}

fn day(month: i8, day: i8) -> Day {
    Day::new(2026, month, day).expect("days of the story exist")
}

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, Unit::CNY).expect("amounts of the story are small")
}

fn parsed<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("names of the story follow their grammar")
}

impl Story<'_> {
    async fn post(&self, by: &StaffId, order: Order) -> Result<u64, Failure> {
        self.post_coded(by, order, Vec::new()).await
    }

    async fn post_coded(
        &self,
        by: &StaffId,
        order: Order,
        codes: Vec<(&'static str, Hash, String)>,
    ) -> Result<u64, Failure> {
        let submission = Submission { codes, ..Submission::bare(by, order) };
        let result =
            self.handle.post(vec![submission]).await?.into_iter().next().expect("one answer for one command")?;
        Ok(result.seq + result.count - 1)
    }

    async fn open_fund(
        &self,
        id: &str,
        fund_type: FundType,
        zh: &str,
        en: &str,
        purpose: Vec<Category>,
    ) -> Result<(), Failure> {
        let order =
            OpenFund { fund: parsed(id), fund_type, name_zh: zh.into(), name_en: en.into(), purpose, uses: Vec::new() };
        self.post(&self.maker, Order::OpenFund(order)).await.map(drop)
    }

    async fn import(&self, sample: &Sample, folder: &Path, fund: &str) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::input(error.to_string(), error.to_string());
        let path = folder.join(&sample.name);
        std::fs::write(&path, &sample.csv).map_err(failed)?;
        std::fs::write(path.with_extension("toml"), &sample.mapping).map_err(failed)?;
        let mapping = Mapping::parse(&sample.mapping).map_err(|error| Failure::input(chain(&error), chain(&error)))?;
        let order = Import {
            path,
            fund: parsed(fund),
            account: None,
            options: Options {
                format: None,
                mapping: Some(mapping),
                default_day: None,
                file_name: sample.name.clone(),
            },
            mode: Mode::Post,
            hand_back: vec![folder.to_owned()],
        };
        let origin = self.session.open().await?.row.origin;
        let mut entropy = crate::entropy::Entropy::new();
        let imported = import::import(order, &origin, &self.maker, &self.handle, &mut entropy, |_, _, _| ()).await;
        let imported = imported.map_err(|error| Failure::input(chain(&error), chain(&error)))?;
        let (unit, total) = imported.total;
        let (count, figure) = (imported.accepted, crate::values::amount::format_minor(total, unit));
        self.session.out.say(
            format!("  导入 {}：{count} 笔，{figure} 元", sample.name),
            format!("  imported {}: {count} gifts, {figure} yuan", sample.name),
        );
        Ok(())
    }

    /// A payment from request to acknowledgement; gives the entry of the request.
    async fn pay(
        &self,
        minor: i64,
        purpose: Use,
        payee_class: PayeeClass,
        vouchers: u64,
        on: Day,
    ) -> Result<u64, Failure> {
        let request = Order::RequestDisbursement(RequestDisbursement {
            case: parsed(CASE),
            fund: None,
            amount: yuan(minor),
            purpose,
            payee_class,
            payee: None,
            vouchers,
            on,
        });
        let request = self.post(&self.maker, request).await?;
        self.post(&self.checker, Order::ApproveDisbursement { request, on }).await?;
        self.post(&self.maker, Order::PayDisbursement { request, account: parsed("bank/main"), on }).await?;
        Ok(request)
    }
}

async fn story(session: &Session, quiet: &Session, dir: &Path) -> Result<Option<u64>, Failure> {
    let out = &session.out;
    let init = Init {
        origin: parsed::<Origin>("mingzhang.example/wuzhong-love"),
        name_zh: "吴忠市利通区示例慈善协会".into(),
        name_en: "Wuzhong Litong Example Charity".into(),
        uscc: None,
        continues: None,
        continues_vkey: None,
        time_zone: "Asia/Shanghai".into(),
        user: "李经办".into(),
    };
    let (_, maker) = init.open(session).await?;
    let opened = session.open().await?;
    let checker: StaffId = parsed("u_checker");
    opened.store.put_staff(opened.row.ledger_id, checker.as_str(), "王复核").await?;
    opened.store.put_role(opened.row.ledger_id, checker.as_str(), "checker").await?;
    let (family_code, family_hash) = session.code(&opened);
    let family_row = opened.keys.vault.code_row("family", family_hash, CASE);
    opened.store.close().await;
    out.say(
        "明账演示：一名患白血病的孩子，收到 132,000.00 元。人物和商家都是虚构的。",
        "Mingzhang demo: a child with leukaemia, 132,000.00 yuan received. All people and firms are invented.",
    );
    let posting = session.begin().await?;
    let story = Story { session, handle: posting.handle, maker, checker };
    let (maker, checker) = (story.maker.clone(), story.checker.clone());

    let (case, fund, campaign): (CaseId, FundId, CampaignId) = (parsed(CASE), parsed("f_3k9w"), parsed("k_2026f0007"));
    let open = OpenCase {
        case: case.clone(),
        fund: fund.clone(),
        categories: vec![Category::Minor, Category::Health],
        region_zh: "宁夏吴忠市".into(),
        region_en: "Wuzhong, Ningxia".into(),
        on: day(2, 19),
    };
    story.post_coded(&maker, Order::OpenCase(open), vec![("family", family_hash, family_row)]).await?;
    story.post(&maker, Order::AssessCase { case: case.clone(), need: yuan(15_000_000), on: day(2, 19) }).await?;
    story
        .post(&checker, Order::ApproveCase { case: case.clone(), limit: Some(yuan(13_200_000)), on: day(2, 20) })
        .await?;
    let plan = FileCampaign {
        campaign: campaign.clone(),
        name_zh: "白血病患儿紧急救助".into(),
        name_en: "Urgent help for a child with leukaemia".into(),
        fund: fund.clone(),
        filing_no: None,
        starts_on: day(3, 2),
        ends_on: day(4, 15),
        target: yuan(12_000_000),
        surplus: Basis::SimilarPurpose,
        on: day(2, 20),
    };
    story.post(&maker, Order::FileCampaign(plan)).await?;
    story.post(&maker, Order::OpenCampaign { campaign: campaign.clone(), on: day(3, 2) }).await?;
    story
        .open_fund(
            "children_leukaemia_relief",
            FundType::Restricted,
            "儿童白血病救助项目",
            "Children's leukaemia relief",
            vec![Category::Health],
        )
        .await?;
    story.open_fund("general", FundType::Unrestricted, "日常捐赠", "General fund", Vec::new()).await?;
    let account: AccountId = parsed("bank/main");
    story.post(&maker, Order::OpenAccount { account, funds: vec![fund.clone()] }).await?;

    let statements = dir.join("statements");
    std::fs::create_dir_all(&statements).map_err(|error| Failure::input(error.to_string(), error.to_string()))?;
    let samples = case_statements();
    out.say("个案专款：", "The case's own fund:");
    let import = |place: usize| story.import(&samples[place], &statements, "f_3k9w");
    import(0).await?;
    import(1).await?;
    let first = story.pay(3_000_000, Use::Hospital, PayeeClass::Hospital, 1, day(3, 5)).await?;
    import(2).await?;
    import(3).await?;
    import(4).await?;
    story.pay(5_000_000, Use::Hospital, PayeeClass::Hospital, 1, day(3, 12)).await?;
    import(5).await?;
    import(6).await?;
    story.pay(300_000, Use::Nutrition, PayeeClass::Guardian, 3, day(3, 22)).await?;
    // Part of the payment before was recorded twice: it is found the next day and reversed.
    let double = story.pay(100_000, Use::Nutrition, PayeeClass::Guardian, 1, day(3, 22)).await?;
    story.post(&maker, Order::Reverse { target: double + 2, reason: ReasonClass::Duplicate, on: day(3, 23) }).await?;
    story.pay(1_234_560, Use::Drugs, PayeeClass::Pharmacy, 4, day(3, 28)).await?;
    story.pay(648_000, Use::LodgingTravel, PayeeClass::Guardian, 6, day(4, 2)).await?;
    let last = story.pay(1_268_000, Use::Hospital, PayeeClass::Hospital, 1, day(4, 10)).await?;
    story.post(&StaffId::system(), Order::AcknowledgeDisbursement { request: first, on: day(3, 8) }).await?;
    story.post(&maker, Order::EndCampaign { campaign, on: day(4, 15) }).await?;
    let back = Order::ReturnDisbursement { request: last, amount: Some(yuan(432_000)), account: None, on: day(4, 20) };
    story.post(&maker, back).await?;
    let surplus = Transfer {
        from: fund.clone(),
        to: parsed("children_leukaemia_relief"),
        amount: None,
        unit: Unit::CNY,
        reason: TransferReason::Surplus,
        basis: Some(Basis::SimilarPurpose),
        on: day(5, 10),
    };
    story.post(&maker, Order::Transfer(surplus)).await?;
    story.post(&maker, Order::CloseCase { case, on: day(5, 12) }).await?;
    out.say(
        "  住院、营养、药品、陪护，一笔退回，一笔冲销，余款转入相近项目，结案",
        "  hospital, food, drugs, lodging; one payment returned in part, one reversed; the surplus moved on; closed",
    );

    out.say("日常捐赠，渠道收手续费：", "The general fund, with channel fees:");
    story.import(&general_statement(), &statements, "general").await?;
    let opened = session.open().await?;
    let size = opened.row.size;
    let (member, general) = find_gifts(&opened, size).await?;
    if let Some(general) = general {
        let refund = Order::RefundDonation {
            donation: general,
            amount: None,
            fee: FeeOnRefund::Returned,
            reason: ReasonClass::DonorRequest,
            on: day(3, 11),
        };
        story.post(&maker, refund).await?;
        out.say(format!("  捐赠 {general} 应捐赠人要求退还"), format!("  gift {general} went back to its donor"));
    }
    story.handle.finish().await?;
    drop(story);
    opened.store.close().await;
    publish_and_show(session, quiet, dir, member, &family_code).await
}

/// The member's gift whose trace is shown, and a gift of the general fund to refund.
async fn find_gifts(opened: &crate::app::opened::Opened, size: u64) -> Result<(Option<u64>, Option<u64>), Failure> {
    let (mut member, mut general) = (None, None);
    for entry in opened.store.entries(opened.row.ledger_id, 0, u32::try_from(size).unwrap_or(u32::MAX)).await? {
        let Ok(entry) = crate::ledger::entry::Entry::parse(&entry.bytes) else { continue };
        let Some(gift) = crate::domain::donation::Donation::from_entry(&entry).ok().flatten() else { continue };
        let from = gift.spans.first().map(|(_, span)| span.from);
        if gift.fund.as_str() == "f_3k9w" && from == Some(7_980_000) {
            member = Some(gift.seq);
        }
        if gift.fund.as_str() == "general" && general.is_none() {
            general = Some(gift.seq);
        }
    }
    Ok((member, general))
}

async fn publish_and_show(
    session: &Session,
    quiet: &Session,
    dir: &Path,
    member: Option<u64>,
    family_code: &str,
) -> Result<Option<u64>, Failure> {
    let out = &session.out;
    let published = report::publish(session, CASE, Some(&dir.join("reports")), serde_json::json!({})).await?;
    out.say("已公布个案报告：", "The case report is published:");
    report::say_files(session, &published);
    let opened = session.open().await?;
    if let Some(member) = member.filter(|_| !out.json) {
        out.say("一名会员的 500.00 元去了哪里：", "Where a member's 500.00 yuan went:");
        trace::show(quiet, member, None).await?;
    }
    let size = opened.row.size;
    opened.store.close().await;
    let verdict = crate::app::verify::verify(&session.folder, None, |_, _| ()).await?;
    let data = dir.display();
    let seq = member.unwrap_or(0);
    out.say(
        format!(
            "账本 {size} 条记录，核对{}。家属确认码：{family_code}\n\n接着试试：\n  cargo run -- trace {seq} --data {data}\n  cargo run -- fund list --data {data}\n  \
             cargo run -- donation code {seq} --data {data}\n  cargo run -- donation receipt {seq} --data {data}\n  cargo run -- verify --data {data}\n  cargo run -- export {data}/export --data {data}",
            if verdict.first_bad.is_none() { "完好" } else { "有误" }
        ),
        format!(
            "{size} entries; the ledger {}. The family's code: {family_code}\n\nWhat to try next:\n  cargo run -- trace {seq} --data {data}\n  cargo run -- fund list --data {data}\n  \
             cargo run -- donation code {seq} --data {data}\n  cargo run -- donation receipt {seq} --data {data}\n  cargo run -- verify --data {data}\n  cargo run -- export {data}/export --data {data}",
            if verdict.first_bad.is_none() { "holds" } else { "does not hold" }
        ),
    );
    out.object(&json!({
        "dir": data.to_string(), "entries": size, "ok": verdict.first_bad.is_none(), "case": CASE, "files": published["files"], "member_gift": member,
        "family_code": family_code,
    }));
    if verdict.first_bad.is_none() { Ok(member) } else { Err(Failure::NotOk) }
}
