//! Settings, counters, packs and uploads.

use std::collections::BTreeMap;

use sekisho_store::pack::{self, PackRow};
use sekisho_store::pack_proposal::{self, PackProposalRow};
use sekisho_store::proposal::ProposalState;
use sekisho_store::setting;
use sekisho_store::upload::{self, UploadRow};

use crate::engine::at;

fn upload_row(id: &str, person: &str, created: i64) -> UploadRow {
    UploadRow {
        id: id.into(),
        kind: "org".into(),
        person: person.into(),
        name: "異動.xlsx".into(),
        sha256: "a".repeat(64),
        bytes: "00ff".into(),
        created_at: at(created),
    }
}

on_both! {
    async fn settings_are_replaced_and_counters_count(db: Db) {
        act!(db.store, c => {
            setting::set(c, "a", "一").await?;
            setting::set(c, "a", "").await?;
            assert_eq!(setting::next(c, "n").await?, 1);
            assert_eq!(setting::next(c, "n").await?, 2);
            assert_eq!(setting::next(c, "m").await?, 1);
            Ok(())
        }).unwrap();
        let (a, b, n, none) = look!(db.store, c => Ok((setting::get(c, "a").await?, setting::get(c, "b").await?, setting::current(c, "n").await?, setting::current(c, "x").await?))).unwrap();
        assert_eq!((a.as_deref(), b, n, none), (Some(""), None, 2, 0));
    }

    async fn a_pack_is_kept_as_it_was_first(db: Db) {
        let files: BTreeMap<String, String> = [("pack.toml".to_owned(), "name = \"市\"\n".to_owned()), ("forms/a.typ".to_owned(), "𠮷".to_owned())].into();
        let row = PackRow { hash: "h".into(), name: "model-city".into(), version: "1".into(), files, loaded_at: at(0), loaded_by: "system".into() };
        let (first, second) = (row.clone(), PackRow { version: "2".into(), loaded_at: at(9), ..row.clone() });
        act!(db.store, c => {
            pack::put(c, &first).await?;
            pack::put(c, &second).await
        }).unwrap();
        assert_eq!(look!(db.store, c => pack::get(c, "h").await).unwrap(), Some(row));
        assert_eq!(look!(db.store, c => pack::get(c, "i").await).unwrap(), None);
    }

    async fn what_took_effect_comes_in_its_order(db: Db) {
        let version = |hash: &str, n: i64| PackRow { hash: hash.into(), name: "city".into(), version: n.to_string(), files: BTreeMap::new(), loaded_at: at(n), loaded_by: "system".into() };
        let proposal = |id: &str, base: &str, hash: &str, n: i64| PackProposalRow {
            id: id.into(), hash: hash.into(), base: base.into(), shown: String::new(), summary: "{}".into(), state: ProposalState::Waiting,
            named: String::new(), proposed_by: "00001".into(), proposed_at: at(n), decided: None, says: String::new(),
        };
        let (versions, proposals) = (
            [version("a", 0), version("b", 1), version("c", 2)],
            // The later proposal takes effect first; one is refused, one waits.
            [proposal("P1", "c", "b", 10), proposal("P2", "a", "c", 20), proposal("P3", "a", "b", 30), proposal("P4", "b", "a", 90)],
        );
        act!(db.store, c => {
            for v in &versions {
                pack::put(c, v).await?;
            }
            for p in &proposals {
                pack_proposal::put(c, p).await?;
            }
            pack_proposal::decide(c, "P2", true, "00002", at(40), "").await?;
            pack_proposal::decide(c, "P3", false, "00002", at(50), "").await?;
            pack_proposal::decide(c, "P1", true, "00003", at(60), "").await
        }).unwrap();
        let (applied, head, none) = look!(db.store, c => Ok((pack_proposal::applied(c).await?, pack::head(c, "a").await?, pack::head(c, "x").await?))).unwrap();
        let told: Vec<_> = applied.iter().map(|a| (a.id.as_str(), a.base.as_str(), a.hash.as_str(), a.name.as_str(), a.decided.clone())).collect();
        assert_eq!(told, [("P2", "a", "c", "city 2", ("00002".to_owned(), at(40))), ("P1", "c", "b", "city 1", ("00003".to_owned(), at(60)))]);
        assert_eq!(applied[0].proposed, ("00001".to_owned(), at(20)));
        assert_eq!((head.map(|h| (h.version, h.loaded_at)), none), (Some(("0".to_owned(), at(0))), None));
    }

    async fn an_upload_is_its_senders_alone(db: Db) {
        act!(db.store, c => {
            for u in [upload_row("U1", "00001", 100), upload_row("U2", "00001", 10), upload_row("U3", "00002", 100)] {
                upload::put(c, &u).await?;
            }
            Ok(())
        }).unwrap();
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "00001").await).unwrap(), Some(upload_row("U1", "00001", 100)));
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "00002").await).unwrap(), None);
        assert_eq!(look!(db.store, c => upload::get(c, "U1", "").await).unwrap(), None);
        act!(db.store, c => upload::drop_used(c, "U1", at(50 + 86_400)).await).unwrap();
        let (used, old, other) = look!(db.store, c => Ok((
            upload::get(c, "U1", "00001").await?.is_some(),
            upload::get(c, "U2", "00001").await?.is_some(),
            upload::get(c, "U3", "00002").await?.is_some(),
        ))).unwrap();
        assert_eq!((used, old, other), (false, false, true));
    }
}
