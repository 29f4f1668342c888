//! Whole logs: written, exported, read back, damaged in every way, and verified.
#![expect(clippy::unwrap_used, reason = "what the tests share may fail them too")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use sekisho_ledger::tile::{Resource, push_entry};
use sekisho_ledger::{
    Bundle, Checkpoint, FileSource, Finding, Leaf, LogSigner, LogSource, Report, SourceError, Tile, TreeHead,
    VerifyError, append, export, verify,
};

/// An exported log held in memory: path and bytes.
type Files = BTreeMap<String, Vec<u8>>;

fn signer() -> LogSigner {
    LogSigner::from_seed("model-city", &[42; 32]).unwrap()
}

/// Entry `index` of a log in which seven streams take turns.
fn entry(index: u64) -> Vec<u8> {
    let stream = [u8::try_from(index % 7).unwrap(); 16];
    let commit = [u8::try_from(index % 251).unwrap(); 32];
    Leaf { body: "model-city", stream, sequence: index / 7 + 1, kind: "case.permit", commit }
        .encode()
        .unwrap()
}

fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(entry).collect()
}

/// What a database would hold: rows of entries, the widest tiles, the newest checkpoint.
struct Stored {
    entries: Vec<Vec<u8>>,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    note: String,
}

impl Stored {
    fn write(entries: Vec<Vec<u8>>) -> Self {
        let mut stored = Self { tiles: BTreeMap::new(), entries, note: String::new() };
        let mut head = TreeHead::EMPTY;
        for batch in stored.entries.chunks(97) {
            let batch = append(head, batch, |t| Ok(stored.tiles.get(&(t.level, t.index)).cloned())).unwrap();
            head = batch.head;
            stored.tiles.extend(batch.tiles.into_iter().map(|(t, bytes)| ((t.level, t.index), bytes)));
        }
        stored.note = signer().sign(head, &[]).unwrap().note;
        stored
    }
}

impl LogSource for Stored {
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

fn files(entries: Vec<Vec<u8>>) -> Files {
    let mut files = Files::new();
    export(&mut Stored::write(entries), &signer().key(), |path, bytes| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    })
    .unwrap();
    files
}

fn check(files: &Files, earlier: &[Checkpoint]) -> Result<Report, VerifyError> {
    let vkey = String::from_utf8(files["vkey"].clone()).unwrap_or_default();
    let key = sekisho_ledger::LogKey::parse(&vkey)?;
    let mut source = FileSource::new(|path, most| Ok(files.get(path).filter(|b| b.len() <= most).cloned()));
    verify(&mut source, &key, earlier, |_, _| ())
}

fn sound(files: &Files) -> bool {
    check(files, &[]).is_ok_and(|report| report.is_sound())
}

fn codes(files: &Files, earlier: &[Checkpoint]) -> Vec<&'static str> {
    check(files, earlier).unwrap().findings.iter().map(Finding::code).collect()
}

fn checkpoint(entries: &[Vec<u8>]) -> Checkpoint {
    let head = append(TreeHead::EMPTY, entries, |_| Ok(None)).unwrap().head;
    signer().sign(head, &[]).unwrap().checkpoint
}

#[test]
fn logs_of_every_awkward_size_verify() {
    for size in [0, 1, 2, 7, 255, 256, 257, 511, 512, 513, 1_000, 66_000] {
        let files = files(entries(size));
        let paths: Vec<String> = Resource::all(size).map(|r| r.path()).collect();
        assert_eq!(files.len(), paths.len());
        assert!(paths.iter().all(|p| files.contains_key(p)));
        let report = check(&files, &[]).unwrap();
        assert!(report.is_sound(), "{size}: {:?}", report.findings);
        assert_eq!(
            (report.entries, report.streams, report.signed.checkpoint.head.size),
            (size, size.min(7), size)
        );
    }
}

