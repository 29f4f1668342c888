//! Absences, delegations and proposals: nothing is deleted, and each is decided once.

use sekisho_store::absence::{self, AbsenceRow};
use sekisho_store::delegation::{self, DelegationRow, DelegationState};
use sekisho_store::org::{self, PersonRow, PostRow, UnitRow};
use sekisho_store::org_proposal::{self, ProposalRow};
use sekisho_store::proposal::ProposalState;
use sekisho_store::{StoreError, setting};

use crate::engine::{Db, at, day, strings};

async fn base(db: &Db) {
    act!(db.store, c => {
        let unit = UnitRow { code: "S".into(), name: "税務課".into(), kind: "section".into(), parent: None, from: day("2026-04-01"), until: None, sort: 0 };
        org::put_unit(c, &unit).await?;
        org::put_post(c, &PostRow { code: "P1".into(), unit: "S".into(), title: "課長".into(), head: true, sort: 0 }).await?;
        for number in ["00001", "00002"] {
            let person = PersonRow { number: number.into(), name: "仮".into(), kana: String::new(), mail: String::new() };
            org::put_person(c, &person).await?;
        }
        Ok(())
    })
    .unwrap();
}

fn away(id: &str, person: &str, from: &str, until: &str) -> AbsenceRow {
    AbsenceRow {
        id: id.into(),
        person: person.into(),
        from: day(from),
        until: day(until),
        kind: "leave".into(),
        note: "髙尾へ".into(),
        by: "00002".into(),
        at: Some(at(1)),
        cancelled: None,
    }
}

fn lent(id: &str, from: &str, until: &str) -> DelegationRow {
    DelegationRow {
        id: id.into(),
        post: "P1".into(),
        person: "00002".into(),
        role: String::new(),
        from: day(from),
        until: day(until),
        note: "長期の研修".into(),
        state: DelegationState::Proposed,
        proposed_by: "00001".into(),
        proposed_at: at(1),
        decided: None,
        says: String::new(),
        ended: None,
    }
}

