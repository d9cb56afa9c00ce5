//! `export`: the log as plain files that anybody can verify: `entries.jsonl` (each line the exact bytes of one entry), `checkpoint`
//! over exactly these entries, and `log.vkey`.

use super::folder::{Folder, OpenError, frontier};
use std::fs::{self, File};
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
    let lock = folder.lock().await?;
    let opened = folder.open(slug).await?;
    let size = opened.row.size;
    let latest = opened.store.latest_checkpoint(opened.row.ledger_id).await?;
    let note = match latest {
        Some((signed, note)) if signed == size => note,
        _ => {
            let note = opened.folder.sign(&opened.keys, size, frontier(&opened.row)?.root())?;
            opened.store.put_checkpoint(opened.row.ledger_id, size, &note).await?;
            note
        }
    };
    drop(lock);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| OpenError::File { path, doing: "written", source }
    };
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
    for (name, text) in [("checkpoint", note), ("log.vkey", format!("{}\n", opened.keys.log.verifier()))] {
        let path = target.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(Exported { path: target.into(), entries: from })
}
