//! Sessions of people whose account ended in the directory: they end soon, by one node, with a record; while the directory is away they stay,
//! and the system says so.

use std::sync::Arc;

use axum::http::StatusCode;
use sekisho_app::backup::prune::Keep;
use sekisho_app::doctor::{self, Finding, State, Surroundings};
use sekisho_app::ldap::{DirectoryServer, LdapClient, LdapConfig, LdapKind};
use sekisho_app::{AppError, Store, first};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_testkit::Slapd;

use crate::browser::Browser;
use crate::city::{ADMIN, CLERK, City, DIRECTOR, MANAGER, OTHER_CLERK};
use crate::directory::{Fake, THERE, entry, settled};
use crate::identity::{entries, later};

const ENDED: &str = "account.ended_by_directory";

/// Has these logins checked at the directory from now on.
async fn move_there(city: &City, logins: &'static str) {
    let sql = format!("UPDATE account SET checked = 'directory' WHERE login IN ({logins})");
    let done = city
        .office
        .store
        .write(move |c| Box::pin(async move { c.exec(&sql, vec![]).await.map_err(AppError::from) }));
    assert!(done.await.unwrap() > 0);
}

async fn enters(city: &City, login: &str, password: &str) -> Browser {
    let mut b = Browser::new(city);
    assert_eq!(b.enter(login, password).await.status, StatusCode::SEE_OTHER, "{login}");
    b
}

async fn is_in(b: &mut Browser) -> bool {
    b.get("/").await.status == StatusCode::OK
}

async fn look(city: &City) -> usize {
    city.office.look_for_ended_accounts().await.unwrap()
}

/// What the examination says of the sessions.
async fn told(city: &City, ldap: Option<Arc<dyn DirectoryServer>>) -> Option<Finding> {
    let around = Surroundings {
        database: crate::operation::database(city),
        data: city.data().to_owned(),
        key: city.data().join("city.key"),
        config: None,
        backups: None,
        backup_hours: 30,
        backup_keep: Keep::default(),
        free_mb: 1,
        certificate: None,
        mail: None,
        oidc: None,
        ldap,
    };
    let found = doctor::examine_running(&city.office.store, Some(&around), city.clock.as_ref()).await;
    found.into_iter().find(|f| f.id == "ldap.sessions")
}

