//! Reading a log from any source (the database, an exported folder, another host), and writing it out as files.

use std::io::{self, Read};

use thiserror::Error;

use crate::SourceError;
use crate::checkpoint::{CheckpointError, LogKey, MAX_CHECKPOINT, MAX_KEY, SignedCheckpoint};
use crate::tile::{Bundle, Entries, Resource, Tile, WIDTH};

/// Bytes of the largest bundle: 256 entries of 65,535 bytes, each with its length.
pub const MAX_BUNDLE: usize = WIDTH as usize * (65_535 + 2);

/// Where a log is read from. `None` means that it is not there.
pub trait LogSource {
    /// The signed checkpoint, as a note.
    ///
    /// # Errors
    /// The source cannot be read.
    fn checkpoint(&mut self) -> Result<Option<Vec<u8>>, SourceError>;

    /// The bytes of a tile, exactly as wide as asked for: cut a wider one with [`tile_prefix`].
    ///
    /// # Errors
    /// The source cannot be read.
    fn tile(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, SourceError>;

    /// The bytes of an entry bundle, exactly as wide as asked for: cut a wider one with [`bundle_prefix`].
    ///
    /// # Errors
    /// The source cannot be read.
    fn bundle(&mut self, bundle: Bundle) -> Result<Option<Vec<u8>>, SourceError>;
}

/// A log in the layout of c2sp.org/tlog-tiles, read by path.
///
/// ```
/// use sekisho_ledger::export::{FileSource, read_bounded};
/// # let folder = std::path::Path::new("no-such-folder");
/// let source = FileSource::new(|path, most| match std::fs::File::open(folder.join(path)) {
///     Ok(file) => read_bounded(file, most).map(Some),
///     Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
///     Err(e) => Err(e),
/// });
/// ```
#[derive(Debug)]
pub struct FileSource<F> {
    read: F,
}

impl<F: FnMut(&str, usize) -> io::Result<Option<Vec<u8>>>> FileSource<F> {
    /// `read` is given a path below the log's folder and the most bytes it may return, and answers `None` where there
    /// is no such file.
    pub fn new(read: F) -> Self {
        Self { read }
    }

    /// The file of a partial resource or, where it was replaced by the full one, the full one's beginning.
    fn file(&mut self, asked: Resource, full: Resource, most: usize) -> io::Result<Option<(Vec<u8>, bool)>> {
        if let Some(bytes) = (self.read)(&asked.path(), most)? {
            return Ok(Some((bytes, false)));
        }
        if asked == full {
            return Ok(None);
        }
        Ok((self.read)(&full.path(), most)?.map(|bytes| (bytes, true)))
    }
}

impl<F: FnMut(&str, usize) -> io::Result<Option<Vec<u8>>>> LogSource for FileSource<F> {
    fn checkpoint(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        Ok((self.read)(&Resource::Checkpoint.path(), MAX_CHECKPOINT)?)
    }

    fn tile(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
        let full = Tile { width: WIDTH, ..tile };
        let found = self.file(Resource::Tile(tile), Resource::Tile(full), full.byte_length())?;
        Ok(found.map(|(bytes, wider)| if wider { tile_prefix(bytes, tile.width) } else { bytes }))
    }

    fn bundle(&mut self, bundle: Bundle) -> Result<Option<Vec<u8>>, SourceError> {
        let full = Bundle { width: WIDTH, ..bundle };
        let found = self.file(Resource::Bundle(bundle), Resource::Bundle(full), MAX_BUNDLE)?;
        Ok(found.map(|(bytes, wider)| if wider { bundle_prefix(bytes, bundle.width) } else { bytes }))
    }
}

/// Why a log could not be written out.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The log cannot be read.
    #[error("台帳を読めません: {0}")]
    Source(#[source] SourceError),
    /// A part of the log is not there.
    #[error("台帳の {0} がありません。ledger verify で確認してください")]
    Missing(String),
    /// The checkpoint is not accepted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file could not be written.
    #[error("{path} を書き出せません: {error}")]
    Write {
        /// The file's path below the folder.
        path: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

impl ExportError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "ledger.export.source",
            Self::Missing(_) => "ledger.export.missing",
            Self::Checkpoint(error) => error.code(),
            Self::Write { .. } => "ledger.export.write",
        }
    }
}

