//! `export`: the log as plain files that anybody can verify: `entries.jsonl` (each line the exact bytes of one entry), `checkpoint`
//! over exactly these entries, and `log.vkey`; or as the tree of files of C2SP `tlog-tiles`, which any web server can serve as a whole,
//! verifiable ledger.

use super::folder::{Folder, OpenError, frontier, put_file, replace};
use super::opened::Opened;
use super::tree::Tree;
use super::witnessed::cosigned;
use crate::ledger::tile;
use crate::store::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The folder.
    pub path: PathBuf,
    /// Count of entries.
    pub entries: u64,
}

/// Writes the log into a folder, which is made where it does not exist. Other files in it are left alone.
pub async fn export(folder: &Folder, slug: Option<&str>, target: &Path) -> Result<Exported, OpenError> {
    // Beside a server, which signs by itself, the log is written as it was last signed.
    let lock = match folder.lock().await {
        Ok(lock) => Some(lock),
        Err(OpenError::Busy { .. }) => None,
        Err(error) => return Err(error),
    };
    let opened = folder.open(slug).await?;
    let latest = opened.store.latest_checkpoint(opened.row.ledger_id).await?;
    let (size, note) = match latest {
        Some((signed, note)) if signed == opened.row.size || lock.is_none() => (signed, note),
        _ => {
            let size = opened.row.size;
            let organisation = opened.organisation().await?;
            let root = frontier(&opened.row)?.root();
            let note = opened.folder.sign(&opened.keys, organisation.key_at(size), size, root)?;
            opened.store.put_checkpoint(opened.row.ledger_id, size, &note).await?;
            (size, note)
        }
    };
    drop(lock);
    let note = cosigned(&opened.store, opened.row.ledger_id, size, note).await?;
    fs::create_dir_all(target).map_err(failed(target))?;
    let entries_path = target.join("entries.jsonl");
    let mut out = BufWriter::new(File::create(&entries_path).map_err(failed(&entries_path))?);
    let mut from = 0;
    while from < size {
        let page = opened.store.entries(opened.row.ledger_id, from, 2_000).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            if from < size {
                out.write_all(&entry.bytes).and_then(|()| out.write_all(b"\n")).map_err(failed(&entries_path))?;
                from += 1;
            }
        }
    }
    out.flush().map_err(failed(&entries_path))?;
    put_rotations(&opened, target).await?;
    let vkey = format!("{}\n", opened.vkey_at(size).await?);
    for (name, text) in [("checkpoint", note), ("log.vkey", vkey)] {
        let path = target.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(Exported { path: target.into(), entries: from })
}

/// Writes the log as it was last signed as a tree of files; one that holds an earlier size is brought up to date. The checkpoint comes
/// last, so that the tree is whole at any moment.
pub async fn export_static(
    folder: &Folder,
    slug: Option<&str>,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Exported, OpenError> {
    let opened = folder.open(slug).await?;
    let ledger_id = opened.row.ledger_id;
    let checkpoints = opened.store.checkpoints(ledger_id).await?;
    let none = || StoreError::Damaged { table: "checkpoint", what: "nothing has been signed yet".into() };
    let (size, newest) = checkpoints.last().cloned().ok_or_else(none)?;
    let tree = Tree::of(&opened.store, ledger_id, size);
    for tile in tile::all(size) {
        let path = target.join(tile.to_string());
        if !path.exists() {
            let short = || StoreError::Damaged { table: "entry", what: format!("{tile} is not there") };
            put_file(&path, &tree.tile(tile).await?.ok_or_else(short)?).map_err(failed(&path))?;
        }
        if tile.content == tile::Content::Entries {
            progress(tile.from() + tile.width, size);
        }
    }
    let mut last = newest;
    for (size, note) in checkpoints {
        let path = target.join("checkpoints").join(size.to_string());
        // Witnesses may have signed it since it was written.
        last = cosigned(&opened.store, ledger_id, size, note).await?;
        if fs::read(&path).ok().as_deref() != Some(last.as_bytes()) {
            put_file(&path, last.as_bytes()).map_err(failed(&path))?;
        }
    }
    put_rotations(&opened, target).await?;
    let vkey = format!("{}\n", opened.vkey_at(size).await?);
    for (name, text) in [("log.vkey", vkey.as_str()), ("checkpoint", last.as_str())] {
        let path = target.join(name);
        replace(&path, text, &mut OpenOptions::new()).map_err(failed(&path))?;
    }
    Ok(Exported { path: target.into(), entries: size })
}

/// What leads from each key of the log to the next, under its number.
async fn put_rotations(opened: &Opened, target: &Path) -> Result<(), OpenError> {
    for (place, proof) in opened.rotations().await?.into_iter().enumerate() {
        let path = target.join("rotations").join(place.to_string());
        put_file(&path, proof.as_bytes()).map_err(failed(&path))?;
    }
    Ok(())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::File { path, doing: "written", source }
}
