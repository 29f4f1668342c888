//! Prints how fast entries are appended and a whole log is verified on one core:
//! `cargo run --release -p sekisho-ledger --example ledger_speed [-- ENTRIES]`.

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use sekisho_ledger::tile::push_entry;
use sekisho_ledger::{Bundle, Leaf, LogSigner, LogSource, SourceError, Tile, TreeHead, append, verify};

struct Memory {
    bundles: Vec<Vec<u8>>,
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
        Ok(self.bundles.get(usize::try_from(bundle.index)?).cloned())
    }
}

/// A stream identifier as scattered as a random one.
fn stream(case: u64) -> [u8; 16] {
    let a = case.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = a.rotate_left(31).wrapping_mul(0x94d0_49bb_1331_11eb);
    (u128::from(a) << 64 | u128::from(b)).to_be_bytes()
}

fn rate(entries: u64, since: Instant) -> f64 {
    entries as f64 / since.elapsed().as_secs_f64()
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let size: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse())?;
    // Cases of eight acts, 500 of them open at a time, as a city's acts interleave.
    let entry = |i: u64| {
        let (block, within) = (i / 4_000, i % 4_000);
        let (sequence, case) = (within / 500 + 1, block * 500 + within % 500);
        Leaf { body: "model-city", stream: stream(case), sequence, kind: "case.permit", commit: [7; 32] }
            .encode()
    };
    for group in [64, 1_000] {
        let entries = (0..200_000).map(entry).collect::<Result<Vec<_>, _>>()?;
        let (mut head, mut tiles) = (TreeHead::EMPTY, HashMap::<(u8, u64), Vec<u8>>::new());
        let start = Instant::now();
        for group in entries.chunks(group) {
            let batch = append(head, group, |t| Ok(tiles.get(&(t.level, t.index)).cloned()))?;
            head = batch.head;
            tiles.extend(batch.tiles.into_iter().map(|(t, bytes)| ((t.level, t.index), bytes)));
        }
        println!("append in batches of {group}: {:.0} entries/s", rate(head.size, start));
    }

    let mut log = Memory { bundles: Vec::new(), tiles: HashMap::new(), note: String::new() };
    let (mut head, mut first) = (TreeHead::EMPTY, 0);
    while first < size {
        let group = (first..size.min(first + 256)).map(entry).collect::<Result<Vec<_>, _>>()?;
        let mut bundle = Vec::new();
        for entry in &group {
            push_entry(&mut bundle, entry)?;
        }
        log.bundles.push(bundle);
        let batch = append(head, &group, |t| Ok(log.tiles.get(&(t.level, t.index)).cloned()))?;
        head = batch.head;
        log.tiles.extend(batch.tiles.into_iter().map(|(t, bytes)| ((t.level, t.index), bytes)));
        first = head.size;
    }
    let signer = LogSigner::from_seed("model-city", &[1; 32])?;
    log.note = signer.sign(head, &[])?.note;
    let start = Instant::now();
    let report = verify(&mut log, &signer.key(), &[], |_, _| ())?;
    println!(
        "verify {} entries of {} streams, every hash and sequence: {:.0} entries/s on one core",
        report.entries,
        report.streams,
        rate(report.entries, start)
    );
    if report.is_sound() { Ok(()) } else { Err("the log does not verify".into()) }
}
