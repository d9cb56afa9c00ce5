//! `serve`: the same ledger over HTTP.

use super::session::{Failure, Session};
use super::trouble_zh;
use super::verify::policy;
use crate::app::writer;
use crate::ledger::policy::Witness;
use crate::store::Place;
use crate::web::{self, site::Site};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// Where the pages are, where nobody says otherwise.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

/// Serve the ledger over HTTP: pages for donors, an interface for programs
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Where to listen
    #[arg(long, default_value = LISTEN)]
    listen: SocketAddr,
    /// Where to tell figures of operation, for Prometheus; only to those who may see them
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Take clients' addresses from X-Forwarded-For: only behind a proxy of your own
    #[arg(long)]
    behind_proxy: bool,
    /// Read for pages from this replica of the database; each answer says which size of the ledger it is of
    #[arg(long, value_name = "URL", value_parser = super::place::parser())]
    replica: Option<Place>,
    /// Show checkpoints to the witnesses of this file (C2SP tlog-policy), and keep what they sign
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
}

impl Serve {
    /// Runs it, until it is told to stop.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let listener = bind(self.listen).await?;
        let metrics = match self.metrics {
            None => None,
            Some(address) => Some(bind(address).await?),
        };
        let manner = Manner {
            behind_proxy: self.behind_proxy,
            replica: self.replica.as_ref(),
            witnesses: self
                .witnesses
                .as_deref()
                .map(policy)
                .transpose()?
                .map(|policy| policy.witnesses)
                .unwrap_or_default(),
        };
        serve(session, listener, metrics, &[], manner).await
    }
}

pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let place = address.to_string();
    let told =
        |error: io::Error| Failure::input(trouble_zh::file(Path::new(&place), &error), format!("{place}: {error}"));
    TcpListener::bind(address).await.map_err(told)
}

/// How a ledger is served.
#[derive(Default)]
pub(super) struct Manner<'m> {
    behind_proxy: bool,
    replica: Option<&'m Place>,
    witnesses: Vec<Witness>,
}

/// Serves on a listener; `paths` are pages worth opening, with their words.
pub(super) async fn serve(
    session: &Session,
    listener: TcpListener,
    metrics: Option<TcpListener>,
    paths: &[(String, &'static str, &'static str)],
    manner: Manner<'_>,
) -> Result<(), Failure> {
    session.end().await;
    let lock = session.folder.lock().await?;
    let mut opened = session.open().await?;
    if let Some(replica) = manner.replica {
        opened.store = opened.store.read_from(replica);
        if let Err(error) = opened.store.try_replica().await {
            let why = writer::chain(&error);
            session.out.warn(
                format!("只读副本 {replica} 没有回答（{why}），先读数据库本身，等它回来。"),
                format!("The replica {replica} does not answer ({why}); the database itself is read until it does"),
            );
        }
    }
    let writer = writer::start(session.open().await?, lock, session.clock, session.trust).await?;
    let address = listener.local_addr().map_err(|error| told(&error))?;
    session.out.say(
        format!("网站已启动：http://{address}/（按 Ctrl+C 结束）"),
        format!("Serving at http://{address}/ (Ctrl+C ends it)"),
    );
    for (path, zh, en) in paths {
        session.out.say(format!("  http://{address}{path}  {zh}"), format!("  http://{address}{path}  {en}"));
    }
    let metrics_at = metrics.as_ref().and_then(|metrics| metrics.local_addr().ok()).map(|address| address.to_string());
    session.out.object(&serde_json::json!({"listening": address.to_string(), "metrics": metrics_at}));
    let mut site = Site::open(opened, session.clock, session.trust).await?.with_writer(writer);
    site.behind_proxy = manner.behind_proxy;
    site.witnesses = manner.witnesses;
    web::serve(site, listener, metrics, stop()).await?;
    session.out.say("已停止，所有记录都已存盘并签名。", "Stopped; everything is stored and signed");
    Ok(())
}

fn told(error: &io::Error) -> Failure {
    Failure::input(error.to_string(), error.to_string())
}

/// Ctrl+C, or the polite signal of a supervisor.
pub(super) async fn stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut polite = match signal(SignalKind::terminate()) {
        Ok(polite) => polite,
        Err(_) => return drop(tokio::signal::ctrl_c().await),
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = polite.recv() => {}
    }
}
