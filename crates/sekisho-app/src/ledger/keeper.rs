//! Being a witness: one file for each log with the checkpoint that was cosigned last, and the evidence of forks. Runs on another
//! host than the log, under another officer. What the requests mean is [`sekisho_ledger::witness`]'s; here is only what must be
//! kept.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sekisho_base::Clock;
use sekisho_base::canonical::hex;
use sekisho_ledger::checkpoint::MAX_CHECKPOINT;
use sekisho_ledger::export::read_bounded;
use sekisho_ledger::witness::{AddCheckpoint, Refusal, judge};
use sekisho_ledger::{LogKey, SignedCheckpoint, WitnessSigner};

use crate::error::AppError;

/// Files of evidence that are kept for one log: the first ones; a thousandth fork tells nothing new.
const MOST_EVIDENCE: usize = 100;

/// A witness at work.
pub struct Keeper {
    signer: WitnessSigner,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
    /// What was cosigned last, by origin. One lock over judging, storing and signing: two requests never pass each other.
    logs: Mutex<BTreeMap<String, Log>>,
    /// Held while the process runs: two witnesses on one folder would contradict each other.
    _lock: File,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("signer", &self.signer)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

struct Log {
    key: LogKey,
    last: Option<SignedCheckpoint>,
}

/// What a witness shows of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Public key of the log.
    pub vkey: String,
    /// The checkpoint cosigned last, with the cosignature.
    pub last: Option<String>,
    /// How many requests spoke against the log.
    pub evidence: usize,
}

/// Why a request was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The protocol says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The state cannot be written: nothing is signed that is not kept.
    #[error("立会人の記録を保存できません: {0}")]
    Storage(#[from] io::Error),
    /// Signing failed.
    #[error("署名できません: {0}")]
    Signing(String),
}

impl Keeper {
    /// Opens a witness's folder, makes it where it is new, and reads what was cosigned before.
    ///
    /// # Errors
    /// The folder cannot be used, another process uses it, a log is given twice, or a kept checkpoint is not its log's.
    pub fn open(
        signer: WitnessSigner,
        clock: Arc<dyn Clock>,
        folder: &Path,
        keys: Vec<LogKey>,
    ) -> Result<Self, AppError> {
        let place =
            |e: &dyn std::fmt::Display| AppError::refused("G030", format!("{}: {e}", folder.display()));
        std::fs::create_dir_all(folder.join("evidence")).map_err(|e| place(&e))?;
        let lock = File::create(folder.join("lock")).map_err(|e| place(&e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(place(&"ほかの立会人が使っています。フォルダを分けてください。"));
            }
            Err(TryLockError::Error(e)) => return Err(place(&e)),
        }
        let mut logs = BTreeMap::new();
        for key in keys {
            let file = folder.join(format!("{}.checkpoint", key.origin()));
            let last = match File::open(&file) {
                Ok(f) => {
                    let note = read_bounded(f, MAX_CHECKPOINT).map_err(|e| place(&e))?;
                    let kept = key.open(&note).map_err(|e| place(&format!("{}: {e}", file.display())))?;
                    Some(kept)
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(place(&e)),
            };
            if logs.insert(key.origin().to_owned(), Log { key, last }).is_some() {
                return Err(AppError::refused(
                    "G031",
                    "同じ台帳が2回指定されています。--log を確かめてください。",
                ));
            }
        }
        if logs.is_empty() {
            return Err(AppError::refused("G032", "受け持つ台帳の公開鍵を --log で指定してください。"));
        }
        Ok(Self { signer, clock, folder: folder.to_owned(), logs: Mutex::new(logs), _lock: lock })
    }

    /// The witness's public key line.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.signer.key().to_string()
    }

    /// Answers one request with a signature line. Blocks on the disk: the checkpoint is there for good before it is signed.
    ///
    /// # Errors
    /// The request is refused, or the disk failed.
    pub fn add_checkpoint(&self, body: &[u8]) -> Result<String, KeeperError> {
        let request = AddCheckpoint::parse(body)?;
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = logs.get_mut(request.origin()) else {
            return Err(Refusal::UnknownLog(request.origin().chars().take(100).collect()).into());
        };
        let last = log.last.as_ref().map(|s| s.checkpoint.head);
        let signed = match judge(&log.key, last, &request) {
            Ok(signed) => signed,
            Err(refusal) => {
                if refusal.is_evidence() {
                    self.keep_evidence(log, &request)?;
                }
                return Err(refusal.into());
            }
        };
        let seconds = u64::try_from(self.clock.now().millis() / 1000).unwrap_or_default();
        let line =
            self.signer.cosign(&signed.note, seconds).map_err(|e| KeeperError::Signing(e.to_string()))?.line;
        let note = signed.with_lines([line.as_str()]);
        // Made, but in nobody's hands until it is on the disk.
        self.write(&format!("{}.checkpoint", log.key.origin()), note.as_bytes())?;
        log.last = Some(SignedCheckpoint { note, ..signed });
        Ok(line)
    }

