//! Codes and lists of permits from foreign hands: never a panic, and only what the key signed is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_base::Instant;
use sekisho_ledger::permit::{EndedList, PermitKey, PermitSigner, check};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let signer = PermitSigner::from_seed("model-city", &[1; 32]).expect("a good name");
    let keys = [signer.key()];
    if let Some(statement) = check(text, &keys, None, Instant::from_millis(1_795_600_000_000)).statement {
        let again = statement.sign(&signer).expect("it was signed before");
        assert!(check(&again, &keys, None, Instant::from_millis(0)).statement.is_some());
    }
    if let Ok(list) = EndedList::open(text, &keys) {
        assert_eq!(list.sign(&signer).expect("it was signed before"), text);
    }
    if let Ok(key) = PermitKey::parse(text) {
        assert_eq!(key.to_string(), text.strip_suffix('\n').unwrap_or(text));
    }
});
