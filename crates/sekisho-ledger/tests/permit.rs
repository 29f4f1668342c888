//! Permits checked without the server: what holds, what does not, and that nothing foreign is accepted. The vectors file is what the
//! checker's script is held to (`tests/browser/permit.mjs`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what the tests share may fail them too")]

use proptest::prelude::*;
use sekisho_base::Instant;
use sekisho_ledger::permit::{
    End, EndedList, Item, MAX_CONTENT, MAX_TEXT, PermitKey, PermitSigner, Statement, Verdict, check, short_id,
};
use serde_json::json;

const VECTORS: &str = "tests/permit_vectors.json";

fn signer(body: &str, seed: u8) -> PermitSigner {
    PermitSigner::from_seed(body, &[seed; 32]).unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn item(code: &str, name: &str) -> Item {
    Item { code: code.to_owned(), name: name.to_owned() }
}

fn permit(body: &str) -> Statement {
    Statement {
        body: body.to_owned(),
        body_title: "みなと野市".to_owned(),
        title: "情報資産等の持出".to_owned(),
        number: "持出-R8-0001".to_owned(),
        case: "0192f0c1-7d5a-7000-8000-000000000001".to_owned(),
        holder: "髙橋 花子".to_owned(),
        from: "2026-11-25".parse().unwrap(),
        until: "2026-11-30".parse().unwrap(),
        issued_at: at("2026-11-25T01:02:03.004Z"),
        blanket: false,
        count: 0,
        hash: String::new(),
        items: vec![],
    }
}

fn things() -> Vec<Item> {
    vec![item("A-001", "要介護認定の名簿"), item("M-003", "USBメモリ")]
}

fn text() -> String {
    permit("model-city").fit(&things()).unwrap().sign(&signer("model-city", 1)).unwrap()
}

fn list(ended: &[(&str, End)]) -> EndedList {
    EndedList {
        body: "model-city".to_owned(),
        made_at: at("2026-11-26T00:00:00.000Z"),
        good_until: at("2026-11-27T03:00:00.000Z"),
        ended: ended.iter().map(|(n, e)| (short_id("model-city", n), *e)).collect(),
    }
}

fn with_digit(text: &str, n: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[n] = if bytes[n] == b'9' { b'0' } else { bytes[n] + 1 };
    String::from_utf8(bytes).unwrap()
}

/// Name, text, list, moment, verdict.
fn cases() -> Vec<(&'static str, String, Option<EndedList>, &'static str, Verdict)> {
    let now = "2026-11-26T04:00:00.000Z";
    let mut long = permit("model-city");
    long.until = "2026-12-25".parse().unwrap();
    let extended = long.fit(&things()).unwrap().sign(&signer("model-city", 1)).unwrap();
    let mut blanket = permit("model-city");
    blanket.blanket = true;
    let many: Vec<Item> = (1..=40).map(|n| item(&format!("PC-{n:04}"), "窓口の端末（貸出用）")).collect();
    let blanket = blanket.fit(&many).unwrap().sign(&signer("model-city", 1)).unwrap();
    let others = permit("other-city").fit(&things()).unwrap().sign(&signer("other-city", 2)).unwrap();
    let stolen = permit("model-city").fit(&things()).unwrap().sign(&signer("model-city", 2)).unwrap();
    let other = "持出-R8-0002";
    let wide: String =
        text().chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect();
    let one = |n: End| Some(list(&[("持出-R8-0001", n), (other, End::Closed)]));
    vec![
        ("valid", text(), Some(list(&[(other, End::Revoked)])), now, Verdict::Valid),
        ("valid without a list", text(), None, now, Verdict::Valid),
        ("first moment", text(), None, "2026-11-24T15:00:00.000Z", Verdict::Valid),
        ("the day before", text(), None, "2026-11-24T14:59:59.999Z", Verdict::NotYet),
        ("last moment", text(), None, "2026-11-30T14:59:59.999Z", Verdict::Valid),
        ("the day after", text(), None, "2026-11-30T15:00:00.000Z", Verdict::Expired),
        ("extended", extended, None, "2026-12-25T03:00:00.000Z", Verdict::Valid),
        ("many things", blanket, Some(list(&[])), now, Verdict::Valid),
        ("revoked", text(), one(End::Revoked), now, Verdict::Revoked),
        ("revoked and past", text(), one(End::Revoked), "2027-01-10T00:00:00.000Z", Verdict::Revoked),
        ("returned", text(), one(End::Returned), now, Verdict::Returned),
        ("closed", text(), one(End::Closed), now, Verdict::Closed),
        ("list of yesterday", text(), Some(list(&[])), "2026-11-27T03:00:00.001Z", Verdict::ListOld),
        ("clock behind", text(), Some(list(&[])), "2026-11-25T23:49:59.999Z", Verdict::Clock),
        ("another body", others, Some(list(&[])), now, Verdict::OtherBody),
        ("another key of this name", stolen, None, now, Verdict::Forged),
        ("full width", wide, None, now, Verdict::Valid),
        ("broken over lines", text().replace("00", "0\r\n 0\u{3000}"), None, now, Verdict::Valid),
        ("a digit of the signature", with_digit(&text(), text().len() - 20), None, now, Verdict::Forged),
        ("cut", text()[..text().len() - 17].to_owned(), None, now, Verdict::Unreadable),
        ("empty", String::new(), None, now, Verdict::Unreadable),
        ("another code", "4901234567894".to_owned(), None, now, Verdict::Unreadable),
        ("words", "https://example.lg.jp/r/asset/A-001".to_owned(), None, now, Verdict::Unreadable),
        ("too long", "4701".repeat(MAX_TEXT), None, now, Verdict::Unreadable),
    ]
}

#[test]
fn verdicts_are_those_of_the_vectors() {
    let key = signer("model-city", 1).key();
    let mut made = Vec::new();
    for (name, text, list, moment, verdict) in cases() {
        let checked = check(&text, std::slice::from_ref(&key), list.as_ref(), at(moment));
        assert_eq!(checked.verdict, verdict, "{name}");
        let told = !matches!(verdict, Verdict::OtherBody | Verdict::Forged | Verdict::Unreadable);
        assert_eq!(checked.statement.is_some(), told, "{name}: nothing forged is read out");
        let list = list.map(|l| l.sign(&signer("model-city", 1)).unwrap());
        made.push(json!({"name": name, "text": text, "list": list, "at": moment, "verdict": verdict.code(),
            "number": checked.statement.as_ref().map(|s| s.number.as_str()), "items": checked.statement.map(|s| s.items.len())}));
    }
    let vectors = json!({"key": key.to_string(), "cases": made});
    let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
    if std::env::var_os("SEKISHO_WRITE_VECTORS").is_some() {
        std::fs::write(VECTORS, &text).unwrap();
    }
    // As values: whether members keep their order depends on who else builds serde_json.
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    assert_eq!(kept, vectors, "SEKISHO_WRITE_VECTORS=1 writes it anew when the form changes on purpose");
}

#[test]
fn every_changed_digit_is_noticed() {
    let (key, now, text) = (signer("model-city", 1).key(), at("2026-11-26T04:00:00.000Z"), text());
    for n in 0..text.len() {
        let verdict = check(&with_digit(&text, n), std::slice::from_ref(&key), None, now).verdict;
        assert!(
            matches!(verdict, Verdict::Forged | Verdict::OtherBody | Verdict::Unreadable),
            "{n}: {verdict:?}"
        );
    }
}

#[test]
fn a_tampered_field_under_the_old_signature_is_forged() {
    // The holder changed, everything else as signed: what somebody with a text editor and our source would make.
    let signed = text();
    let mut changed = permit("model-city");
    changed.holder = "髙橋 太子".to_owned();
    let other = changed.fit(&things()).unwrap().sign(&signer("model-city", 2)).unwrap();
    assert_eq!(signed.len(), other.len());
    // Contents are of the same length and alike behind the holder: the digits of the last groups carry the old signature.
    let cut = signed.len() - 17 * 20;
    let forged = format!("{}{}", &other[..cut], &signed[cut..]);
    let verdict =
        check(&forged, &[signer("model-city", 1).key()], None, at("2026-11-26T04:00:00.000Z")).verdict;
    assert_eq!(verdict, Verdict::Forged);
}

#[test]
fn names_are_cut_numbers_are_not_and_the_code_fits_on_paper() {
    let key = signer("model-city", 1);
    let mut worst = permit("model-city");
    worst.body_title = "字".repeat(100);
    worst.title = "題".repeat(100);
    worst.holder = "邉\u{e0101}".repeat(50);
    worst.number = "9".repeat(80);
    let items = vec![item(&"X".repeat(120), &"名".repeat(200)); 300];
    let fitted = worst.fit(&items).unwrap();
    assert_eq!((fitted.count, fitted.hash.len()), (300, 32));
    let text = fitted.sign(&key).unwrap();
    assert!(text.len() <= 1600, "{} digits are more than version 20 holds at level M", text.len());
    assert!(text.len() <= 4 + (MAX_CONTENT + 64).div_ceil(7) * 17);
    let read = check(&text, &[key.key()], None, at("2026-11-26T04:00:00.000Z")).statement.unwrap();
    assert_eq!(read, fitted);
    let mut long = permit("model-city");
    long.number = "9".repeat(81);
    assert!(long.fit(&[]).is_err());
    let mut broken = permit("model-city");
    broken.number = "1\n2".to_owned();
    assert!(broken.fit(&[]).is_err());
    let mut named = permit("model-city");
    named.holder = "花子\n2026-12-31\t".to_owned();
    assert_eq!(named.fit(&[]).unwrap().holder, "花子 2026-12-31 ");
    assert!(permit("model-city").fit(&[]).unwrap().sign(&signer("other-city", 1)).is_err());
}

#[test]
fn which_things_are_listed_does_not_change_the_hash_over_all_of_them() {
    let many: Vec<Item> = (1..=40).map(|n| item(&format!("PC-{n:04}"), "端末")).collect();
    let a = permit("model-city").fit(&many).unwrap();
    assert!(!a.items.is_empty() && a.items.len() < 40 && a.count == 40);
    let mut other = many.clone();
    other[39].code = "PC-9999".to_owned();
    let b = permit("model-city").fit(&other).unwrap();
    assert_eq!(a.items, b.items);
    assert_ne!(a.hash, b.hash, "a thing that is not listed is bound too");
}

#[test]
fn a_list_is_accepted_only_as_it_was_signed() {
    let signer_ = signer("model-city", 1);
    let ended = list(&[("1", End::Revoked), ("2", End::Returned), ("3", End::Closed)]);
    let text = ended.sign(&signer_).unwrap();
    let keys = [signer_.key()];
    let open = EndedList::open(&text, &keys).unwrap();
    assert_eq!(open, ended);
    assert_eq!((open.end_of("2"), open.end_of("4")), (Some(End::Returned), None));
    assert!(EndedList::open(&text, &[signer("model-city", 2).key()]).is_err());
    assert!(EndedList::open(&text, &[]).is_err());
    for n in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[n] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(EndedList::open(&changed, &keys).is_err(), "byte {n}");
    }
    assert!(EndedList { body: "other".to_owned(), ..ended }.sign(&signer_).is_err());
}