#[test]
fn every_changed_byte_of_every_file_is_noticed() {
    let whole = files(entries(20));
    for (path, bytes) in &whole {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bent = whole.clone();
                bent.get_mut(path).unwrap()[at] ^= 1 << bit;
                assert!(!sound(&bent), "{path}, byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn changes_cuts_and_losses_in_a_log_of_two_levels_are_noticed() {
    let whole = files(entries(300));
    assert_eq!(whole.len(), 7);
    for (path, bytes) in &whole {
        for at in (0..bytes.len()).step_by(61) {
            let mut bent = whole.clone();
            bent.get_mut(path).unwrap()[at] ^= 0x10;
            assert!(!sound(&bent), "{path}, byte {at}");
            let mut cut = whole.clone();
            cut.get_mut(path).unwrap().truncate(at);
            assert!(!sound(&cut), "{path}, cut at {at}");
        }
        let mut longer = whole.clone();
        longer.get_mut(path).unwrap().push(0);
        assert!(!sound(&longer), "{path} with a byte more");
        if path != "vkey" {
            let mut lost = whole.clone();
            lost.remove(path);
            assert!(!sound(&lost), "{path} lost");
        }
    }
}

#[test]
fn findings_name_what_was_changed() {
    let whole = files(entries(300));
    let bend = |path: &str, at: usize| {
        let mut bent = whole.clone();
        bent.get_mut(path).unwrap()[at] ^= 1;
        check(&bent, &[]).unwrap().findings
    };
    let length = entry(0).len() + 2;
    // The last byte of entry 3: its commitment.
    let found = bend("tile/entries/000", 4 * length - 1);
    assert!(
        found.contains(&Finding::EntryAltered { index: 3 })
            && found.contains(&Finding::RootDiffers { size: 300 }),
        "{found:?}"
    );
    let tile = Tile { level: 0, index: 1, width: 44 };
    assert_eq!(bend("tile/0/001.p/44", 100), [Finding::TileAltered(tile)]);
    assert_eq!(bend("tile/1/000.p/1", 0), [Finding::TileAltered(Tile { level: 1, index: 0, width: 1 })]);
    // The length of entry 0: the bundle can no longer be divided into entries.
    let found = bend("tile/entries/000", 0);
    assert!(
        matches!(found[..], [Finding::BundleDamaged { got: 3, .. }, Finding::SequenceUnchecked { from: 0 }]),
        "{found:?}"
    );
    let mut lost = whole.clone();
    lost.remove("tile/entries/001.p/44");
    assert_eq!(codes(&lost, &[]), ["ledger.verify.bundle_missing", "ledger.verify.sequence_unchecked"]);
    // Entries and hashes both lost: nothing after them can be computed.
    lost.remove("tile/0/001.p/44");
    let report = check(&lost, &[]).unwrap();
    assert_eq!(report.stopped_at, Some(256));
    let message = Finding::EntryAltered { index: 3 }.to_string();
    assert_eq!(message, "記録 3 の内容が台帳のハッシュと一致しません（書き換えか破損の疑い）");
}

#[test]
fn gaps_repetitions_and_strangers_are_named() {
    let missing: Vec<Vec<u8>> =
        entries(50).into_iter().enumerate().filter(|(i, _)| *i != 20).map(|(_, e)| e).collect();
    let gap = Finding::SequenceGap { index: 26, stream: [6; 16], expected: 3, found: 4 };
    assert_eq!(check(&files(missing), &[]).unwrap().findings, [gap]);

    let mut twice = entries(50);
    twice.push(entry(49));
    let repeated = Finding::SequenceRepeated { index: 50, stream: [0; 16], expected: 9, found: 8 };
    assert_eq!(check(&files(twice), &[]).unwrap().findings, [repeated]);

    let mut swapped = entries(20);
    swapped.swap(0, 7);
    assert_eq!(
        codes(&files(swapped), &[]),
        ["ledger.verify.sequence_gap", "ledger.verify.sequence_repeated"]
    );

    let mut strange = entries(3);
    strange[1] =
        Leaf { body: "other", stream: [9; 16], sequence: 1, kind: "a", commit: [0; 32] }.encode().unwrap();
    strange.push(b"something else".to_vec());
    let found = check(&files(strange), &[]).unwrap().findings;
    assert_eq!(found[0], Finding::OtherBody { index: 1, found: "other".to_owned() });
    assert_eq!(found[1].code(), "ledger.entry.not_an_entry");
    assert_eq!(found[2], Finding::SequenceUnchecked { from: 3 });
}

#[test]
fn rollback_fork_and_foreign_checkpoints_are_named() {
    let now = files(entries(300));
    let earlier: Vec<Checkpoint> = [0, 1, 255, 256, 257, 300].map(|n| checkpoint(&entries(n))).to_vec();
    assert_eq!(codes(&now, &earlier), Vec::<&str>::new());

    let ahead = checkpoint(&entries(301));
    assert_eq!(check(&now, &[ahead]).unwrap().findings, [Finding::RolledBack { before: 301, now: 300 }]);

    for size in [1, 256, 260, 300] {
        let mut other = entries(size);
        other[0][40] ^= 1;
        let fork = checkpoint(&other);
        let sound_before = checkpoint(&entries(size));
        assert_eq!(check(&now, &[sound_before, fork]).unwrap().findings, [Finding::Forked { before: size }]);
    }
    let empty = Checkpoint { head: TreeHead { size: 0, root: [1; 32] }, ..checkpoint(&[]) };
    assert_eq!(codes(&now, &[empty]), ["ledger.verify.forked"]);

    let foreign = Checkpoint { origin: "sekisho.other".to_owned(), ..checkpoint(&entries(2)) };
    assert_eq!(codes(&now, &[foreign]), ["ledger.verify.other_log"]);
}

#[test]
fn a_hostile_size_ends_at_the_first_missing_part() {
    let head = TreeHead { size: 1 << 40, root: [1; 32] };
    let mut vast = files(entries(300));
    vast.insert("checkpoint".to_owned(), signer().sign(head, &[]).unwrap().note.into_bytes());
    vast.insert("tile/0/001".to_owned(), vec![0; 8_192]);
    let report = check(&vast, &[]).unwrap();
    assert_eq!(report.stopped_at, Some(512));
    let many: Vec<Vec<u8>> = (0..2_000u32).map(|i| i.to_be_bytes().to_vec()).collect();
    let report = check(&files(many), &[]).unwrap();
    assert_eq!((report.stopped_at, report.findings.len()), (Some(256), 257));
}

#[test]
fn visitors_see_every_entry_in_order() {
    let mut stored = Stored::write(entries(300));
    let mut seen = Vec::new();
    verify(&mut stored, &signer().key(), &[], |index, leaf| seen.push((index, leaf.encode().unwrap())))
        .unwrap();
    assert_eq!(seen, entries(300).into_iter().zip(0..).map(|(e, i)| (i, e)).collect::<Vec<_>>());
}

#[test]
fn an_export_of_a_damaged_store_says_what_is_missing() {
    let mut stored = Stored::write(entries(300));
    stored.tiles.remove(&(1, 0));
    let error = export(&mut stored, &signer().key(), |_, _| Ok(())).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("tile/1/000.p/1")), ("ledger.export.missing", true));
    let error = export(&mut Stored::write(entries(3)), &signer().key(), |_, _| {
        Err(std::io::ErrorKind::StorageFull.into())
    })
    .unwrap_err();
    assert_eq!(error.code(), "ledger.export.write");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn any_exchange_of_bytes_is_noticed(size in 1u64..600, file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..6), take in 0usize..6) {
        let whole = files(entries(size));
        let path = whole.keys().nth(file.index(whole.len())).unwrap().clone();
        let mut bent = whole.clone();
        let bytes = bent.get_mut(&path).unwrap();
        let at = at.index(bytes.len());
        let end = (at + take).min(bytes.len());
        bytes.splice(at..end, with);
        prop_assert_eq!(sound(&bent), bent == whole, "{}", path);
    }
}
