//! Witnesses, their signatures and reviews; rows against entries.

use sekisho_store::case::{self, ActRow};
use sekisho_store::ledger::compare::{self, Gap, Orphan};
use sekisho_store::ledger::witness::{self, CosignatureRow, ReviewRow, WitnessRow};
use sekisho_store::ledger::{self, CheckpointRow};
use sekisho_store::{args, setting};

use crate::engine::at;
use crate::ledger::entry;

fn auditor() -> WitnessRow {
    WitnessRow {
        name: "witness.example/監査".into(),
        vkey: "k".into(),
        url: "http://10.0.0.1".into(),
        size: 0,
        asked_at: None,
        answered_at: None,
        trouble_code: String::new(),
        trouble: String::new(),
        trouble_since: None,
    }
}

fn checkpoint(size: i64) -> CheckpointRow {
    CheckpointRow { size, root: format!("{size:064}"), note: format!("note {size}"), at: at(size) }
}

fn line(size: i64, witness: &str) -> CosignatureRow {
    CosignatureRow { size, witness: witness.into(), line: format!("— {witness} {size}\n"), at: at(size) }
}

fn act(seq: i64, entry: &str) -> ActRow {
    ActRow {
        seq,
        kind: "permit".into(),
        person: "00001".into(),
        at: at(seq),
        body: format!("{{\"seq\":{seq}}}"),
        entry: entry.into(),
    }
}