/// Writes a log out as files: entries, tiles, public key, and the checkpoint last. Nothing is verified beyond the
/// checkpoint's signature; what is written is what is stored, so that a reader sees what an owner may not.
///
/// `write` is given a path below the folder, with `/` between its parts, and the bytes.
///
/// # Errors
/// A part is missing or cannot be read, the checkpoint is not accepted, or a file cannot be written.
pub fn export(
    source: &mut impl LogSource,
    key: &LogKey,
    mut write: impl FnMut(&str, &[u8]) -> io::Result<()>,
) -> Result<SignedCheckpoint, ExportError> {
    let missing = |resource: Resource| ExportError::Missing(resource.path());
    let note =
        source.checkpoint().map_err(ExportError::Source)?.ok_or_else(|| missing(Resource::Checkpoint))?;
    let signed = key.open(&note)?;
    for resource in Resource::all(signed.checkpoint.head.size) {
        let bytes = match resource {
            Resource::Checkpoint => Some(note.clone()),
            Resource::VerifierKey => Some(format!("{key}\n").into_bytes()),
            Resource::Tile(tile) => source.tile(tile).map_err(ExportError::Source)?,
            Resource::Bundle(bundle) => source.bundle(bundle).map_err(ExportError::Source)?,
        };
        let bytes = bytes.ok_or_else(|| missing(resource))?;
        let path = resource.path();
        write(&path, &bytes).map_err(|error| ExportError::Write { path, error })?;
    }
    Ok(signed)
}

/// The public key line of an exported log, to be compared with the one that was handed over on paper.
///
/// # Errors
/// The file cannot be read.
pub fn read_vkey(
    mut read: impl FnMut(&str, usize) -> io::Result<Option<Vec<u8>>>,
) -> io::Result<Option<String>> {
    let bytes = read(&Resource::VerifierKey.path(), MAX_KEY)?;
    bytes.map(|b| String::from_utf8(b).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))).transpose()
}

/// Reads at most so many bytes; more is an error, so that a planted file cannot fill the memory.
///
/// # Errors
/// Reading fails or there is more.
pub fn read_bounded(reader: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("上限の {most} バイトを超えています"),
        ));
    }
    Ok(bytes)
}

/// The first hashes of a tile that is at least as wide; unchanged where it is narrower.
#[must_use]
pub fn tile_prefix(mut tile: Vec<u8>, width: u16) -> Vec<u8> {
    tile.truncate(usize::from(width) * 32);
    tile
}

/// The first entries of a bundle that has at least as many; unchanged where it has fewer.
#[must_use]
pub fn bundle_prefix(mut bundle: Vec<u8>, width: u16) -> Vec<u8> {
    let mut entries = Entries::new(&bundle);
    for _ in 0..width {
        if !matches!(entries.next(), Some(Ok(_))) {
            return bundle;
        }
    }
    let keep = bundle.len() - entries.rest().len();
    bundle.truncate(keep);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::push_entry;

    #[test]
    fn a_partial_file_that_was_replaced_is_read_from_the_full_one() {
        let mut bundle = Vec::new();
        for i in 0..=255u8 {
            push_entry(&mut bundle, &[i; 3]).unwrap();
        }
        let mut source = FileSource::new(|path, most| {
            assert!(most >= 256 * 32);
            Ok(match path {
                "tile/0/000" => Some((0..=255).flat_map(|i| [i; 32]).collect()),
                "tile/entries/000" => Some(bundle.clone()),
                _ => None,
            })
        });
        let tile = source.tile(Tile { level: 0, index: 0, width: 2 }).unwrap().unwrap();
        assert_eq!(tile, [[0; 32], [1; 32]].concat());
        assert_eq!(
            source.bundle(Bundle { index: 0, width: 2 }).unwrap().unwrap(),
            [0, 3, 0, 0, 0, 0, 3, 1, 1, 1]
        );
        assert_eq!(source.tile(Tile { level: 0, index: 1, width: 2 }).unwrap(), None);
        assert_eq!(source.checkpoint().unwrap(), None);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        assert_eq!(read_bounded([1u8, 2, 3].as_slice(), 3).unwrap(), [1, 2, 3]);
        assert!(read_bounded([1u8, 2, 3].as_slice(), 2).is_err());
        assert!(read_vkey(|_, _| Ok(Some(vec![0xff]))).is_err());
        assert_eq!(
            read_vkey(|path, _| Ok((path == "vkey").then(|| b"k\n".to_vec()))).unwrap().unwrap(),
            "k\n"
        );
    }
}
