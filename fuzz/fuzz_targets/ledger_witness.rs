//! Requests to a witness, its keys, and its answers: never a panic, one spelling, and only what the key signed is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_ledger::witness::{AddCheckpoint, Answer, judge, read_answer};
use sekisho_ledger::{LogSigner, WitnessKey, WitnessSigner};

fuzz_target!(|data: &[u8]| {
    let log = LogSigner::from_seed("model-city", &[1; 32]).expect("a good name").key();
    let witness = WitnessSigner::from_seed("witness.example", &[2; 32]).expect("a good name").key();
    if let Ok(request) = AddCheckpoint::parse(data) {
        assert_eq!(request.encode().as_bytes(), data);
        let _ = judge(&log, None, &request);
    }
    assert!(!matches!(witness.find(data), Ok(Some(_))), "nobody signed this");
    let sent =
        AddCheckpoint { old_size: 0, proof: vec![], checkpoint: "sekisho.model-city\n1\nx\n\n".to_owned() };
    for status in [200, 409, 422] {
        let answer = read_answer(&witness, &sent, 1, status, "text/x.tlog.size", data);
        assert!(!matches!(answer, Answer::Cosigned(_)));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(key) = WitnessKey::parse(text) {
            assert_eq!(key.to_string(), text.strip_suffix('\n').unwrap_or(text));
        }
        if let Ok(signer) = WitnessSigner::parse(text) {
            assert_eq!(signer.private_line(), text.strip_suffix('\n').unwrap_or(text));
        }
    }
});
