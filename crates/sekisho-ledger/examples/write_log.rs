//! Writes a log of so many entries into a new folder, for trying other verifiers on it, and the evidence of one entry:
//! `cargo run -p sekisho-ledger --example write_log -- FOLDER SIZE [INDEX]`.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use sekisho_ledger::proof::prove_inclusion;
use sekisho_ledger::tile::push_entry;
use sekisho_ledger::{
    Bundle, Leaf, LogSigner, LogSource, SourceError, Tile, TlogProof, TreeHead, append, commit, export,
};

struct Memory {
    entries: Vec<Vec<u8>>,
    tiles: HashMap<(u8, u64), Vec<u8>>,
    note: String,
}

impl LogSource for Memory {
    fn checkpoint(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(Some(self.note.clone().into_bytes()))
    }

    fn tile(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.tiles.get(&(tile.level, tile.index)).cloned())
    }

    fn bundle(&mut self, bundle: Bundle) -> Result<Option<Vec<u8>>, SourceError> {
        let mut bytes = Vec::new();
        for entry in
            self.entries.iter().skip(usize::try_from(bundle.first())?).take(usize::from(bundle.width))
        {
            push_entry(&mut bytes, entry)?;
        }
        Ok(Some(bytes))
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(size)) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        return Err("usage: write_log FOLDER SIZE".into());
    };
    let size: u64 = size.parse()?;
    let entries = (0..size)
        .map(|i| {
            let stream = u128::from(i / 5).to_be_bytes();
            let kind = if i % 5 == 0 { "case.apply" } else { "case.permit" };
            let payload = format!("{{\"n\":{i}}}");
            Leaf { body: "model-city", stream, sequence: i % 5 + 1, kind, commit: commit(&[0; 16], &payload) }
                .encode()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut log = Memory { entries, tiles: HashMap::new(), note: String::new() };
    let mut head = TreeHead::EMPTY;
    for group in log.entries.chunks(1_000) {
        let batch = append(head, group, |t| Ok(log.tiles.get(&(t.level, t.index)).cloned()))?;
        head = batch.head;
        log.tiles.extend(batch.tiles.into_iter().map(|(t, bytes)| ((t.level, t.index), bytes)));
    }
    let signer = LogSigner::from_seed("model-city", &[1; 32])?;
    let signed = signer.sign(head, &[])?;
    log.note.clone_from(&signed.note);
    export(&mut log, &signer.key(), |path, bytes| {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, bytes)
    })?;
    let Some(index) = arguments.next() else { return Ok(()) };
    let index: u64 = index.parse()?;
    let (_, path) = prove_inclusion(head, index, |t| Ok(log.tiles.get(&(t.level, t.index)).cloned()))?;
    let entry = log.entries.get(usize::try_from(index)?).ok_or("no such entry")?;
    print!("{}", TlogProof::new(index, path, entry, &signed).encode());
    Ok(())
}
