//! Queries of packs: what they may read, that they change nothing, and that none runs without end.

use sekisho_base::Date;
use sekisho_store::query::{self, QueryRow, Share};
use sekisho_store::register;

use crate::engine::{Db, fill, row, spec};

/// Enough for any query that ends.
const SMALL: Share = Share { looks: 200, milliseconds: 300 };

async fn made(db: &Db) {
    fill(&db.store, &spec("asset"), vec![row("R1", "一", "S"), row("R2", "二", "S")]).await;
    act!(db.store, c => {
        register::ensure(c, &spec("asset")).await?;
        query::ensure_views(c, &[spec("asset")]).await
    })
    .unwrap();
}

on_both! {
    async fn a_query_reads_its_views_with_days(db: Db) {
        made(&db).await;
        // Twice is once.
        act!(db.store, c => query::ensure_views(c, &[spec("asset")]).await).unwrap();
        let select = "SELECT v.row_key, v.owner_unit, 'x' AS says FROM v_asset v WHERE $1 < $2 ORDER BY v.row_key";
        let days: Vec<Date> = vec!["2026-01-01".parse().unwrap(), "2026-01-02".parse().unwrap()];
        let found = look!(db.store, c => query::run(c, select, &days, query::SHARE).await).unwrap();
        assert_eq!(found.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["asset/id-R1", "asset/id-R2"]);
        assert_eq!(look!(db.store, c => query::count(c, "v_asset").await).unwrap(), 2);
        assert!(look!(db.store, c => query::count(c, "v_asset; DROP TABLE case_file").await).is_err());
        let none: Vec<QueryRow> = look!(db.store, c => query::run(c, "SELECT row_key, owner_unit, title AS says FROM v_case", &[], query::SHARE).await).unwrap();
        assert!(none.is_empty());
    }

    async fn a_query_can_neither_write_nor_read_what_is_not_shown(db: Db) {
        made(&db).await;
        // What a pack may hold is refused long before; these would be the last line.
        for select in [
            "DELETE FROM r_asset RETURNING id, id, id",
            "SELECT id, id, id FROM r_asset); DELETE FROM r_asset; SELECT (1",
        ] {
            assert!(look!(db.store, c => query::run(c, select, &[], query::SHARE).await).is_err(), "{select}");
        }
        if !db.store.is_sqlite() {
            for select in ["SELECT login, login, password FROM account", "SELECT id, id, id FROM r_asset", "SELECT usename::text, usename::text, passwd FROM pg_shadow"] {
                let refused = look!(db.store, c => query::run(c, select, &[], query::SHARE).await).unwrap_err();
                assert!(refused.to_string().contains("permission denied"), "{select}: {refused}");
            }
        }
        assert_eq!(look!(db.store, c => query::count(c, "v_asset").await).unwrap(), 2, "nothing was deleted");
    }

    async fn a_query_without_end_is_broken_off_and_the_connection_goes_on(db: Db) {
        made(&db).await;
        let endless = "SELECT a.row_key, a.owner_unit, a.row_key AS says FROM v_asset a WHERE (SELECT COUNT(*) FROM v_asset b, v_asset d, v_asset e, v_asset f, v_asset g, v_asset h, v_asset i, v_asset j, v_asset k, v_asset l, v_asset m, v_asset n, v_asset o, v_asset p, v_asset q, v_asset r, v_asset s, v_asset t, v_asset u, v_asset w, v_asset x, v_asset y, v_asset z, v_asset aa, v_asset ab, v_asset ac, v_asset ad, v_asset ae, v_asset af, v_asset ag, v_asset ah, v_asset ai WHERE b.row_key || d.row_key || e.row_key || f.row_key || g.row_key || h.row_key || i.row_key || j.row_key || k.row_key || l.row_key || m.row_key || n.row_key || o.row_key || p.row_key || q.row_key || r.row_key || s.row_key || t.row_key || u.row_key || w.row_key || x.row_key || y.row_key || z.row_key || aa.row_key || ab.row_key || ac.row_key || ad.row_key || ae.row_key || af.row_key || ag.row_key || ah.row_key || ai.row_key = a.row_key) >= 0";
        for _ in 0..2 {
            assert!(look!(db.store, c => query::run(c, endless, &[], SMALL).await).is_err());
        }
        for _ in 0..8 {
            assert_eq!(look!(db.store, c => query::count(c, "v_asset").await).unwrap(), 2, "every connection still answers");
        }
    }
}
