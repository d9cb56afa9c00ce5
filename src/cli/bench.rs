//! `bench`: how fast this program is on this machine.

use super::out::complain;
use super::session::{Failure, Session};
use crate::app::bench::{self, Figure};
use crate::app::writer::chain;
use crate::web;

/// Measure this program against ceilings of this machine
#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// Only this figure, by its name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

impl Bench {
    /// Runs it.
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let on_server = session.folder.place().is_shared();
        let names = if on_server {
            web::bench::SERVER_NAMES.to_vec()
        } else {
            [&bench::NAMES[..], &web::bench::NAMES].concat()
        };
        if let Some(only) = self.only.as_deref().filter(|only| !names.contains(only)) {
            let names = names.join(", ");
            return Err(Failure::input(
                format!("没有名为“{only}”的测量项。可选：{names}。"),
                format!("there is no figure “{only}”; there are: {names}"),
            ));
        }
        let folder = session.folder.path().join(format!("bench-{}", std::process::id()));
        let say = |text: &str| complain(text);
        let only = self.only.as_deref();
        let measured = async {
            if on_server {
                return web::bench::run_on_server(&session.folder.elsewhere(&folder), only, session.clock, say).await;
            }
            let mut figures = bench::run(&folder, only, session.clock, say).await?;
            figures.extend(web::bench::run(&folder, only, session.clock, say).await?);
            Ok::<_, bench::BenchError>(figures)
        };
        let measured = measured.await;
        let removed = std::fs::remove_dir_all(&folder);
        let figures = measured.map_err(|error| Failure::input(chain(&error), chain(&error)))?;
        removed.map_err(|error| {
            Failure::input(format!("{}：{error}", folder.display()), format!("{}: {error}", folder.display()))
        })?;
        tell(session, &figures);
        Ok(())
    }
}

fn tell(session: &Session, figures: &[Figure]) {
    let thousandths = |n: u64| format!("{}.{:03}", n / 1000, n % 1000);
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|figure| {
            vec![
                figure.name.into(),
                figure.unit.into(),
                figure.ours.median.to_string(),
                figure.ceiling.median.to_string(),
                thousandths(figure.ratio_thousandths),
            ]
        })
        .collect();
    session.out.table(&[("name", false), ("unit", false), ("ours", true), ("ceiling", true), ("ratio", true)], &rows);
    let spread =
        |spread: bench::Spread| serde_json::json!({"min": spread.min, "median": spread.median, "max": spread.max});
    let results: Vec<serde_json::Value> = figures
        .iter()
        .map(|figure| {
            let ratio: serde_json::Number = thousandths(figure.ratio_thousandths).parse().expect("digits and a dot");
            serde_json::json!({"name": figure.name, "unit": figure.unit, "ours": spread(figure.ours), "ceiling": spread(figure.ceiling), "ratio": ratio})
        })
        .collect();
    session.out.object(&serde_json::json!({"results": results}));
}
