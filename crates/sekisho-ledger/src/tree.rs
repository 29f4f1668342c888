//! The tree: appending a batch when only tiles are stored.
//!
//! The store keeps, for each level and index, the widest tile so far. A batch reads the partial tiles at the right edge
//! (at most six), checks that they are those of the head it is told, and returns every tile that is new or wider.

use thiserror::Error;

use crate::SourceError;
use crate::hash::{EMPTY_ROOT, Hash, leaf_hash, row_root};
use crate::tile::{LEVELS, Tile, TileError, WIDTH};

/// Entries a tree may hold. Far beyond any city; it bounds what a hostile checkpoint can make a reader do.
pub const MAX_SIZE: u64 = 1 << 40;

/// A tree's size and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Entries in the tree.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
}

impl TreeHead {
    /// The head of a tree without entries.
    pub const EMPTY: Self = Self { size: 0, root: EMPTY_ROOT };
}

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The new head; its size less the old size is the number of entries.
    pub head: TreeHead,
    /// Tiles that are new or wider than before, each once at its greatest width, with its bytes. To be stored in the
    /// same transaction as the head.
    pub tiles: Vec<(Tile, Vec<u8>)>,
}

/// Why a tree could not be appended to or read.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The storage failed.
    #[error("台帳の保存先を読めません: {0}")]
    Source(#[source] SourceError),
    /// A tile that the head needs is not there.
    #[error("台帳のハッシュ {path} が保存されていません。バックアップから復元し、ledger verify で確認してください", path = .0.path())]
    Missing(Tile),
    /// A tile has fewer bytes than the head needs.
    #[error("{0}。バックアップから復元し、ledger verify で確認してください")]
    Tile(#[from] TileError),
    /// The stored tiles are not those of the head.
    #[error(
        "保存されているハッシュが {size} 件時点の台帳の根と一致しません。書き換えられたか壊れています。ledger verify で箇所を確認してください"
    )]
    NotThisTree {
        /// Size of the head.
        size: u64,
    },
    /// The head or the request lies outside what a tree may be.
    #[error("{index} は {size} 件の台帳の範囲にありません")]
    OutOfRange {
        /// The index or size asked for.
        index: u64,
        /// Entries there are.
        size: u64,
    },
}

impl TreeError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "ledger.tree.source",
            Self::Missing(_) => "ledger.tree.tile_missing",
            Self::Tile(error) => error.code(),
            Self::NotThisTree { .. } => "ledger.tree.not_this_tree",
            Self::OutOfRange { .. } => "ledger.tree.out_of_range",
        }
    }
}

/// The tiles that [`append`] reads for a tree of this size, for callers that must fetch them beforehand.
#[must_use]
pub fn edge_tiles(size: u64) -> Vec<Tile> {
    (0..LEVELS)
        .filter_map(|level| {
            let hashes = size.checked_shr(u32::from(level) * 8)?;
            Tile::in_tree(level, hashes / u64::from(WIDTH), size)
        })
        .collect()
}

/// Appends entries to the tree of a head.
///
/// `read_tile` is asked for the partial tiles of [`edge_tiles`]; it may answer with the bytes of a wider tile at the
/// same place. The answer does not depend on how entries are divided into batches.
///
/// # Errors
/// A tile is missing, cannot be read or does not belong to the head, or the tree would grow beyond [`MAX_SIZE`].
pub fn append<L: AsRef<[u8]>>(
    old: TreeHead,
    entries: impl IntoIterator<Item = L>,
    mut read_tile: impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>,
) -> Result<Batch, TreeError> {
    let mut edge = Edge::load(old.size, &mut read_tile)?;
    if edge.root() != old.root {
        return Err(TreeError::NotThisTree { size: old.size });
    }
    let mut tiles = Vec::new();
    for entry in entries {
        if edge.size >= MAX_SIZE {
            return Err(TreeError::OutOfRange { index: edge.size, size: MAX_SIZE });
        }
        edge.push(leaf_hash(entry.as_ref()), |tile, hashes| {
            tiles.push((tile, hashes.as_flattened().to_vec()))
        });
    }
    edge.partial(|tile, hashes| {
        let before = old.size.checked_shr(u32::from(tile.level) * 8).unwrap_or(0);
        if tile.index * u64::from(WIDTH) + u64::from(tile.width) > before {
            tiles.push((tile, hashes.as_flattened().to_vec()));
        }
    });
    Ok(Batch { head: TreeHead { size: edge.size, root: edge.root() }, tiles })
}

