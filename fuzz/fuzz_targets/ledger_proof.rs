//! Evidence files from outside: never a panic, one spelling, and a proof that was not made by the log never holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_ledger::{LogSigner, TlogProof};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(proof) = TlogProof::parse(text) else { return };
    assert_eq!(proof.encode(), text);
    let key = LogSigner::from_seed("model-city", &[2; 32]).expect("a good name").key();
    // No checkpoint was ever signed with this key here, so nothing may verify.
    assert!(proof.verify(&key).is_err());
});
