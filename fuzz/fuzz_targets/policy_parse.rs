//! Any bytes as any kind of file: the parser must not panic, must end, and must give unique ids.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    let name = ["x.txt", "x.md", "x.html", "x.docx"][usize::from(kind % 4)];
    if let Ok(text) = sekisho_policy::parse(bytes, Some(name)) {
        let mut seen = HashSet::new();
        for node in &text.nodes {
            assert!(seen.insert(node.id.as_str()), "id given twice: {}", node.id);
            assert!(node.lines[0] >= 1 && node.lines[0] <= node.lines[1]);
        }
        let _ = sekisho_policy::to_markdown(&text);
        let _ = sekisho_policy::to_text(&text);
    }
});
