//! Units, posts, people and their appointments.

use crate::engine::{at, day};
use sekisho_store::absence::{self, AbsenceRow};
use sekisho_store::org::{self, AppointmentRow, PersonRow, PostRow, UnitRow};
use sekisho_store::{StoreError, setting};

fn unit(code: &str, name: &str, parent: Option<&str>) -> UnitRow {
    UnitRow {
        code: code.into(),
        name: name.into(),
        kind: "section".into(),
        parent: parent.map(str::to_owned),
        from: day("2026-04-01"),
        until: None,
        sort: 10,
    }
}

fn person(number: &str, name: &str) -> PersonRow {
    PersonRow { number: number.into(), name: name.into(), kana: "たかさき".into(), mail: String::new() }
}

fn appointment(id: &str, role: &str, scope: &str) -> AppointmentRow {
    AppointmentRow {
        id: id.into(),
        person: "00001".into(),
        post: "P1".into(),
        main: true,
        from: day("2026-04-01"),
        until: None,
        role: role.into(),
        scope_unit: scope.into(),
    }
}

async fn base(db: &crate::engine::Db) {
    act!(db.store, c => {
        org::put_unit(c, &unit("B", "市", None)).await?;
        org::put_unit(c, &unit("S", "税務課", Some("B"))).await?;
        org::put_post(c, &PostRow { code: "P1".into(), unit: "S".into(), title: "課長".into(), head: true, sort: 0 }).await?;
        org::put_person(c, &person("00001", "仮")).await
    })
    .unwrap();
}

on_both! {
    async fn names_are_kept_byte_for_byte(db: Db) {
        // Variants, an ideographic variation sequence, a character beyond the basic plane, a combining mark.
        let name = "髙﨑 邉\u{e0101}𠮷\u{30ab}\u{3099}";
        act!(db.store, c => org::put_person(c, &person("00009", name)).await).unwrap();
        act!(db.store, c => org::put_person(c, &person("00009", &name.replace(' ', "　"))).await).unwrap();
        let all = look!(db.store, c => org::load(c, day("2026-04-01")).await).unwrap();
        assert_eq!(all.persons.len(), 1);
        assert_eq!(all.persons[0].name.as_bytes(), name.replace(' ', "　").as_bytes());
    }

    async fn what_was_put_is_loaded_in_order(db: Db) {
        base(&db).await;
        let absence = AbsenceRow { id: "A1".into(), person: "00001".into(), from: day("2026-08-10"), until: day("2026-08-14"), kind: "leave".into(), note: "夏休み".into(), by: "00001".into(), at: Some(at(0)), cancelled: None };
        let (kept, mut ended) = (absence.clone(), unit("A", "総務課", Some("B")));
        (ended.sort, ended.until) = (5, Some(day("2027-03-31")));
        let first = ended.clone();
        act!(db.store, c => {
            org::put_unit(c, &first).await?;
            org::put_appointment(c, &appointment("01", "", "")).await?;
            absence::add(c, &absence).await
        }).unwrap();
        let all = look!(db.store, c => org::load(c, day("2026-04-01")).await).unwrap();
        assert_eq!(all.units, [ended, unit("B", "市", None), unit("S", "税務課", Some("B"))]);
        assert_eq!(all.posts, [PostRow { code: "P1".into(), unit: "S".into(), title: "課長".into(), head: true, sort: 0 }]);
        assert_eq!(all.persons, [person("00001", "仮")]);
        assert_eq!(all.appointments, [appointment("01", "", "")]);
        assert_eq!(all.absences, [kept]);
    }

    async fn an_appointment_is_one_by_person_post_day_role_and_scope(db: Db) {
        base(&db).await;
        act!(db.store, c => {
            org::put_appointment(c, &appointment("01", "", "")).await?;
            let again = AppointmentRow { main: false, until: Some(day("2027-03-31")), ..appointment("02", "", "") };
            org::put_appointment(c, &again).await?;
            org::put_appointment(c, &appointment("03", "ciso", "")).await?;
            org::put_appointment(c, &appointment("04", "ciso", "S")).await
        }).unwrap();
        let all = look!(db.store, c => org::load(c, day("2026-04-01")).await).unwrap().appointments;
        let ids: Vec<&str> = all.iter().map(|a| a.id.as_str()).collect();
        assert_eq!(ids, ["01", "03", "04"]);
        assert_eq!((all[0].main, all[0].until), (false, Some(day("2027-03-31"))));
    }

    async fn unknown_units_posts_and_people_are_refused(db: Db) {
        base(&db).await;
        let post = act!(db.store, c => org::put_post(c, &PostRow { code: "X".into(), unit: "none".into(), title: String::new(), head: false, sort: 0 }).await);
        assert!(matches!(post, Err(StoreError::Database(_))));
        let nobody = act!(db.store, c => org::put_appointment(c, &AppointmentRow { person: "none".into(), ..appointment("01", "", "") }).await);
        assert!(matches!(nobody, Err(StoreError::Database(_))));
        assert!(look!(db.store, c => org::load(c, day("2026-04-01")).await).unwrap().appointments.is_empty());
    }

    async fn every_change_raises_the_version(db: Db) {
        base(&db).await;
        let before = look!(db.store, c => org::load(c, day("2026-04-01")).await).unwrap().version;
        assert_eq!(before, 4);
        act!(db.store, c => org::put_person(c, &person("00002", "次")).await).unwrap();
        assert_eq!(look!(db.store, c => setting::current(c, org::VERSION).await).unwrap(), before + 1);
    }
}