#[test]
fn a_logs_key_is_no_key_for_permits_and_neither_signs_for_the_other() {
    let log = sekisho_ledger::LogSigner::from_seed("model-city", &[1; 32]).unwrap();
    assert!(PermitKey::parse(&log.vkey()).is_err());
    let key = signer("model-city", 1).key();
    assert!(sekisho_ledger::LogKey::parse(&key.to_string()).is_err());
    assert_eq!(PermitKey::parse(&format!("{key}\n")).unwrap(), key);
    assert!(PermitSigner::from_seed("a+b", &[1; 32]).is_err());
}

proptest! {
    #[test]
    fn nothing_foreign_is_accepted(text in "(4701)?[0-9０-９ \n]{0,400}", any in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = signer("model-city", 1).key();
        let now = at("2026-11-26T04:00:00.000Z");
        for text in [text.as_str(), any.as_str(), &String::from_utf8_lossy(&bytes)] {
            prop_assert!(check(text, std::slice::from_ref(&key), None, now).statement.is_none());
            prop_assert!(EndedList::open(text, std::slice::from_ref(&key)).is_err());
            prop_assert!(PermitKey::parse(text).is_err());
        }
    }

    #[test]
    fn whatever_a_permit_says_is_read_back(holder in "\\PC{0,40}", name in "\\PC{0,40}", number in "[ -~]{1,80}", n in 0usize..30) {
        let key = signer("model-city", 1);
        let mut p = permit("model-city");
        (p.holder, p.number) = (holder, number);
        let fitted = p.fit(&vec![item("C-1", &name); n]).unwrap();
        let read = check(&fitted.sign(&key).unwrap(), &[key.key()], None, at("2026-11-26T04:00:00.000Z"));
        prop_assert_eq!(read.statement, Some(fitted));
    }
}
