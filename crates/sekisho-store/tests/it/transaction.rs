//! What the closures of `read` and `write` may rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sekisho_store::{MayBeTrouble, StoreError, Trouble, setting};

#[derive(Debug)]
enum UseCase {
    Refused(i64),
    Store(StoreError),
}

impl From<StoreError> for UseCase {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl MayBeTrouble for UseCase {
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Refused(_) => None,
            Self::Store(e) => e.trouble(),
        }
    }
}

on_both! {
    async fn an_error_leaves_nothing_behind(db: Db) {
        let refused = db.store.write(|c| Box::pin(async move {
            let n = setting::next(c, "n").await?;
            setting::set(c, "a", "1").await?;
            Err::<(), _>(UseCase::Refused(n))
        })).await;
        assert!(matches!(refused, Err(UseCase::Refused(1))), "{refused:?}");
        assert_eq!(look!(db.store, c => setting::get(c, "a").await).unwrap(), None);
        assert_eq!(look!(db.store, c => setting::current(c, "n").await).unwrap(), 0);
    }

    async fn acts_beside_a_refused_one_are_kept(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..60_i64 {
            let store = db.store.clone();
            tasks.spawn(async move {
                let kept = store.write(move |c| Box::pin(async move {
                    setting::set(c, &format!("key{n}"), "x").await?;
                    setting::next(c, "count").await?;
                    if n % 5 == 0 { Err(UseCase::Refused(n)) } else { Ok(()) }
                })).await;
                (n, kept)
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (n, kept) = done.unwrap();
            match kept {
                Ok(()) => assert_ne!(n % 5, 0),
                Err(UseCase::Refused(m)) => assert_eq!((n % 5, m), (0, n)),
                Err(UseCase::Store(e)) => panic!("{n}: {e}"),
            }
        }
        for n in 0..60_i64 {
            let value = look!(db.store, c => setting::get(c, &format!("key{n}")).await).unwrap();
            assert_eq!(value.is_some(), n % 5 != 0, "key{n}");
        }
        assert_eq!(look!(db.store, c => setting::current(c, "count").await).unwrap(), 48);
    }

    async fn sequences_of_64_writers_are_dense(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..64_i64 {
            let store = db.store.clone();
            tasks.spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..4 {
                    // Every seventh gives its number back.
                    let got = store.write(move |c| Box::pin(async move {
                        let n = setting::next(c, "dense").await?;
                        if task % 7 == 3 { Err(UseCase::Refused(n)) } else { Ok(n) }
                    })).await;
                    match got {
                        Ok(n) => mine.push(n),
                        Err(UseCase::Refused(_)) => {}
                        Err(UseCase::Store(e)) => panic!("{e}"),
                    }
                }
                mine
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done.unwrap());
        }
        all.sort_unstable();
        let wanted: Vec<i64> = (1..=i64::try_from(all.len()).unwrap()).collect();
        assert_eq!(all, wanted);
        assert_eq!(all.len(), 220);
    }

    async fn reading_cannot_write(db: Db) {
        let refused = look!(db.store, c => setting::set(c, "a", "1").await);
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        assert_eq!(look!(db.store, c => setting::get(c, "a").await).unwrap(), None);
    }

    async fn one_query_cannot_write(db: Db) {
        let refused = db.store.ask(|c| Box::pin(async move { setting::set(c, "a", "1").await })).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        assert_eq!(look!(db.store, c => setting::get(c, "a").await).unwrap(), None);
    }

    async fn one_query_is_one(db: Db) {
        act!(db.store, c => setting::set(c, "a", "1").await).unwrap();
        let one = db.store.ask(|c| Box::pin(async move { setting::get(c, "a").await }));
        let (one, sent) = sekisho_store::counted(one).await;
        assert_eq!((one.unwrap().as_deref(), sent), (Some("1"), 1));
        let store = db.store.clone();
        let two = tokio::spawn(async move {
            store.ask(|c| Box::pin(async move {
                setting::get(c, "a").await?;
                setting::get(c, "a").await
            })).await
        });
        // In a release build it would only see two moments.
        assert_eq!(two.await.is_err_and(|e| e.is_panic()), cfg!(debug_assertions));
        assert!(look!(db.store, c => setting::get(c, "a").await).unwrap().is_some());
    }

    async fn an_act_does_not_wait_for_readings(db: Db) {
        let (entered, mut seen) = tokio::sync::mpsc::channel(64);
        let (leave, left) = tokio::sync::watch::channel(false);
        let mut readings = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (store, entered, mut left) = (db.store.clone(), entered.clone(), left.clone());
            readings.spawn(async move {
                look!(store, c => {
                    let before = setting::get(c, "a").await?;
                    entered.send(()).await.unwrap();
                    left.wait_for(|l| *l).await.unwrap();
                    Ok(before)
                })
            });
        }
        // As many as there are connections for reading; the others wait for one.
        for _ in 0..if db.store.is_sqlite() { 4 } else { 7 } {
            seen.recv().await.unwrap();
        }
        act!(db.store, c => setting::set(c, "a", "1").await).unwrap();
        leave.send(true).unwrap();
        while let Some(read) = readings.join_next().await {
            read.unwrap().unwrap();
        }
    }

    async fn a_reading_that_ended_leaves_no_transaction_open(db: Db) {
        if db.store.is_sqlite() {
            return;
        }
        let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        for refused in [false, true] {
            let read = look!(db.store, c => {
                setting::get(c, "a").await?;
                if refused { Err(StoreError::Stopped) } else { Ok(()) }
            });
            assert_eq!(read.is_err(), refused);
            let still = async {
                while db.store.ask(|c| Box::pin(async move { c.count(open, vec![]).await })).await.unwrap() > 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(10), still).await.unwrap();
        }
    }

    async fn a_reader_sees_one_moment(db: Db) {
        act!(db.store, c => setting::set(c, "a", "before").await).unwrap();
        let other = db.store.clone();
        let (first, second) = look!(db.store, c => {
            let first = setting::get(c, "a").await?;
            act!(other, c => setting::set(c, "a", "after").await)?;
            Ok((first, setting::get(c, "a").await?))
        }).unwrap();
        assert_eq!((first.as_deref(), second.as_deref()), (Some("before"), Some("before")));
        assert_eq!(look!(db.store, c => setting::get(c, "a").await).unwrap().as_deref(), Some("after"));
    }

    async fn a_panic_breaks_one_act_only(db: Db) {
        let store = db.store.clone();
        let broken = tokio::spawn(async move {
            act!(store, c => {
                setting::set(c, "a", "1").await?;
                assert!(c.count("SELECT COUNT(*) FROM setting", vec![]).await? > 1, "on purpose");
                Ok(())
            })
        }).await;
        // SQLite's writer answers for the job; on PostgreSQL the panic is the caller's own.
        assert!(matches!(broken, Ok(Err(StoreError::Broken)) | Err(_)));
        act!(db.store, c => setting::set(c, "b", "2").await).unwrap();
        assert_eq!(look!(db.store, c => setting::get(c, "a").await).unwrap(), None);
        assert_eq!(look!(db.store, c => setting::get(c, "b").await).unwrap().as_deref(), Some("2"));
    }

    async fn what_is_answered_is_kept(db: Db) {
        // A failed statement whose error the use case swallows: SQLite keeps the rest, PostgreSQL nothing. Neither may say Ok and keep nothing.
        let answer = act!(db.store, c => {
            setting::set(c, "a", "1").await?;
            let failed = c.exec("INSERT INTO post (code, unit, title, head, sort) VALUES ('P', 'no such unit', '', TRUE, 0)", vec![]).await;
            assert!(failed.is_err());
            Ok(())
        });
        let kept = look!(db.store, c => setting::get(c, "a").await).unwrap().is_some();
        assert_eq!(answer.is_ok(), kept);
    }

    async fn a_caller_that_goes_away_stops_nothing(db: Db) {
        let store = db.store.clone();
        let task = tokio::spawn(async move { act!(store, c => setting::next(c, "n").await) });
        task.abort();
        let _ = task.await;
        let n = act!(db.store, c => setting::next(c, "n").await).unwrap();
        assert!(n == 1 || n == 2, "{n}");
        assert_eq!(look!(db.store, c => setting::current(c, "n").await).unwrap(), n);
    }

    async fn each_commit_is_told(db: Db) {
        let told = Arc::new(AtomicUsize::new(0));
        let (counter, committed) = (Arc::clone(&told), db.store.committed());
        let (ready, waiting) = tokio::sync::oneshot::channel();
        let listener = tokio::spawn(async move {
            let notified = committed.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            ready.send(()).unwrap();
            notified.await;
            counter.fetch_add(1, Ordering::SeqCst);
        });
        waiting.await.unwrap();
        act!(db.store, c => setting::set(c, "a", "1").await).unwrap();
        listener.await.unwrap();
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }

    async fn closing_waits_for_acts_and_ends_every_clone(db: Db) {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let store = db.store.clone();
            tasks.spawn(async move { act!(store, c => setting::next(c, "n").await) });
        }
        let clone = db.store.clone();
        db.store.close().await;
        let mut kept = 0;
        while let Some(done) = tasks.join_next().await {
            match done.unwrap() {
                Ok(_) => kept += 1,
                Err(StoreError::Stopped) => {}
                Err(e) => panic!("{e}"),
            }
        }
        assert!(matches!(act!(clone, c => setting::next(c, "n").await), Err(StoreError::Stopped)));
        assert!(matches!(look!(clone, c => setting::current(c, "n").await), Err(StoreError::Stopped)));
        let again = sekisho_store::Store::open(&db.address).await.unwrap();
        assert_eq!(look!(again, c => setting::current(c, "n").await).unwrap(), kept);
    }
}