    /// What this witness watches.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.values()
            .map(|log| Watched {
                vkey: log.key.to_string(),
                last: log.last.as_ref().map(|s| s.note.clone()),
                evidence: self.evidence_of(log.key.origin()).map_or(0, |names| names.len()),
            })
            .collect()
    }

    fn evidence_of(&self, origin: &str) -> io::Result<Vec<String>> {
        let begin = format!("{origin}+");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.folder.join("evidence"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&begin) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Keeps a request that the log signed and that contradicts what was cosigned: both texts, verbatim.
    fn keep_evidence(&self, log: &Log, request: &AddCheckpoint) -> io::Result<()> {
        let origin = log.key.origin();
        let digest = sekisho_base::canonical::sha256(request.encode().as_bytes());
        let short = hex(&digest).chars().take(16).collect::<String>();
        let name = format!("{origin}+{short}.txt");
        let there = self.evidence_of(origin)?;
        if there.contains(&name) || there.len() >= MOST_EVIDENCE {
            return Ok(());
        }
        let kept = log.last.as_ref().map_or("（まだありません）\n", |s| s.note.as_str());
        let text = format!(
            "受付 {}\n\n== この立会人が最後に署名した控え ==\n{kept}\n== 断った依頼 ==\n{}",
            self.clock.now(),
            request.encode()
        );
        self.write(&format!("evidence/{name}"), text.as_bytes())
    }

    /// Writes a file so that after a power cut either the old or the new one is there.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.folder.join(name);
        let mut beside = target.clone().into_os_string();
        beside.push(".new");
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, &target)?;
        let folder = target.parent().unwrap_or(&self.folder);
        File::open(folder)?.sync_all()
    }
}

/// Makes the key of a new witness: a file that only its owner can read. Answers with the public key line.
///
/// # Errors
/// The name cannot be that of a key, or the file is there already or cannot be written.
pub fn new_key(name: &str, file: &Path, entropy: &dyn sekisho_base::Entropy) -> Result<String, AppError> {
    let place = |e: &dyn std::fmt::Display| AppError::refused("G033", format!("{}: {e}", file.display()));
    let seed = sekisho_ledger::checkpoint::new_seed(entropy).map_err(|e| place(&e))?;
    let signer =
        WitnessSigner::from_seed(name, &seed).map_err(|e| AppError::refused("G034", e.to_string()))?;
    crate::setup::write_private(file, format!("{}\n", signer.private_line()).as_bytes()).map_err(
        |e| match e.kind() {
            io::ErrorKind::AlreadyExists => place(&"既にあります。別の名前を指定してください。"),
            _ => place(&e),
        },
    )?;
    Ok(signer.key().to_string())
}