on_both! {
    async fn a_cancelled_absence_stays_and_no_longer_counts(db: Db) {
        base(&db).await;
        let rows = [
            away("A1", "00001", "2026-08-10", "2026-08-14"),
            away("A2", "00001", "2026-07-01", "2026-07-02"),
            away("A3", "00002", "2026-08-12", "2026-08-12"),
        ];
        let put = rows.clone();
        act!(db.store, c => {
            for row in &put {
                absence::add(c, row).await?;
            }
            Ok(())
        }).unwrap();
        let before = look!(db.store, c => setting::current(c, org::VERSION).await).unwrap();
        act!(db.store, c => absence::cancel(c, "A1", "00001", at(9)).await).unwrap();
        let again = act!(db.store, c => absence::cancel(c, "A1", "00001", at(10)).await);
        assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
        let (all, mine, one, version) = look!(db.store, c => Ok((
            org::load(c, day("2026-08-01")).await?.absences,
            absence::of_people(c, &strings(&["00001"]), day("2026-07-02"), 10).await?,
            absence::get(c, "A1").await?,
            setting::current(c, org::VERSION).await?,
        ))).unwrap();
        assert_eq!(all, [rows[2].clone()], "over before the day, or cancelled: left out");
        let cancelled = AbsenceRow { cancelled: Some(("00001".into(), at(9))), ..rows[0].clone() };
        assert_eq!(mine, [rows[1].clone(), cancelled.clone()]);
        assert_eq!(one, Some(cancelled));
        assert_eq!(version, before + 1, "a cached organization knows that it is old");
        assert!(look!(db.store, c => absence::of_people(c, &[], day("2026-01-01"), 10).await).unwrap().is_empty());
    }

    async fn a_delegation_counts_only_between_its_approval_and_its_end(db: Db) {
        base(&db).await;
        let rows = [lent("D1", "2026-08-01", "2026-09-30"), lent("D2", "2026-08-01", "2026-08-31"), lent("D3", "2026-05-01", "2026-05-31")];
        let put = rows.clone();
        act!(db.store, c => {
            for row in &put {
                delegation::propose(c, row).await?;
            }
            Ok(())
        }).unwrap();
        let (waiting, counting) = look!(db.store, c => Ok((
            delegation::waiting(c, day("2026-08-01")).await?,
            org::load(c, day("2026-08-01")).await?.delegations,
        ))).unwrap();
        assert_eq!(waiting, [rows[0].clone(), rows[1].clone()]);
        assert!(counting.is_empty(), "a proposal gives nothing");

        act!(db.store, c => {
            delegation::decide(c, "D1", true, "00009", at(5), "よい").await?;
            delegation::decide(c, "D2", false, "00009", at(6), "要らない").await
        }).unwrap();
        let twice = act!(db.store, c => delegation::decide(c, "D2", true, "00009", at(7), "").await);
        assert!(matches!(twice, Err(StoreError::Conflict(_))), "what is refused stays refused");
        let refused = act!(db.store, c => delegation::end(c, "D2", "00001", at(7)).await);
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        let counting = look!(db.store, c => Ok(org::load(c, day("2026-08-01")).await?.delegations)).unwrap();
        let approved = DelegationRow {
            state: DelegationState::Approved,
            decided: Some(("00009".into(), at(5))),
            says: "よい".into(),
            ..rows[0].clone()
        };
        assert_eq!(counting.as_slice(), std::slice::from_ref(&approved));
        assert!(look!(db.store, c => Ok(org::load(c, day("2026-10-01")).await?.delegations)).unwrap().is_empty());

        act!(db.store, c => delegation::end(c, "D1", "00001", at(8)).await).unwrap();
        let (counting, kept, listed) = look!(db.store, c => Ok((
            org::load(c, day("2026-08-01")).await?.delegations,
            delegation::get(c, "D1").await?,
            delegation::since(c, day("2026-08-01"), 10).await?,
        ))).unwrap();
        assert!(counting.is_empty());
        let ended = DelegationRow { state: DelegationState::Ended, ended: Some(("00001".into(), at(8))), ..approved };
        assert_eq!(kept, Some(ended));
        assert_eq!(listed.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["D1", "D2"]);
        let unknown = act!(db.store, c => delegation::propose(c, &DelegationRow { post: "none".into(), ..lent("D4", "2026-08-01", "2026-08-02") }).await);
        assert!(matches!(unknown, Err(StoreError::Database(_))));
    }

    async fn a_proposal_is_taken_over_and_decided_once(db: Db) {
        let row = ProposalRow {
            id: "P1".into(),
            name: "異動.xlsx".into(),
            sha256: "a".repeat(64),
            shown: "b".repeat(64),
            summary: "{}".into(),
            state: ProposalState::Waiting,
            proposed_by: String::new(),
            proposed_at: at(1),
            decided: None,
            says: String::new(),
        };
        let put = row.clone();
        act!(db.store, c => org_proposal::put(c, &put, "00ff").await).unwrap();
        act!(db.store, c => org_proposal::adopt(c, "P1", "00001").await).unwrap();
        let second = act!(db.store, c => org_proposal::adopt(c, "P1", "00002").await);
        assert!(matches!(second, Err(StoreError::Conflict(_))));
        let (waiting, bytes) = look!(db.store, c => Ok((
            org_proposal::waiting(c, 10).await?,
            org_proposal::bytes(c, "P1").await?,
        ))).unwrap();
        let adopted = ProposalRow { proposed_by: "00001".into(), ..row };
        assert_eq!((waiting, bytes.as_deref()), (vec![adopted.clone()], Some("00ff")));
        act!(db.store, c => org_proposal::decide(c, "P1", true, "00002", at(5), "").await).unwrap();
        let twice = act!(db.store, c => org_proposal::decide(c, "P1", false, "00002", at(6), "").await);
        assert!(matches!(twice, Err(StoreError::Conflict(_))));
        let (waiting, bytes, kept) = look!(db.store, c => Ok((
            org_proposal::waiting(c, 10).await?,
            org_proposal::bytes(c, "P1").await?,
            org_proposal::get(c, "P1").await?,
        ))).unwrap();
        assert!(waiting.is_empty() && bytes.is_none(), "the file is let go");
        assert_eq!(kept, Some(ProposalRow { state: ProposalState::Applied, decided: Some(("00002".into(), at(5))), ..adopted }));
    }

    async fn a_day_that_turns_tells_whether_something_began_or_ended(db: Db) {
        base(&db).await;
        act!(db.store, c => absence::add(c, &away("A1", "00001", "2026-08-10", "2026-08-14")).await).unwrap();
        for (after, today, turned) in [
            ("2026-08-08", "2026-08-09", false),
            ("2026-08-09", "2026-08-10", true),
            ("2026-08-10", "2026-08-14", false),
            ("2026-08-14", "2026-08-15", true),
            ("2026-08-15", "2026-08-16", false),
            ("2026-08-01", "2026-08-20", true),
        ] {
            let found = look!(db.store, c => org::turned(c, day(after), day(today)).await).unwrap();
            assert_eq!(found, turned, "{after} {today}");
        }
    }
}
