//! The hashes of RFC 6962, section 2.1.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The root of the empty tree: the hash of nothing (RFC 6962, 2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The hash of an entry: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into()
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([0x01]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over a row of hashes that are the leaves of one subtree; splits at the largest power of two below the
/// length, as RFC 6962 does. A row is at most one tile wide, so the recursion is at most nine deep.
#[must_use]
pub(crate) fn row_root(row: &[Hash]) -> Hash {
    match row {
        [] => EMPTY_ROOT,
        [one] => *one,
        _ => {
            let (left, right) = row.split_at(row.len().next_power_of_two() / 2);
            node_hash(&row_root(left), &row_root(right))
        }
    }
}
