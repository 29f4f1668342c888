//! Leases: one holder at a time, and nothing written under one that was lost.

use sekisho_store::{StoreError, lease, setting};

use crate::engine::at;

on_both! {
    async fn a_lease_has_one_holder_until_it_runs_out(db: Db) {
        let take = |holder: &'static str, now: i64| {
            let store = db.store.clone();
            async move { act!(store, c => lease::take(c, "sequencer", holder, at(now), at(now + 30)).await).unwrap().is_some() }
        };
        let epoch = || {
            let store = db.store.clone();
            async move { look!(store, c => c.count("SELECT epoch FROM lease WHERE name = 'sequencer'", vec![]).await).unwrap() }
        };
        assert!(take("a", 0).await);
        assert!(!take("b", 10).await);
        assert!(take("a", 20).await);
        assert_eq!(epoch().await, 1);
        assert!(!take("b", 50).await, "renewed until 50, and not before it has passed");
        assert!(take("b", 51).await);
        assert_eq!(epoch().await, 2);
        assert!(!take("a", 60).await);
        assert!(take("a", 100).await);
        assert_eq!(epoch().await, 3);
        // The clock was set back: within the slack the lease counts, beyond it nobody waits for hours.
        assert!(!take("b", -20).await);
        assert!(take("b", -21).await);
        assert_eq!(epoch().await, 4);
    }

    async fn of_nodes_that_reach_for_the_lease_at_once_one_gets_it(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = db.store.clone();
            tasks.spawn(async move {
                act!(store, c => {
                    let got = lease::take(c, "sequencer", &format!("node{n}"), at(0), at(30)).await?.is_some();
                    if got {
                        // Only the holder goes on to write.
                        setting::next(c, "passes").await?;
                    }
                    Ok(got)
                })
            });
        }
        let mut holders = 0;
        while let Some(done) = tasks.join_next().await {
            holders += i64::from(done.unwrap().unwrap());
        }
        assert_eq!(holders, 1);
        assert_eq!(look!(db.store, c => setting::current(c, "passes").await).unwrap(), 1);
    }

    async fn a_lease_is_free_for_its_holder_and_when_it_ran_out(db: Db) {
        act!(db.store, c => lease::obtain(c, "mail", "a", at(0), 30_000).await).unwrap().unwrap();
        let free = |holder: &'static str| {
            let store = db.store.clone();
            async move { look!(store, c => lease::is_free(c, "mail", holder, at(0), 30_000).await).unwrap() }
        };
        assert!(free("a").await);
        assert!(!free("b").await);
        act!(db.store, c => lease::release_all(c, "a").await).unwrap();
        assert!(free("b").await);
    }
}

#[test]
fn what_is_written_late_under_a_lost_lease_is_not_kept() {
    crate::engine::postgres(lost);
}

async fn lost(db: crate::engine::Db) {
    let take = |holder: &'static str, ms: i64| {
        let store = db.store.clone();
        // The node's own clock is years off: only the database's counts.
        async move { act!(store, c => lease::obtain(c, "daily", holder, at(1_000_000_000), ms).await).unwrap() }
    };
    let held = take("a", 300).await.unwrap();
    assert_eq!(take("b", 300).await, None);
    let store = db.store.clone();
    lease::under(held.clone(), async move {
        act!(store, c => setting::set(c, "first", "1").await).unwrap();
        // It stands still for longer than the lease lasts.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        let other = act!(store, c => setting::set(c, "nobody else came", "1").await);
        assert!(other.is_ok(), "{other:?}");
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    })
    .await;
    let b = take("b", 60_000).await.unwrap();
    let store = db.store.clone();
    let late = lease::under(held, async move { act!(store, c => setting::set(c, "late", "1").await) }).await;
    assert!(matches!(late, Err(StoreError::LeaseLost(_))), "{late:?}");
    assert_eq!(look!(db.store, c => setting::get(c, "late").await).unwrap(), None);
    act!(db.store, c => lease::release(c, &b).await).unwrap();
    assert!(take("a", 300).await.is_some());
}
