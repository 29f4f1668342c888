//! Entries and bundles of a foreign log: never a panic, and every accepted entry has one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_ledger::Leaf;
use sekisho_ledger::tile::{Entries, push_entry};

fuzz_target!(|data: &[u8]| {
    if let Ok(leaf) = Leaf::decode(data) {
        assert_eq!(leaf.encode().as_deref(), Ok(data));
    }
    let entries: Result<Vec<&[u8]>, _> = Entries::new(data).collect();
    if let Ok(entries) = entries {
        let mut again = Vec::new();
        for entry in entries {
            push_entry(&mut again, entry).expect("it was in a bundle");
        }
        assert_eq!(again, data);
    }
});
