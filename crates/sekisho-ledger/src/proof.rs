//! Inclusion and consistency (RFC 6962, 2.1.1 and 2.1.2), made from tiles and checked without them.
//!
//! A proof is checked against its head before it is handed out, so a damaged store never yields one that fails later
//! at somebody else's desk.

use std::cell::RefCell;
use std::collections::BTreeSet;

use thiserror::Error;
use tlog_tiles::{HashReader, check_record, check_tree, prove_record, prove_tree, tree_hash};

use crate::SourceError;
use crate::hash::{EMPTY_ROOT, Hash};
use crate::tile::{Tile, TileError};
use crate::tree::{MAX_SIZE, TreeError, TreeHead};

/// Height of a tile in levels of the tree.
const TILE_HEIGHT: u8 = 8;
/// Hashes a proof can have: the height of the greatest tree, and one.
pub const MAX_PROOF: usize = 41;

/// A proof that does not prove what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The entry is not in that tree at that place.
    #[error("この記録が台帳に含まれることを確認できません。記録か証明が書き換えられた疑いがあります")]
    NotIncluded,
    /// The new tree does not continue the old one.
    #[error("新しい台帳は古い台帳の続きではありません。過去の記録が書き換えられた疑いがあります")]
    NotConsistent,
}

impl ProofError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotIncluded => "ledger.proof.not_included",
            Self::NotConsistent => "ledger.proof.not_consistent",
        }
    }
}

/// Proves that the entry at an index is in the tree of a head.
///
/// Answers with the leaf's hash as the tiles have it and the path from the leaf's sibling to the root's child.
/// `read_tile` may answer with a wider tile at the same place.
///
/// # Errors
/// The index is not in the tree, a tile cannot be read, or the tiles do not lead to the head's root.
pub fn prove_inclusion(
    head: TreeHead,
    index: u64,
    read_tile: impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>,
) -> Result<(Hash, Vec<Hash>), TreeError> {
    if head.size > MAX_SIZE || index >= head.size {
        return Err(TreeError::OutOfRange { index, size: head.size });
    }
    let tiles = Tiles::new(head.size, read_tile);
    let leaf = tiles.read(|t| t.read_hashes(&[tlog_tiles::stored_hash_index(0, index)]))?;
    let path = own(&tiles.read(|t| prove_record(head.size, index, t))?);
    let leaf = leaf.first().ok_or(TreeError::NotThisTree { size: head.size })?.0;
    check_inclusion(head, index, leaf, &path).map_err(|_| TreeError::NotThisTree { size: head.size })?;
    Ok((leaf, path))
}

/// Checks that a leaf hash is in the tree of a head at an index.
///
/// # Errors
/// The proof does not show that.
pub fn check_inclusion(head: TreeHead, index: u64, leaf: Hash, path: &[Hash]) -> Result<(), ProofError> {
    if head.size > MAX_SIZE || index >= head.size || path.len() > MAX_PROOF {
        return Err(ProofError::NotIncluded);
    }
    check_record(&foreign(path), head.size, tlog_tiles::Hash(head.root), index, tlog_tiles::Hash(leaf))
        .map_err(|_| ProofError::NotIncluded)
}

/// The head that the tree had at a smaller size, from the tiles of the present one.
///
/// # Errors
/// The size is larger than the present one, or a tile cannot be read.
pub fn head_at(
    now: TreeHead,
    size: u64,
    read_tile: impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>,
) -> Result<TreeHead, TreeError> {
    if now.size > MAX_SIZE || size > now.size {
        return Err(TreeError::OutOfRange { index: size, size: now.size });
    }
    if size == 0 {
        return Ok(TreeHead::EMPTY);
    }
    let root = Tiles::new(now.size, read_tile).read(|t| tree_hash(size, t))?.0;
    Ok(TreeHead { size, root })
}

/// Proves that the tree of the new head continues that of the old one. Both must be heads of the tiles' tree.
///
/// # Errors
/// The old tree is larger, a tile cannot be read, or the tiles do not lead to both roots.
pub fn prove_consistency(
    old: TreeHead,
    new: TreeHead,
    read_tile: impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>,
) -> Result<Vec<Hash>, TreeError> {
    if new.size > MAX_SIZE || old.size > new.size {
        return Err(TreeError::OutOfRange { index: old.size, size: new.size });
    }
    let path = if old.size == 0 {
        Vec::new()
    } else {
        own(&Tiles::new(new.size, read_tile).read(|t| prove_tree(new.size, old.size, t))?)
    };
    check_consistency(old, new, &path).map_err(|_| TreeError::NotThisTree { size: new.size })?;
    Ok(path)
}

/// Checks that the tree of the new head continues that of the old one. An empty tree is continued by every tree.
///
/// # Errors
/// The proof does not show that.
pub fn check_consistency(old: TreeHead, new: TreeHead, path: &[Hash]) -> Result<(), ProofError> {
    if new.size > MAX_SIZE || path.len() > MAX_PROOF {
        return Err(ProofError::NotConsistent);
    }
    if old.size == 0 {
        let nothing_to_show =
            old.root == EMPTY_ROOT && path.is_empty() && (new.size > 0 || new.root == EMPTY_ROOT);
        return if nothing_to_show { Ok(()) } else { Err(ProofError::NotConsistent) };
    }
    check_tree(&foreign(path), new.size, tlog_tiles::Hash(new.root), old.size, tlog_tiles::Hash(old.root))
        .map_err(|_| ProofError::NotConsistent)
}

