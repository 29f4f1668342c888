//! Checkpoints, public keys and paths of a foreign log: never a panic, and only what the key signed is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_ledger::tile::Resource;
use sekisho_ledger::{LogKey, LogSigner};

fuzz_target!(|data: &[u8]| {
    let signer = LogSigner::from_seed("model-city", &[1; 32]).expect("a good name");
    if let Ok(signed) = signer.key().open(data) {
        let again =
            signer.sign(signed.checkpoint.head, &signed.checkpoint.extensions).expect("it was signed before");
        assert_eq!(again.checkpoint, signed.checkpoint);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(key) = LogKey::parse(text) {
            assert_eq!(key.to_string(), text.strip_suffix('\n').unwrap_or(text));
        }
        if let Some(resource) = Resource::parse(text) {
            assert_eq!(resource.path(), text);
        }
    }
});
