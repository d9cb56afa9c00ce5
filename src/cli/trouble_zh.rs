//! Trouble with files, the database and the clock, in Chinese: what happened, where, and what to do. What the machine itself says
//! stands in brackets, as it said it.

use crate::app::folder::OpenError;
use crate::app::writer::{WriteError, chain};
use crate::store::StoreError;
use std::io::ErrorKind;
use std::path::Path;

/// The machine's own words about a cause.
fn machine(cause: &dyn std::error::Error) -> String {
    format!("（{}）", chain(cause))
}

/// A file that could not be used.
pub(super) fn file(path: &Path, cause: &std::io::Error) -> String {
    let known = [
        (ErrorKind::NotFound, "找不到这个文件或文件夹，请核对名称"),
        (ErrorKind::PermissionDenied, "没有权限，请检查文件的权限"),
        (ErrorKind::InvalidInput, "不是普通文件（管道或设备不能读两遍），请先存成文件"),
        (ErrorKind::IsADirectory, "这是文件夹，不是文件，请核对名称"),
        (ErrorKind::StorageFull, "磁盘已满，请腾出空间后重试"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == cause.kind());
    let why = found.map_or_else(|| format!("读写失败{}", machine(cause)), |(_, why)| (*why).to_owned());
    format!("{}：{why}。", path.display())
}

pub(super) fn store(error: &StoreError) -> String {
    match error {
        StoreError::Missing { place } => {
            format!("{place} 里还没有账本。请先用 mingzhang init 开立账本，或用 --data 指明数据文件夹。")
        }
        StoreError::Unreachable { place, source } => {
            format!("连不上数据库 {place}{}。请确认服务器在运行，地址、用户和密码正确。", machine(source))
        }
        StoreError::NoConnection => "数据库没有空闲的连接：它停了，或太忙。请稍后再试。".into(),
        StoreError::Foreign { place } => {
            format!("{place} 里有别的程序的数据表，没有改动。请给本程序一个空的数据库。")
        }
        StoreError::NotUtf8 { place, encoding } => format!(
            "{place} 的文字编码是 {encoding}，要用 UTF-8：create database … encoding 'UTF8' template template0。"
        ),
        StoreError::Statement { source, .. } => {
            format!(
                "数据库出错，这一步没有写入{}。请检查数据库服务器，或数据文件夹所在的磁盘，再运行同一条命令。",
                machine(source)
            )
        }
        StoreError::Migrate(source) => {
            format!("数据库不能升级到本版本的结构{}。请确认没有用旧版本打开新版本的数据。", machine(source))
        }
        StoreError::HeadMoved => "另一个程序先写入了，这一批没有写入。请再运行一次。".into(),
        StoreError::Damaged { table, what } => {
            format!("数据表 {table} 中有一行已损坏（{what}）。请运行 mingzhang verify 查明是哪一条记录。")
        }
        StoreError::Ended { what } => format!("程序内部的一步没有做完（{what}），没有写入。请再运行一次。"),
        StoreError::DiskFull => "磁盘已满，这一步没有写入。请腾出空间，再运行同一条命令。".into(),
    }
}

pub(super) fn open(error: &OpenError) -> String {
    match error {
        OpenError::Store(error) => store(error),
        OpenError::File { path, source, .. } => file(path, source),
        OpenError::Key { path } => {
            format!("{} 里不是密钥：应为 64 位十六进制数字。请从密钥的备份放回正确的文件。", path.display())
        }
        OpenError::Signed { path, source } => {
            format!("{} 不是本账本最后签署的检查点{}。请从备份放回正确的文件。", path.display(), machine(source))
        }
        OpenError::WhichLedger { slugs } => format!("这个文件夹里有几个账本（{slugs}），请用 --ledger 指明一个。"),
        OpenError::NoSuchLedger { slug, slugs } => format!("这里没有账本 {slug}；现有：{slugs}。"),
        OpenError::LedgerExists { slug } => format!("账本 {slug} 已经在这个文件夹里。"),
        OpenError::Busy { path } => {
            format!(
                "另一个 mingzhang 正在写入 {}，请等它完成后再运行一次；如果那是服务器，请加上 --server 网址 --token 令牌，由它来办。",
                path.display()
            )
        }
        OpenError::Unfinished { slug } => {
            format!("{slug} 是一份中断的副本。请再运行同一条 copy、backup 或 restore 命令，会从中断处继续。")
        }
        OpenError::OtherKeys { path, what } => {
            format!("{} 里的密钥不是这个账本的（{what}）。请从密钥的副本中放回正确的文件。", path.display())
        }
        OpenError::Behind { found, signed, path } => format!(
            "数据库只有 {found} 条记录，而已签署的有 {signed} 条：这是较旧的副本。为免签出第二份历史，没有写入。请放回最新的数据库副本；如果已经没有，请开立接续它的新账本：mingzhang init --continues {}。",
            path.display()
        ),
        OpenError::OtherHistory { signed } => format!(
            "数据库里前 {signed} 条记录不是已签署的历史：它是另一份，或被改过。没有写入。请把它留作证据，并放回与最后签署的检查点相符的数据库（其他节点的或备份）。"
        ),
    }
}

pub(super) fn write(error: &WriteError) -> String {
    match error {
        WriteError::Store(error) => store(error),
        WriteError::Unsure(error) => {
            format!(
                "数据库中断，不知道这一步有没有写入{}。请用同一个幂等键或订单号再发一次：写过的不会重复。",
                machine(error)
            )
        }
        WriteError::File(error) => open(error),
        WriteError::Clock { now, last, days } => format!(
            "时钟显示 {now}，最后一条记录是 {last}，相差 {days} 天。请核对时钟；确认无误后加上 --accept-clock 再运行。"
        ),
        WriteError::ClockJumped { seconds } => {
            format!("程序运行期间时钟跳动了 {seconds} 秒，不再入账。请核对时钟后重新开始。")
        }
        WriteError::Fault(what) => format!("有一条记录未能入账，这是本程序的缺陷（{what}）。没有写入。"),
        WriteError::Full => "等待入账的太多了，请稍后再试。".into(),
        WriteError::Ended => "写入程序已经结束，没有写入。请再运行一次。".into(),
    }
}