/// The tiles that [`prove_inclusion`] reads, for callers that must fetch them beforehand; empty where the index is not
/// in the tree.
#[must_use]
pub fn inclusion_tiles(size: u64, index: u64) -> Vec<Tile> {
    // Which tiles are read depends on positions only, so a dry run over empty ones shows them.
    let mut tiles = BTreeSet::new();
    let _ = prove_inclusion(TreeHead { size, root: EMPTY_ROOT }, index, |t| blank(&mut tiles, t));
    tiles.into_iter().collect()
}

/// The tiles that [`prove_consistency`] reads, for callers that must fetch them beforehand; empty where the old tree is
/// empty or larger.
#[must_use]
pub fn consistency_tiles(old_size: u64, size: u64) -> Vec<Tile> {
    let mut tiles = BTreeSet::new();
    let head = |size| TreeHead { size, root: EMPTY_ROOT };
    let _ = prove_consistency(head(old_size), head(size), |t| blank(&mut tiles, t));
    tiles.into_iter().collect()
}

fn blank(tiles: &mut BTreeSet<Tile>, tile: Tile) -> Result<Option<Vec<u8>>, SourceError> {
    tiles.insert(tile);
    Ok(Some(vec![0; tile.byte_length()]))
}

fn foreign(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().copied().map(tlog_tiles::Hash).collect()
}

fn own(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|h| h.0).collect()
}

/// The stored tiles of a tree, as `tlog_tiles` wants to read them. It knows only its own errors, so the real one is
/// kept beside.
struct Tiles<R> {
    size: u64,
    read_tile: RefCell<R>,
    failed: RefCell<Option<TreeError>>,
}

impl<R: FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>> Tiles<R> {
    fn new(size: u64, read_tile: R) -> Self {
        Self { size, read_tile: RefCell::new(read_tile), failed: RefCell::new(None) }
    }

    fn read<T>(&self, ask: impl FnOnce(&Self) -> Result<T, tlog_tiles::Error>) -> Result<T, TreeError> {
        ask(self).map_err(|_| self.failed.take().unwrap_or(TreeError::NotThisTree { size: self.size }))
    }

    fn hash(&self, index: u64) -> Result<tlog_tiles::Hash, TreeError> {
        let asked = tlog_tiles::Tile::from_index(TILE_HEIGHT, index);
        let out_of_range = TreeError::OutOfRange { index: asked.level_index(), size: self.size };
        let tile = Tile::in_tree(asked.level(), asked.level_index(), self.size).ok_or(out_of_range)?;
        let bytes = (self.read_tile.borrow_mut())(tile)
            .map_err(TreeError::Source)?
            .ok_or(TreeError::Missing(tile))?;
        if bytes.len() < tile.byte_length() {
            let short = TileError::Short { path: tile.path(), want: tile.byte_length(), got: bytes.len() };
            return Err(short.into());
        }
        let wide = tlog_tiles::Tile::new(TILE_HEIGHT, tile.level, tile.index, u32::from(tile.width), false);
        wide.hash_at_index(&bytes, index).map_err(|_| TreeError::NotThisTree { size: self.size })
    }
}