/// The right edge of a tree: for each level the hashes of its last, partial tile (fewer than 256).
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) size: u64,
    levels: [Vec<Hash>; LEVELS as usize],
}

impl Edge {
    /// The edge of the empty tree.
    pub(crate) fn empty() -> Self {
        Self { size: 0, levels: std::array::from_fn(|_| Vec::with_capacity(usize::from(WIDTH))) }
    }

    /// Reads the edge of a stored tree.
    fn load(
        size: u64,
        read_tile: &mut impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>,
    ) -> Result<Self, TreeError> {
        if size > MAX_SIZE {
            return Err(TreeError::OutOfRange { index: size, size: MAX_SIZE });
        }
        let mut edge = Self { size, ..Self::empty() };
        for tile in edge_tiles(size) {
            let bytes = read_tile(tile).map_err(TreeError::Source)?.ok_or(TreeError::Missing(tile))?;
            if let Some(row) = edge.levels.get_mut(usize::from(tile.level)) {
                row.extend_from_slice(tile.hashes(&bytes)?);
            }
        }
        Ok(edge)
    }

    /// Adds a leaf hash; `full` receives each tile that this completes, lowest level first.
    pub(crate) fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile, &[Hash])) {
        self.size += 1;
        let mut carry = leaf;
        let mut done = self.size;
        for (level, row) in (0u8..).zip(&mut self.levels) {
            row.push(carry);
            if row.len() < usize::from(WIDTH) {
                return;
            }
            done /= u64::from(WIDTH);
            full(Tile { level, index: done - 1, width: WIDTH }, row);
            carry = row_root(row);
            row.clear();
        }
    }

    /// Hands over every partial tile, lowest level first.
    pub(crate) fn partial(&self, mut each: impl FnMut(Tile, &[Hash])) {
        for (level, row) in (0u8..).zip(&self.levels) {
            let index = self.size.checked_shr((u32::from(level) + 1) * 8).unwrap_or(0);
            if let Ok(width @ 1..) = u16::try_from(row.len()) {
                each(Tile { level, index, width }, row);
            }
        }
    }

    /// The root of the tree (RFC 6962, 2.1): perfect subtrees from the largest to the smallest, folded from the right.
    pub(crate) fn root(&self) -> Hash {
        let mut subtrees = Vec::new();
        for row in self.levels.iter().rev() {
            let mut rest = row.as_slice();
            while !rest.is_empty() {
                let (perfect, after) = rest.split_at(1 << rest.len().ilog2());
                subtrees.push(row_root(perfect));
                rest = after;
            }
        }
        subtrees
            .into_iter()
            .rev()
            .reduce(|right, left| crate::hash::node_hash(&left, &right))
            .unwrap_or(EMPTY_ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_base::canonical::hex;
    use std::collections::HashMap;

    /// A store that keeps the widest bytes of each tile.
    #[derive(Default)]
    struct Store(HashMap<(u8, u64), Vec<u8>>);

    impl Store {
        fn read(&self, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
            Ok(self.0.get(&(tile.level, tile.index)).cloned())
        }

        fn keep(&mut self, batch: &Batch) {
            for (tile, bytes) in &batch.tiles {
                assert_eq!(bytes.len(), tile.byte_length());
                let kept = self.0.entry((tile.level, tile.index)).or_default();
                assert!(bytes.len() > kept.len() && bytes.starts_with(kept), "a tile only grows");
                kept.clone_from(bytes);
            }
        }
    }

    /// RFC 6962, 2.1, word for word.
    fn naive(entries: &[Vec<u8>]) -> Hash {
        use sekisho_base::canonical::sha256;
        match entries {
            [] => sha256(b""),
            [one] => sha256(&[[0].as_slice(), one].concat()),
            _ => {
                let mut k = 1;
                while k * 2 < entries.len() {
                    k *= 2;
                }
                sha256(&[[1].as_slice(), &naive(&entries[..k]), &naive(&entries[k..])].concat())
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_certificate_transparency_test_vectors() {
        // certificate-transparency, merkletree tests: eight inputs and the root after each.
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        assert_eq!(
            hex(&TreeHead::EMPTY.root),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (n, root) in (1..).zip(roots) {
            let batch = append(TreeHead::EMPTY, &inputs[..n], |_| Ok(None)).unwrap();
            assert_eq!((hex(&batch.head.root).as_str(), batch.head.size), (root, n as u64));
        }
    }

    #[test]
    fn what_the_head_does_not_promise_is_refused() {
        let entries: Vec<Vec<u8>> = (0..300u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let mut store = Store::default();
        let batch = append(TreeHead::EMPTY, &entries, |_| Ok(None)).unwrap();
        store.keep(&batch);
        assert_eq!(
            edge_tiles(300),
            [Tile { level: 0, index: 1, width: 44 }, Tile { level: 1, index: 0, width: 1 }]
        );
        assert_eq!(edge_tiles(256), [Tile { level: 1, index: 0, width: 1 }]);
        assert!(matches!(append(batch.head, &entries, |_| Ok(None)), Err(TreeError::Missing(_))));
        assert!(matches!(append(batch.head, &entries, |_| Err("down".into())), Err(TreeError::Source(_))));
        assert!(matches!(
            append(batch.head, &entries, |t| Ok(store.read(t)?.map(|b| b[1..].to_vec()))),
            Err(TreeError::Tile(_))
        ));
        store.0.get_mut(&(1, 0)).unwrap()[5] ^= 1;
        assert!(matches!(
            append(batch.head, &entries, |t| store.read(t)),
            Err(TreeError::NotThisTree { size: 300 })
        ));
        let vast = TreeHead { size: MAX_SIZE + 1, ..batch.head };
        assert!(matches!(append(vast, &entries, |t| store.read(t)), Err(TreeError::OutOfRange { .. })));
    }

    #[test]
    fn an_append_of_nothing_changes_nothing() {
        let mut store = Store::default();
        let first = append(TreeHead::EMPTY, [b"a", b"b"], |_| Ok(None)).unwrap();
        store.keep(&first);
        let same = append(first.head, [[0u8; 0]; 0], |t| store.read(t)).unwrap();
        assert_eq!(same, Batch { head: first.head, tiles: vec![] });
    }

    #[test]
    fn a_third_level_appears_at_65_536() {
        let mut store = Store::default();
        let mut head = TreeHead::EMPTY;
        for _ in 0..257 {
            let batch = append(head, [[7u8; 2]; 256], |t| store.read(t)).unwrap();
            store.keep(&batch);
            head = batch.head;
        }
        // All leaves alike: the root of a perfect tree is the hash doubled again and again.
        let mut h = leaf_hash(&[7, 7]);
        for _ in 0..8 {
            h = crate::hash::node_hash(&h, &h);
        }
        let of_256 = h;
        for _ in 0..8 {
            h = crate::hash::node_hash(&h, &h);
        }
        assert_eq!(store.0[&(2, 0)], h);
        assert_eq!(head, TreeHead { size: 65_792, root: crate::hash::node_hash(&h, &of_256) });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_division_into_batches_gives_the_tree_of_rfc_6962(sizes in prop::collection::vec(0usize..400, 1..6), seed in any::<u64>()) {
            let mut store = Store::default();
            let mut head = TreeHead::EMPTY;
            let mut entries: Vec<Vec<u8>> = Vec::new();
            for size in sizes {
                let new: Vec<Vec<u8>> = (0..size).map(|i| [seed.to_be_bytes().as_slice(), &(entries.len() + i).to_be_bytes()].concat()).collect();
                let batch = append(head, &new, |t| store.read(t)).unwrap();
                store.keep(&batch);
                entries.extend(new);
                head = batch.head;
                prop_assert_eq!(head, TreeHead { size: entries.len() as u64, root: naive(&entries) });
            }
            for ((level, index), bytes) in &store.0 {
                let tile = Tile::in_tree(*level, *index, head.size).unwrap();
                prop_assert_eq!(bytes.len(), tile.byte_length());
                let span = 256usize.pow(u32::from(*level));
                for (i, hash) in tile.hashes(bytes).unwrap().iter().enumerate() {
                    let first = (usize::try_from(*index).unwrap() * 256 + i) * span;
                    prop_assert_eq!(*hash, naive(&entries[first..first + span]));
                }
            }
        }
    }
}
