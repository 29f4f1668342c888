//! Addresses and encodings of c2sp.org/tlog-tiles: hash tiles, entry bundles, their paths.

use std::fmt::Write as _;

use thiserror::Error;

use crate::hash::Hash;

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH: u16 = 256;
/// Levels a tree of at most [`crate::tree::MAX_SIZE`] entries can have.
pub const LEVELS: u8 = 6;

/// A hash tile: `width` consecutive hashes at tree height `8 * level`, beginning at hash `256 * index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// 0 holds leaf hashes; each hash of level n + 1 is the root of one full tile of level n.
    pub level: u8,
    /// Position within the level.
    pub index: u64,
    /// 1 to 256 hashes; fewer than 256 is a partial tile.
    pub width: u16,
}

/// An entry bundle: `width` consecutive entries beginning at entry `256 * index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bundle {
    /// Position; the same as that of the level 0 tile with its entries' hashes.
    pub index: u64,
    /// 1 to 256 entries.
    pub width: u16,
}

impl Tile {
    /// The tile at a level and index as a tree of this size has it; `None` when it has none there.
    #[must_use]
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(u32::from(level) * 8)?;
        let width = hashes.checked_sub(index.checked_mul(u64::from(WIDTH))?)?.min(u64::from(WIDTH));
        let width = u16::try_from(width).ok().filter(|w| *w > 0)?;
        Some(Self { level, index, width })
    }

    /// The path in an exported log, `tile/<L>/<N>[.p/<W>]`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = format!("tile/{}/", self.level);
        push_address(&mut path, self.index, self.width);
        path
    }

    /// Bytes of the tile: 32 for each hash.
    #[must_use]
    pub fn byte_length(&self) -> usize {
        usize::from(self.width) * size_of::<Hash>()
    }

    /// The hashes of this tile, from its bytes or from those of a wider tile at the same place.
    ///
    /// # Errors
    /// There are fewer bytes than the width needs.
    pub fn hashes<'a>(&self, bytes: &'a [u8]) -> Result<&'a [Hash], TileError> {
        let short = TileError::Short { path: self.path(), want: self.byte_length(), got: bytes.len() };
        let (hashes, _) = bytes.get(..self.byte_length()).ok_or(short)?.as_chunks::<32>();
        Ok(hashes)
    }
}

impl Bundle {
    /// The bundle at an index as a log of this size has it; `None` when it has none there.
    #[must_use]
    pub fn in_log(index: u64, size: u64) -> Option<Self> {
        Tile::in_tree(0, index, size).map(|t| Self { index, width: t.width })
    }

    /// The index of the bundle's first entry.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index.saturating_mul(u64::from(WIDTH))
    }

    /// The path in an exported log, `tile/entries/<N>[.p/<W>]`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = "tile/entries/".to_owned();
        push_address(&mut path, self.index, self.width);
        path
    }
}

/// A tile or bundle whose bytes are not what its address promises, or an entry that fits no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TileError {
    /// Fewer bytes than hashes promised.
    #[error("ハッシュのファイル {path} が短すぎます（{want} バイト必要なところ {got} バイト）")]
    Short {
        /// The tile's path.
        path: String,
        /// Bytes needed.
        want: usize,
        /// Bytes there.
        got: usize,
    },
    /// An entry of more than 65,535 bytes.
    #[error("記録が長すぎます（{0} バイト。上限は 65,535 バイト）")]
    EntryTooLong(usize),
    /// A bundle ends within an entry.
    #[error("記録の束が途中で切れています")]
    Cut,
}

impl TileError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Short { .. } => "ledger.tile.short",
            Self::EntryTooLong(_) => "ledger.tile.entry_too_long",
            Self::Cut => "ledger.tile.bundle_cut",
        }
    }
}

/// `x001/x234/067`, and `.p/<W>` where partial.
fn push_address(path: &mut String, index: u64, width: u16) {
    let mut groups = vec![index % 1000];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    for (place, group) in groups.iter().enumerate().rev() {
        let _ = if place == 0 { write!(path, "{group:03}") } else { write!(path, "x{group:03}/") };
    }
    if width < WIDTH {
        let _ = write!(path, ".p/{width}");
    }
}

/// What an exported log consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The signed head, `checkpoint`.
    Checkpoint,
    /// The public key, `vkey`. Not part of tlog-tiles; here so that an export carries what its reader compares.
    VerifierKey,
    /// A hash tile.
    Tile(Tile),
    /// An entry bundle.
    Bundle(Bundle),
}

