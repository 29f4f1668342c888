//! The ledger: an append-only Merkle tree (RFC 6962, SHA-256) in the C2SP form, so that verifiers nobody here wrote
//! can check it.
//!
//! | module | what it is |
//! |---|---|
//! | [`entry`] | one entry (leaf v1): which body, stream and sequence, what kind, and the commitment to its payload |
//! | [`hash`] | the two hashes of RFC 6962 |
//! | [`tile`] | addresses of tiles and entry bundles, their paths and encodings (c2sp.org/tlog-tiles) |
//! | [`tree`] | appending a batch of entries to a tree of which only the tiles are stored |
//! | [`checkpoint`] | the signed head of the tree (c2sp.org/tlog-checkpoint, signed-note, Ed25519) |
//! | [`cosign`] | a witness's signature on a checkpoint (c2sp.org/tlog-cosignature, Ed25519) |
//! | [`witness`] | asking a witness and being one (c2sp.org/tlog-witness) |
//! | [`proof`] | inclusion and consistency, made from tiles and checked without them |
//! | [`tlog_proof`] | an entry's evidence as one text that is verified offline (c2sp.org/tlog-proof@v1) |
//! | [`export`](mod@export) | the files of an exported log, and reading a log back from any source |
//! | [`permit`] | a permit as a short signed text, and the list of those that ended: checked without the server |
//! | [`verify`](mod@verify) | recomputing a whole log and naming everything that does not hold |
//!
//! Pure: no clock, no files, no network. Randomness, tiles and files come in through parameters.

pub mod checkpoint;
pub mod cosign;
pub mod entry;
pub mod export;
pub mod hash;
pub mod permit;
pub mod proof;
pub mod tile;
pub mod tlog_proof;
pub mod tree;
pub mod verify;
pub mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, LogKey, LogSigner, SignedCheckpoint};
pub use cosign::{CosignError, Cosignature, WitnessKey, WitnessSigner};
pub use entry::{EntryError, Leaf, commit};
pub use export::{ExportError, FileSource, LogSource, export};
pub use hash::Hash;
pub use tile::{Bundle, Tile};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use tree::{Batch, TreeError, TreeHead, append};
pub use verify::{Finding, Report, VerifyError, verify};

/// What a caller's storage may answer when it fails: the reason, passed on unchanged.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;