on_both! {
    async fn witnesses_come_change_and_go(db: Db) {
        let other = WitnessRow { name: "a".into(), ..auditor() };
        let troubled = WitnessRow {
            size: 7, asked_at: Some(at(3)), answered_at: Some(at(2)), trouble_code: "x".into(), trouble: "答えがない".into(), trouble_since: Some(at(3)), ..auditor()
        };
        let (first, second) = (auditor(), troubled.clone());
        act!(db.store, c => {
            witness::put_witness(c, &first).await?;
            witness::put_witness(c, &other).await?;
            witness::put_witness(c, &second).await
        })
        .unwrap();
        let all = look!(db.store, c => witness::witnesses(c).await).unwrap();
        assert_eq!(all.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["a", "witness.example/監査"]);
        assert_eq!(all[1], troubled);
        act!(db.store, c => witness::remove_witness(c, "a").await).unwrap();
        assert_eq!(look!(db.store, c => witness::witnesses(c).await).unwrap(), [troubled]);
    }

    async fn the_newest_signed_checkpoint_that_covers_an_entry_is_found(db: Db) {
        act!(db.store, c => {
            for size in [3, 5, 8] {
                ledger::put_checkpoint(c, &checkpoint(size)).await?;
            }
            witness::put_cosignature(c, &line(3, "a")).await?;
            witness::put_cosignature(c, &line(5, "b")).await?;
            witness::put_cosignature(c, &line(5, "a")).await?;
            // The same checkpoint once more: the later signature stays.
            witness::put_cosignature(c, &CosignatureRow { at: at(99), ..line(5, "a") }).await
        })
        .unwrap();
        let lines = look!(db.store, c => witness::cosignatures(c, 5).await).unwrap();
        assert_eq!(lines, [CosignatureRow { at: at(99), ..line(5, "a") }, line(5, "b")]);
        assert_eq!(look!(db.store, c => witness::witnessed(c, -1).await).unwrap(), Some(checkpoint(5)));
        assert_eq!(look!(db.store, c => witness::witnessed(c, 4).await).unwrap(), Some(checkpoint(5)));
        assert_eq!(look!(db.store, c => witness::witnessed(c, 5).await).unwrap(), None, "entry 5 is the sixth");
        assert_eq!(look!(db.store, c => witness::witnessed_by(c, "b").await).unwrap(), Some(checkpoint(5)));
        assert_eq!(look!(db.store, c => witness::witnessed_by(c, "nobody").await).unwrap(), None);
    }

    async fn the_latest_review_is_shown(db: Db) {
        let review = |second: i64| ReviewRow { ran_at: at(second), size: second, sound: second > 1, report: "一致\n二行目".into() };
        assert_eq!(look!(db.store, c => witness::latest_review(c).await).unwrap(), None);
        act!(db.store, c => {
            witness::put_review(c, &review(2)).await?;
            witness::put_review(c, &review(1)).await
        })
        .unwrap();
        assert_eq!(look!(db.store, c => witness::latest_review(c).await).unwrap(), Some(review(2)));
    }

    async fn rows_and_entries_without_their_counterpart_are_named(db: Db) {
        act!(db.store, c => {
            for n in 1..=4 {
                let stream = if n == 4 { "t" } else { "s" };
                ledger::put(c, &entry(&format!("E{n}"), stream, if n == 4 { 1 } else { n }, n)).await?;
            }
            case::add_act(c, "s", &act(1, "E1")).await?;
            case::add_act(c, "s", &act(2, "E2")).await?;
            case::add_act(c, "s", &act(3, "lost")).await?;
            c.exec("INSERT INTO register_change (id, register, row_id, seq, at, person, cause, entry) VALUES ('h', 'asset', 'r', 1, $1, 'p', 'form', 'E4')", args![at(1)]).await?;
            c.exec("UPDATE ledger_entry SET kind = 'register.change' WHERE id = 'E4'", vec![]).await
        })
        .unwrap();
        let alone = look!(db.store, c => compare::rows_without_entry(c, 10).await).unwrap();
        assert_eq!(alone, [Orphan { table: "case_act", row: "s 3".into(), entry: "lost".into() }]);
        let unnamed = look!(db.store, c => compare::entries_without_row(c, 10).await).unwrap();
        assert_eq!(unnamed.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["E3"]);
        let pairs = look!(db.store, c => compare::acts(c, ("", 0), 1).await).unwrap();
        assert_eq!((pairs.len(), pairs[0].seq, pairs[0].entry.id.as_str(), pairs[0].at), (1, 1, "E1", at(1)));
        let pairs = look!(db.store, c => compare::acts(c, ("s", 1), 10).await).unwrap();
        assert_eq!(pairs.iter().map(|p| p.seq).collect::<Vec<_>>(), [2]);
        let changes = look!(db.store, c => compare::changes(c, "", 10).await).unwrap();
        assert_eq!((changes.len(), changes[0].row_id.as_str(), changes[0].entry.id.as_str()), (1, "r", "E4"));
        assert!(look!(db.store, c => compare::changes(c, "h", 10).await).unwrap().is_empty());
    }

    async fn rows_of_other_tables_are_compared_and_empty_columns_are_not(db: Db) {
        act!(db.store, c => {
            let duty = "INSERT INTO duty_occurrence (id, duty, pack, unit, subject, period, opens_on, due_on, created_at, open_entry, reminded, escalated, next_change_on, outcome, done_by, done_role, capacity, evidence, valid_until, entry) VALUES ($1, 'd', 'p', 'u', $1, '', '', '', '', 'none', 0, 0, '', '', '', '', '', '', '', $2)";
            c.exec(duty, args!["D1", ""]).await?;
            c.exec(duty, args!["D2", "gone"]).await?;
            c.exec("INSERT INTO notification (id, person, kind, subject, link, created_at, mail, tries, try_after, mail_error, entry) VALUES ('N', 'p', 'k', 's', '', '', '', 0, '', '', 'none')", vec![]).await
        })
        .unwrap();
        let alone = look!(db.store, c => compare::rows_without_entry(c, 10).await).unwrap();
        let named: Vec<_> = alone.iter().map(|o| (o.table, o.row.as_str(), o.entry.as_str())).collect();
        assert_eq!(named, [("duty_occurrence", "D1", "none"), ("duty_occurrence", "D2", "none"), ("duty_occurrence", "D2", "gone"), ("notification", "N", "none")]);
    }

    async fn missing_numbers_of_streams_are_named(db: Db) {
        act!(db.store, c => {
            for (stream, seqs) in [("whole", vec![1, 2]), ("middle", vec![1, 3]), ("start", vec![2]), ("end", vec![1]), ("uncounted", vec![1, 4])] {
                for seq in &seqs {
                    ledger::put(c, &entry(&format!("{stream}{seq}"), stream, *seq, *seq)).await?;
                }
            }
            for (stream, given) in [("whole", 2), ("middle", 3), ("start", 2), ("end", 3), ("all", 1)] {
                for _ in 0..given {
                    setting::next(c, &format!("stream:{stream}")).await?;
                }
            }
            setting::next(c, "number:持出").await
        })
        .unwrap();
        let gaps = look!(db.store, c => compare::gaps(c, 10).await).unwrap();
        let gap = |stream: &str, missing, given| Gap { stream: stream.into(), missing, given };
        assert_eq!(gaps, [gap("all", 1, 1), gap("end", 2, 3), gap("middle", 2, 3), gap("start", 1, 2), gap("uncounted", 2, 4)]);
    }

    async fn content_is_erased_once_with_the_history_that_came_with_it(db: Db) {
        act!(db.store, c => {
            ledger::put(c, &entry("E1", "s", 1, 0)).await?;
            c.exec("INSERT INTO register_change (id, register, row_id, seq, at, person, cause, before_row, after_row, entry) VALUES ('h', 'asset', 'r', 1, $1, 'p', 'form', 'old', 'new', 'E1')", args![at(1)]).await?;
            ledger::erase(c, "E1").await
        })
        .unwrap();
        let row = look!(db.store, c => ledger::numbered(c, "s", 1).await).unwrap().unwrap();
        assert_eq!((row.payload, row.salt, row.commitment.len()), (None, None, 64));
        let kept = "SELECT COUNT(*) FROM register_change WHERE before_row IS NOT NULL OR after_row IS NOT NULL";
        assert_eq!(look!(db.store, c => c.count(kept, vec![]).await).unwrap(), 0);
        assert!(act!(db.store, c => ledger::erase(c, "E1").await).is_err());
        assert_eq!(look!(db.store, c => ledger::numbered(c, "s", 2).await).unwrap(), None);
    }

    async fn the_newest_time_counts_waiting_entries(db: Db) {
        assert_eq!(look!(db.store, c => ledger::newest_at(c).await).unwrap(), None);
        act!(db.store, c => {
            ledger::put(c, &entry("E1", "s", 1, 50)).await?;
            ledger::put(c, &entry("E2", "t", 1, 20)).await?;
            ledger::set_leaf(c, "E1", 0).await
        })
        .unwrap();
        assert_eq!(look!(db.store, c => ledger::newest_at(c).await).unwrap(), Some(at(50)));
        act!(db.store, c => ledger::put(c, &entry("E3", "u", 1, 90)).await).unwrap();
        assert_eq!(look!(db.store, c => ledger::newest_at(c).await).unwrap(), Some(at(90)));
    }
}
