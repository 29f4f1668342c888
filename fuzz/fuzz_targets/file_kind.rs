//! Attachments: whatever the bytes and the name, never a panic; what begins as a program is never taken, and a refusal says why.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_exchange::Accepted;

fuzz_target!(|data: (&str, &[u8])| {
    let (name, bytes) = data;
    let accepted = Accepted::default();
    match accepted.judge(name, bytes) {
        Ok(()) => assert!(!bytes.starts_with(b"\x7fELF")),
        Err(fault) => assert!(!fault.says(name, &accepted).is_empty()),
    }
});