impl<R: FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError>> HashReader for Tiles<R> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let hashes: Result<Vec<_>, TreeError> = indexes.iter().map(|i| self.hash(*i)).collect();
        hashes.map_err(|error| {
            self.failed.replace(Some(error));
            tlog_tiles::Error::InvalidTile
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{leaf_hash, node_hash};
    use crate::tree::append;
    use proptest::prelude::*;
    use std::collections::HashMap;

    type Stored = HashMap<(u8, u64), Vec<u8>>;

    fn build(size: u32) -> (TreeHead, Stored) {
        let batch = append(TreeHead::EMPTY, (0..size).map(u32::to_be_bytes), |_| Ok(None)).unwrap();
        (batch.head, batch.tiles.into_iter().map(|(t, b)| ((t.level, t.index), b)).collect())
    }

    fn reader(stored: &Stored) -> impl FnMut(Tile) -> Result<Option<Vec<u8>>, SourceError> {
        |t| Ok(stored.get(&(t.level, t.index)).cloned())
    }

    /// RFC 6962, 2.1.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&mth(left), &mth(right))
            }
        }
    }

    /// RFC 6962, 2.1.1.
    fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return vec![];
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(k);
        let (mut below, beside) =
            if m < k { (path(m, left), mth(right)) } else { (path(m - k, right), mth(left)) };
        below.push(beside);
        below
    }

    /// RFC 6962, 2.1.2.
    fn subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { vec![] } else { vec![mth(leaves)] };
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(k);
        let (mut below, beside) = if m <= k {
            (subproof(m, left, whole), mth(right))
        } else {
            (subproof(m - k, right, false), mth(left))
        };
        below.push(beside);
        below
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn proofs_are_those_of_rfc_6962(size in 1u32..1200, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), bit in 0u8..8, byte in 0usize..32) {
            let (head, stored) = build(size);
            let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            let index = at.index(leaves.len());
            let (leaf, proof) = prove_inclusion(head, index as u64, reader(&stored)).unwrap();
            prop_assert_eq!(leaf, leaves[index]);
            let named: Stored = inclusion_tiles(head.size, index as u64).iter().map(|t| ((t.level, t.index), stored[&(t.level, t.index)].clone())).collect();
            prop_assert_eq!(&prove_inclusion(head, index as u64, reader(&named)).unwrap().1, &proof);
            prop_assert_eq!(&proof, &path(index, &leaves));
            prop_assert_eq!(check_inclusion(head, index as u64, leaf, &proof), Ok(()));
            let wrong = other.index(leaves.len());
            if wrong != index {
                prop_assert!(check_inclusion(head, wrong as u64, leaf, &proof).is_err());
                prop_assert!(check_inclusion(head, index as u64, leaves[wrong], &proof).is_err());
            }
            if !proof.is_empty() {
                let mut bent = proof.clone();
                let which = other.index(bent.len());
                bent[which][byte] ^= 1 << bit;
                prop_assert!(check_inclusion(head, index as u64, leaf, &bent).is_err());
                prop_assert!(check_inclusion(head, index as u64, leaf, &proof[1..]).is_err());
            }

            let before = index + 1;
            let old = TreeHead { size: before as u64, root: mth(&leaves[..before]) };
            let proof = prove_consistency(old, head, reader(&stored)).unwrap();
            prop_assert_eq!(&proof, &subproof(before, &leaves, true));
            let named: Stored = consistency_tiles(old.size, head.size).iter().map(|t| ((t.level, t.index), stored[&(t.level, t.index)].clone())).collect();
            prop_assert_eq!(&prove_consistency(old, head, reader(&named)).unwrap(), &proof);
            prop_assert_eq!(head_at(head, old.size, reader(&stored)).unwrap(), old);
            let mut forked = old;
            forked.root[byte] ^= 1 << bit;
            prop_assert_eq!(check_consistency(forked, head, &proof), Err(ProofError::NotConsistent));
            prop_assert!(prove_consistency(forked, head, reader(&stored)).is_err());
            let elsewhere = TreeHead { root: forked.root, ..head };
            prop_assert!(check_consistency(old, elsewhere, &proof).is_err());
        }
    }

    #[test]
    fn the_edges_of_the_range() {
        let (head, stored) = build(3);
        assert!(matches!(
            prove_inclusion(head, 3, reader(&stored)),
            Err(TreeError::OutOfRange { index: 3, size: 3 })
        ));
        let larger = TreeHead { size: 4, ..head };
        assert!(matches!(
            prove_consistency(larger, head, reader(&stored)),
            Err(TreeError::OutOfRange { .. })
        ));
        assert_eq!(prove_consistency(TreeHead::EMPTY, head, reader(&stored)).unwrap(), Vec::<Hash>::new());
        assert_eq!(prove_consistency(head, head, reader(&stored)).unwrap(), Vec::<Hash>::new());
        assert_eq!(head_at(head, 0, reader(&stored)).unwrap(), TreeHead::EMPTY);
        assert!(matches!(head_at(head, 4, reader(&stored)), Err(TreeError::OutOfRange { .. })));
        assert_eq!(check_consistency(TreeHead::EMPTY, TreeHead::EMPTY, &[]), Ok(()));
        assert!(check_consistency(TreeHead { size: 0, root: head.root }, head, &[]).is_err());
        assert!(check_consistency(TreeHead::EMPTY, head, &[head.root]).is_err());
        assert!(check_inclusion(head, 0, head.root, &vec![[0; 32]; MAX_PROOF + 1]).is_err());
        let vast = TreeHead { size: u64::MAX, ..head };
        assert!(check_inclusion(vast, u64::MAX - 1, head.root, &[]).is_err());
        assert!(check_consistency(head, vast, &[]).is_err());
        assert!(prove_inclusion(vast, 0, reader(&stored)).is_err());
        assert_eq!(
            (inclusion_tiles(3, 3), consistency_tiles(0, 3), consistency_tiles(4, 3)),
            (vec![], vec![], vec![])
        );
    }

    #[test]
    fn a_damaged_store_gives_no_proof() {
        let (head, mut stored) = build(600);
        assert!(matches!(prove_inclusion(head, 5, |_| Ok(None)), Err(TreeError::Missing(_))));
        assert!(matches!(prove_inclusion(head, 5, |_| Err("down".into())), Err(TreeError::Source(_))));
        assert!(matches!(prove_inclusion(head, 5, |_| Ok(Some(vec![0; 31]))), Err(TreeError::Tile(_))));
        stored.get_mut(&(0, 0)).unwrap()[40] ^= 1;
        assert!(matches!(
            prove_inclusion(head, 5, reader(&stored)),
            Err(TreeError::NotThisTree { size: 600 })
        ));
    }
}