#[tokio::test]
async fn who_is_stopped_gone_or_somebody_else_in_the_directory_is_out_within_minutes() {
    let people = [(CLERK, "一"), (MANAGER, "二"), (DIRECTOR, "三"), (OTHER_CLERK, "四")];
    let (city, fake) = settled(people.map(|(n, name)| entry(&format!("u{n}"), n, name)).to_vec()).await;
    move_there(&city, "'u1001', 'u1002', 'u1003', 'u2001'").await;
    let mut inside = Vec::new();
    for login in ["u1001", "u1002", "u2001", "u1003"] {
        inside.push(enters(&city, login, THERE).await);
    }
    let second = enters(&city, "u1001", THERE).await;
    inside.insert(0, second);
    let mut admin = city.browser(ADMIN).await;
    assert_eq!(told(&city, Some(fake.clone())).await.unwrap().state, State::Good);
    assert_eq!(look(&city).await, 0);

    {
        let mut people = fake.people.lock().unwrap();
        people[0].disabled = true;
        people[3].number = "7777".to_owned();
        people.remove(1);
    }
    later(&city, 14);
    assert_eq!(look(&city).await, 0, "not yet time");
    assert!(is_in(&mut inside[0]).await);

    // Away: everybody stays, and it is told since when.
    later(&city, 2);
    fake.set_away(true);
    let since = city.clock.now();
    assert_eq!(look(&city).await, 0);
    later(&city, 5);
    assert_eq!(look(&city).await, 0);
    for b in &mut inside {
        assert!(is_in(b).await);
    }
    let finding = told(&city, Some(fake.clone())).await.unwrap();
    assert_eq!(finding.state, State::Caution);
    assert!(finding.says.contains(&since.japanese()), "{finding:?}");
    assert_eq!(told(&city, None).await, None, "nothing where there is no directory");

    // Back: it is not waited for the next time.
    fake.set_away(false);
    later(&city, 1);
    assert_eq!(look(&city).await, 3);
    let mut still = Vec::new();
    for b in &mut inside {
        still.push(is_in(b).await);
    }
    assert_eq!(still, [false, false, false, false, true]);
    assert!(is_in(&mut admin).await, "an own password is not of the directory");
    assert_eq!(entries(&city, ENDED).await, 3);
    for (person, why) in [(CLERK, "disabled"), (MANAGER, "absent"), (OTHER_CLERK, "another number")] {
        let sql = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.ended_by_directory' AND payload LIKE '%' || $1 || '%'";
        assert_eq!(city.count_of(sql, &format!("\"person\":\"{person}\"")).await, 1);
        assert_eq!(city.count_of(sql, &format!("\"why\":\"{why}\"")).await, 1);
    }
    assert_eq!(told(&city, Some(fake.clone())).await.unwrap().state, State::Good);
    later(&city, 16);
    assert_eq!(look(&city).await, 0, "once");
    // When nobody looks any more, that is told too.
    later(&city, 40);
    assert_eq!(told(&city, Some(fake)).await.unwrap().state, State::Caution);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_one_looks() {
    let url = tokio::task::spawn_blocking(sekisho_testkit::postgres_url).await.unwrap().unwrap();
    let city = City::made_at(SystemClock.now(), Some(&url), &[CLERK]).await;
    let fake = Arc::new(Fake::default());
    fake.people.lock().unwrap().push(entry("u1001", CLERK, "一"));
    let other = first::open_for_terminal(Store::open(&url).await.unwrap(), "", "").await.unwrap();
    city.office.use_directory(fake.clone());
    other.use_directory(fake.clone());
    move_there(&city, "'u1001'").await;
    let mut clerk = enters(&city, "u1001", THERE).await;
    fake.people.lock().unwrap()[0].disabled = true;
    let (here, there) = tokio::join!(city.office.look_for_ended_accounts(), other.look_for_ended_accounts());
    assert_eq!(here.unwrap() + there.unwrap(), 1);
    assert!(!is_in(&mut clerk).await);
    assert_eq!((entries(&city, ENDED).await, other.look_for_ended_accounts().await.unwrap()), (1, 0));
    other.store.clone().close().await;
}

/// The password of u1001 in the directory of the tests.
const HANAKO: &str = "ひらけ、関所の門";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_directory_is_asked() {
    let slapd = tokio::task::spawn_blocking(Slapd::start).await.unwrap().unwrap();
    let client = LdapClient::new(LdapConfig {
        urls: vec![format!("ldap://127.0.0.1:{}", slapd.port)],
        start_tls: false,
        authorities: None,
        base: "dc=city,dc=test".to_owned(),
        bind_dn: "cn=reader,dc=city,dc=test".to_owned(),
        password: "reading".to_owned(),
        kind: LdapKind::OpenLdap,
        filter: None,
        people_filter: None,
        attributes: Some("disabled=employeeType".to_owned()),
        title: "ディレクトリ".to_owned(),
        timeout_seconds: 2,
        max_entries: 5_000,
        max_mb: 8,
        check_minutes: 15,
    });
    let city = City::settled().await;
    city.office.use_directory(Arc::new(client.unwrap()));
    move_there(&city, "'u1001'").await;
    let change = |how: &str| {
        slapd.change(&format!("dn: uid=u1001,ou=people,dc=city,dc=test\nchangetype: {how}\n")).unwrap();
    };
    let mut clerk = enters(&city, "u1001", HANAKO).await;
    assert_eq!(look(&city).await, 0);
    change("modify\nadd: employeeType\nemployeeType: disabled");
    later(&city, 16);
    slapd.signal("STOP").unwrap();
    assert_eq!(look(&city).await, 0);
    assert!(is_in(&mut clerk).await);
    slapd.signal("CONT").unwrap();
    assert_eq!(look(&city).await, 1);
    assert!(!is_in(&mut clerk).await);

    change("modify\ndelete: employeeType");
    let mut clerk = enters(&city, "u1001", HANAKO).await;
    later(&city, 16);
    assert_eq!(look(&city).await, 0);
    assert!(is_in(&mut clerk).await);
    change("delete");
    later(&city, 16);
    assert_eq!(look(&city).await, 1);
    assert!(!is_in(&mut clerk).await);
}