impl Resource {
    /// The path relative to the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Checkpoint => "checkpoint".to_owned(),
            Self::VerifierKey => "vkey".to_owned(),
            Self::Tile(tile) => tile.path(),
            Self::Bundle(bundle) => bundle.path(),
        }
    }

    /// What a path names; `None` for every spelling that is not the canonical one.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if path.len() > 64 {
            return None;
        }
        let found = match path {
            "checkpoint" => Self::Checkpoint,
            "vkey" => Self::VerifierKey,
            _ => {
                let (kind, address) = path.strip_prefix("tile/")?.split_once('/')?;
                let (number, width) = match address.split_once(".p/") {
                    Some((number, width)) => (number, width.parse().ok().filter(|w| (1..WIDTH).contains(w))?),
                    None => (address, WIDTH),
                };
                let index = number.split('/').try_fold(0u64, |n, group| {
                    let group: u64 = group.trim_start_matches('x').parse().ok().filter(|g| *g < 1000)?;
                    n.checked_mul(1000)?.checked_add(group)
                })?;
                match kind {
                    "entries" => Self::Bundle(Bundle { index, width }),
                    level => {
                        Self::Tile(Tile { level: level.parse().ok().filter(|l| *l < LEVELS)?, index, width })
                    }
                }
            }
        };
        (found.path() == path).then_some(found)
    }

    /// Everything a log of this size consists of, checkpoint last, so that a reader of a half-written export never
    /// sees a head whose tiles are missing.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let bundles = (0..size.div_ceil(u64::from(WIDTH)))
            .filter_map(move |i| Bundle::in_log(i, size))
            .map(Self::Bundle);
        let tiles = (0..LEVELS).flat_map(move |level| {
            let hashes = size.checked_shr(u32::from(level) * 8).unwrap_or(0);
            (0..hashes.div_ceil(u64::from(WIDTH)))
                .filter_map(move |i| Tile::in_tree(level, i, size))
                .map(Self::Tile)
        });
        bundles.chain(tiles).chain([Self::VerifierKey, Self::Checkpoint])
    }
}

/// Adds one entry to a bundle: its length as two big-endian bytes, then the entry.
///
/// # Errors
/// The entry is longer than 65,535 bytes.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, in order; stops after the first error.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Reads a bundle's bytes.
    #[must_use]
    pub fn new(bundle: &'a [u8]) -> Self {
        Self { rest: bundle }
    }

    /// The bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<&'a [u8], TileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parts = self
            .rest
            .split_first_chunk::<2>()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        Some(match parts {
            Some((entry, rest)) => {
                self.rest = rest;
                Ok(entry)
            }
            None => {
                self.rest = &[];
                Err(TileError::Cut)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(Tile { level: 4, index: 1_234_067, width: 256 }.path(), "tile/4/x001/x234/067");
        assert_eq!(Tile { level: 4, index: 1_234_067, width: 1 }.path(), "tile/4/x001/x234/067.p/1");
        assert_eq!(Tile { level: 0, index: 1_000, width: 256 }.path(), "tile/0/x001/000");
        assert_eq!(Bundle { index: 0, width: 112 }.path(), "tile/entries/000.p/112");
        for bad in [
            "tile/0/1",
            "tile/0/x001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/00/001",
            "tile/6/000",
            "tile/0/x000/001",
            "tile/entries/",
            "tile/-1/000",
            "tile/0/001/002",
            "../vkey",
            "tile/0/+01",
        ] {
            assert_eq!(Resource::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_log_of_70_000_entries_has_the_tiles_that_the_specification_counts() {
        let all: Vec<Resource> = Resource::all(70_000).collect();
        let tiles = |level, full: bool| {
            all.iter()
                .filter(|r| matches!(r, Resource::Tile(t) if t.level == level && (t.width == 256) == full))
                .count()
        };
        assert_eq!((tiles(0, true), tiles(0, false)), (273, 1));
        assert_eq!((tiles(1, true), tiles(1, false)), (1, 1));
        assert_eq!((tiles(2, true), tiles(2, false)), (0, 1));
        assert!(all.contains(&Resource::Tile(Tile { level: 0, index: 273, width: 112 })));
        assert!(all.contains(&Resource::Tile(Tile { level: 1, index: 1, width: 17 })));
        assert!(all.contains(&Resource::Tile(Tile { level: 2, index: 0, width: 1 })));
        assert_eq!(all.len(), 274 + 2 + 1 + 274 + 2);
        assert_eq!(all.last(), Some(&Resource::Checkpoint));
        let of_256: Vec<String> = Resource::all(256).map(|r| r.path()).collect();
        assert_eq!(of_256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1", "vkey", "checkpoint"]);
    }

    #[test]
    fn a_bundle_gives_back_its_entries_and_notices_a_cut() {
        let mut bundle = Vec::new();
        for entry in [b"".as_slice(), b"a", &[9; 300]] {
            push_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(bundle[..5], [0, 0, 0, 1, b'a']);
        let entries: Result<Vec<&[u8]>, TileError> = Entries::new(&bundle).collect();
        assert_eq!(entries.unwrap(), [b"".as_slice(), b"a", &[9; 300]]);
        let cut: Vec<_> = Entries::new(&bundle[..bundle.len() - 1]).collect();
        assert_eq!(cut.last(), Some(&Err(TileError::Cut)));
        assert_eq!(cut.len(), 3);
        assert_eq!(push_entry(&mut bundle, &[0; 65_536]), Err(TileError::EntryTooLong(65_536)));
    }

    proptest! {
        #[test]
        fn every_path_names_one_resource(level in 0..LEVELS, index in any::<u64>(), width in 1..=WIDTH) {
            for resource in [Resource::Tile(Tile { level, index, width }), Resource::Bundle(Bundle { index, width })] {
                prop_assert_eq!(Resource::parse(&resource.path()), Some(resource));
            }
        }

        #[test]
        fn no_path_makes_the_parser_fail(path in "(tile/)?([0-9]{1,2}|entries)?/?[x0-9/.p+-]{0,40}") {
            if let Some(resource) = Resource::parse(&path) {
                prop_assert_eq!(resource.path(), path);
            }
        }
    }
}