/// Reads a witness's key file.
///
/// # Errors
/// The file cannot be read or holds something else.
pub fn read_key(file: &Path) -> Result<WitnessSigner, AppError> {
    let place =
        |e: &dyn std::fmt::Display| AppError::refused("G035", format!("立会人の鍵 {}: {e}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| place(&e))?;
    WitnessSigner::parse(text.trim_end()).map_err(|e| place(&e))
}

/// Opens a witness from what was given on the command line.
///
/// # Errors
/// As [`read_key`] and [`Keeper::open`]; a log's key is no key.
pub fn open(key: &Path, folder: &Path, logs: &[String], clock: Arc<dyn Clock>) -> Result<Keeper, AppError> {
    let keys = logs
        .iter()
        .map(|line| {
            LogKey::parse(line.trim()).map_err(|e| AppError::refused("G002", format!("--log {line}: {e}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Keeper::open(read_key(key)?, clock, folder, keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_base::Instant;
    use sekisho_base::clock::ManualClock;
    use sekisho_ledger::proof::prove_consistency;
    use sekisho_ledger::{LogSigner, TreeHead, append};
    use std::collections::HashMap;

    fn log() -> LogSigner {
        LogSigner::from_seed("minato", &[7; 32]).unwrap()
    }

    fn request(old: u32, new: u32, salt: u8) -> Vec<u8> {
        let tree = |size: u32| {
            append(TreeHead::EMPTY, (0..size).map(|i| [&[salt], i.to_be_bytes().as_slice()].concat()), |_| {
                Ok(None)
            })
            .unwrap()
        };
        let (before, batch) = (tree(old).head, tree(new));
        let tiles: HashMap<_, _> = batch.tiles.into_iter().collect();
        let proof = prove_consistency(before, batch.head, |t| Ok(tiles.get(&t).cloned())).unwrap();
        let checkpoint = log().sign(batch.head, &[]).unwrap().note;
        AddCheckpoint { old_size: before.size, proof, checkpoint }.encode().into_bytes()
    }

    /// A folder of one test, gone afterwards.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sekisho-keeper-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Self(path)
        }

        fn open(&self) -> Result<Keeper, AppError> {
            let clock = Arc::new(ManualClock::new(Instant::from_millis(1_790_000_000_000)));
            let signer = WitnessSigner::from_seed("witness.example", &[3; 32]).unwrap();
            Keeper::open(signer, clock, &self.0, vec![log().key()])
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn status(answer: Result<String, KeeperError>) -> u16 {
        match answer {
            Ok(_) => 200,
            Err(KeeperError::Refused(refusal)) => refusal.status(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_was_signed_outlives_the_process() {
        let folder = Folder::new("outlives");
        let keeper = folder.open().unwrap();
        assert!(folder.open().unwrap_err().to_string().contains("ほかの立会人"));
        let line = keeper.add_checkpoint(&request(0, 5, 0)).unwrap();
        assert!(line.starts_with("— witness.example "));
        assert_eq!(status(keeper.add_checkpoint(&request(5, 9, 0))), 200);
        drop(keeper);
        let again = folder.open().unwrap();
        assert_eq!(status(again.add_checkpoint(&request(5, 12, 0))), 409);
        assert_eq!(status(again.add_checkpoint(&request(9, 12, 0))), 200);
        let shown = again.watched();
        let note = shown[0].last.clone().unwrap();
        assert_eq!(log().key().open(note.as_bytes()).unwrap().checkpoint.head.size, 12);
        let key = sekisho_ledger::WitnessKey::parse(&again.vkey()).unwrap();
        assert_eq!(key.find(note.as_bytes()).unwrap().unwrap().timestamp, 1_790_000_000);
    }

    #[test]
    fn a_fork_is_refused_and_kept_as_evidence_once() {
        let folder = Folder::new("fork");
        let keeper = folder.open().unwrap();
        assert_eq!(status(keeper.add_checkpoint(&request(0, 5, 0))), 200);
        for _ in 0..2 {
            assert_eq!(status(keeper.add_checkpoint(&request(0, 5, 1))), 409);
            assert_eq!(status(keeper.add_checkpoint(&request(5, 8, 1))), 422);
        }
        // Without the log's signature anybody could fill the disk.
        let mut unsigned = request(5, 8, 2);
        let end = unsigned.len() - 4;
        unsigned[end] ^= 1;
        assert!([400, 403].contains(&status(keeper.add_checkpoint(&unsigned))));
        assert_eq!(keeper.watched()[0].evidence, 2);
        let names = keeper.evidence_of("sekisho.minato").unwrap();
        let text = std::fs::read_to_string(folder.0.join("evidence").join(&names[0])).unwrap();
        assert!(text.contains("old ") && text.matches("— sekisho.minato ").count() == 2, "{text}");
        assert_eq!(status(keeper.add_checkpoint(&request(5, 9, 0))), 200, "the true history goes on");
    }

    #[test]
    fn a_disk_that_does_not_keep_gives_no_signature() {
        let folder = Folder::new("disk");
        let keeper = folder.open().unwrap();
        std::fs::create_dir(folder.0.join("sekisho.minato.checkpoint.new")).unwrap();
        assert!(matches!(keeper.add_checkpoint(&request(0, 5, 0)), Err(KeeperError::Storage(_))));
        std::fs::remove_dir(folder.0.join("sekisho.minato.checkpoint.new")).unwrap();
        assert_eq!(status(keeper.add_checkpoint(&request(0, 4, 0))), 200, "nothing was promised before");
    }

    #[test]
    fn a_damaged_state_is_not_overwritten() {
        let folder = Folder::new("damaged");
        drop(folder.open().unwrap());
        std::fs::write(folder.0.join("sekisho.minato.checkpoint"), "x").unwrap();
        assert!(folder.open().is_err());
    }

    #[test]
    fn a_key_is_made_once_and_read_back() {
        let folder = Folder::new("key");
        std::fs::create_dir_all(&folder.0).unwrap();
        let file = folder.0.join("witness.key");
        let entropy = sekisho_base::entropy::SeededEntropy::new(1);
        let vkey = new_key("witness.example", &file, &entropy).unwrap();
        assert_eq!(read_key(&file).unwrap().key().to_string(), vkey);
        assert!(
            new_key("witness.example", &file, &entropy).unwrap_err().to_string().contains("既にあります")
        );
        assert!(new_key("a b", &folder.0.join("other"), &entropy).is_err());
    }
}
