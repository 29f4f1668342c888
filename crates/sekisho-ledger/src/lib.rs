//! Entries, Merkle tree, checkpoints, proofs and verification. Pure.
