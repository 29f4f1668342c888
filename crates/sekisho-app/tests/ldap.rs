//! The directory over LDAP, against a real server: OpenLDAP's slapd, private to each test.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail them too")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sekisho_app::ldap::{DirectoryServer, Entry, LdapClient, LdapConfig, LdapFault, LdapKind, Verdict};
use sekisho_testkit::Slapd;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The password of u1001, with characters that filters and DNs know.
const PASSWORD: &str = "ひらけ、関所の門";

fn config(urls: &[String]) -> LdapConfig {
    LdapConfig {
        urls: urls.to_vec(),
        start_tls: false,
        authorities: None,
        base: "dc=city,dc=test".to_owned(),
        bind_dn: "cn=reader,dc=city,dc=test".to_owned(),
        password: "reading".to_owned(),
        kind: LdapKind::OpenLdap,
        filter: None,
        people_filter: None,
        attributes: Some("section=departmentNumber,disabled=employeeType".to_owned()),
        title: "ディレクトリ".to_owned(),
        timeout_seconds: 2,
        max_entries: 5_000,
        max_mb: 8,
        check_minutes: 15,
    }
}

fn plain(s: &Slapd) -> LdapConfig {
    config(&[format!("ldap://127.0.0.1:{}", s.port)])
}

fn client(c: LdapConfig) -> LdapClient {
    LdapClient::new(c).unwrap()
}

/// A port at which nobody listens.
fn nobody() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("ldap://{free}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_checked_by_a_bind_as_the_one_who_was_found() {
    let s = Slapd::start().unwrap();
    let d = client(plain(&s));
    let expected = Entry {
        login: "u1001".to_owned(),
        number: "1001".to_owned(),
        name: "Sato Hanako".to_owned(),
        mail: "hanako@city.test".to_owned(),
        section: "21".to_owned(),
        title: "clerk".to_owned(),
        ..Entry::default()
    };
    assert_eq!(d.check("u1001", Some(PASSWORD)).await, Ok(Verdict::Right(Box::new(expected))));
    for (login, password) in [
        ("u1001", Some("wrong")),
        // A server takes this for an anonymous bind, which succeeds.
        ("u1001", Some("")),
        ("u1001", None),
        ("nobody", Some(PASSWORD)),
        // Two have this login, with the same password.
        ("twin", Some("twin-twin")),
        ("", Some(PASSWORD)),
        // Would find everybody, or somebody else, if it were a filter.
        ("*", Some(PASSWORD)),
        ("u10*", Some(PASSWORD)),
        ("*)(uid=*", Some(PASSWORD)),
        ("x)(|(uid=u1001", Some(PASSWORD)),
        ("u1001)(&", Some(PASSWORD)),
        ("u1001\0", Some(PASSWORD)),
        ("\\75\\31\\30\\30\\31", Some(PASSWORD)),
    ] {
        assert_eq!(d.check(login, password).await, Ok(Verdict::Wrong), "{login:?} {password:?}");
    }
    // The account that searches does not become whoever logged in: it still finds.
    assert!(
        matches!(d.check("u2001", Some("another-number")).await, Ok(Verdict::Right(e)) if e.number == "7777")
    );
    let wrong = LdapConfig { password: "no".to_owned(), ..plain(&s) };
    assert_eq!(client(wrong).check("u1001", Some(PASSWORD)).await, Err(LdapFault::SearchAccount(49)));
    let nowhere = LdapConfig { base: "dc=elsewhere,dc=test".to_owned(), ..plain(&s) };
    let fault = client(nowhere).check("u1001", Some(PASSWORD)).await;
    assert!(matches!(fault, Err(LdapFault::Search(_))), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_demanded_and_only_the_right_authority_is_trusted() {
    let s = Slapd::start().unwrap();
    let ca = s.authority("ca.pem").unwrap();
    let other = s.authority("other-ca.pem").unwrap();
    let wrapped = format!("ldaps://127.0.0.1:{}", s.tls_port);
    let started = format!("ldap://localhost:{}", s.port);
    for url in [&wrapped, &started, &format!("ldaps://localhost:{}", s.tls_port)] {
        let with = |authority: &[u8]| LdapConfig {
            start_tls: true,
            authorities: Some(authority.to_vec()),
            ..config(std::slice::from_ref(url))
        };
        let d = client(with(&ca));
        let right = d.check("u1001", Some(PASSWORD)).await;
        assert!(matches!(right, Ok(Verdict::Right(_))), "{url}: {right:?}");
        assert_eq!(d.check("u1001", Some("wrong")).await, Ok(Verdict::Wrong), "{url}");
        let health = d.examine().await.unwrap();
        assert_eq!(&health.server, url);
        // Made for 399 days.
        assert!(health.certificate_until.is_some_and(|d| d.to_string().as_str() > "2025"), "{health:?}");
        let fault = client(with(&other)).check("u1001", Some(PASSWORD)).await;
        assert!(matches!(fault, Err(LdapFault::Certificate(_))), "{url}: {fault:?}");
    }
    // A server that knows no TLS gets no password.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", deaf.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = deaf.accept().await.unwrap();
        let mut heard = vec![0; 31];
        stream.read_exact(&mut heard).await.unwrap();
        // protocolError, as from a server that does not offer it; then whatever else comes.
        stream.write_all(&[0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 2, 4, 0, 4, 0]).await.unwrap();
        let mut more = vec![];
        stream.read_to_end(&mut more).await.unwrap();
        more
    });
    let refusing = LdapConfig { start_tls: true, authorities: Some(ca), ..config(&[url]) };
    assert_eq!(client(refusing).check("u1001", Some(PASSWORD)).await, Err(LdapFault::NoTls(2)));
    assert_eq!(heard.await.unwrap(), Vec::<u8>::new(), "nothing was said in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_down_or_hangs_is_told_in_time_and_another_one_is_asked() {
    let s = Slapd::start().unwrap();
    let down = client(config(&[nobody()]));
    let fault = down.check("u1001", Some(PASSWORD)).await;
    assert!(matches!(fault, Err(LdapFault::Away(_))), "{fault:?}");
    let url = format!("ldap://127.0.0.1:{}", s.port);
    let two = client(config(&[nobody(), url]));
    assert!(matches!(two.check("u1001", Some(PASSWORD)).await, Ok(Verdict::Right(_))));

    let d = Arc::new(client(plain(&s)));
    assert!(matches!(d.check("u1001", Some(PASSWORD)).await, Ok(Verdict::Right(_))));
    s.signal("STOP").unwrap();
    let began = Instant::now();
    assert_eq!(d.check("u1001", Some(PASSWORD)).await, Err(LdapFault::Late(2)));
    assert_eq!(d.examine().await, Err(LdapFault::Late(2)));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    // Many at once wait no longer than one, and leave nothing behind.
    let began = Instant::now();
    let many: Vec<_> = (0..30)
        .map(|_| {
            let d = Arc::clone(&d);
            tokio::spawn(async move { d.check("u1001", Some(PASSWORD)).await })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap(), Err(LdapFault::Late(2)));
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    s.signal("CONT").unwrap();
    assert!(matches!(d.check("u1001", Some(PASSWORD)).await, Ok(Verdict::Right(_))));
    s.signal("KILL").unwrap();
    let fault = d.check("u1001", Some(PASSWORD)).await;
    assert!(matches!(fault, Err(LdapFault::Away(_))), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_read_page_by_page_and_within_limits() {
    let s = Slapd::start().unwrap();
    let all = client(plain(&s)).people().await.unwrap();
    assert_eq!(all.len(), 1_205, "more than two pages");
    let stopped: Vec<&str> = all.iter().filter(|e| e.disabled).map(|e| e.login.as_str()).collect();
    assert_eq!(stopped, ["stopped"]);
    let few = LdapConfig { max_entries: 1_000, ..plain(&s) };
    assert_eq!(client(few).people().await, Err(LdapFault::TooMuch));
    let short = LdapConfig { bind_dn: "cn=short,dc=city,dc=test".to_owned(), ..plain(&s) };
    assert_eq!(client(short).people().await, Err(LdapFault::Cut(4)), "a part is not taken for the whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_are_in_are_found_as_at_a_login_and_nobody_is_bound() {
    let s = Slapd::start().unwrap();
    let d = client(plain(&s));
    let logins = ["u1001", "stopped", "nobody", "twin", "*", "u2001"].map(str::to_owned);
    let found = d.find(&logins).await.unwrap();
    let seen: Vec<_> =
        found.iter().map(|e| e.as_ref().map(|e| (e.login.as_str(), e.number.as_str(), e.disabled))).collect();
    let one = |login, number, disabled| Some((login, number, disabled));
    assert_eq!(
        seen,
        [
            one("u1001", "1001", false),
            one("stopped", "1003", true),
            None,
            None,
            None,
            one("u2001", "7777", false)
        ]
    );
    s.change(
        "dn: uid=u1001,ou=people,dc=city,dc=test\nchangetype: modify\nadd: employeeType\nemployeeType: x\n",
    )
    .unwrap();
    assert!(d.find(&logins[..1]).await.unwrap()[0].as_ref().is_some_and(|e| e.disabled));
    s.change("dn: uid=u1001,ou=people,dc=city,dc=test\nchangetype: delete\n").unwrap();
    assert_eq!(d.find(&logins[..1]).await, Ok(vec![None]));
    // Where nothing can be read it is a fault, not that nobody is there.
    s.signal("KILL").unwrap();
    assert!(matches!(d.find(&logins).await, Err(LdapFault::Away(_))));
    assert!(matches!(client(config(&[nobody()])).find(&[]).await, Err(LdapFault::Away(_))));
}

/// Answers to a bind with success, and to whatever comes next with these bytes for ever.
async fn flood(bytes: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 1024];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(&[0x30, 0x0c, 2, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0]).await;
                let _ = stream.read(&mut heard).await;
                while stream.write_all(bytes).await.is_ok() {}
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_or_hostile_server_sends_ends_the_conversation_and_nothing_else() {
    // A message of 256 MB; and small ones that never end.
    let huge = b"\x30\x84\x10\x00\x00\x00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let endless = b"\x30\x0e\x02\x01\x02\x64\x09\x04\x03dc=\x30\x02\x30\x00";
    for bytes in [&huge[..], endless] {
        let url = flood(bytes).await;
        let few = LdapConfig { max_entries: 500, ..config(&[url]) };
        assert_eq!(client(few).check("u1001", Some(PASSWORD)).await, Err(LdapFault::TooMuch));
    }
    // No messages, a message without its parts, and nesting on which a reader by recursion runs out of its stack.
    let deep: &'static [u8] = Box::leak(deep(100_000).into_boxed_slice());
    for bytes in [&b"\x30\x00"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x03\x02\x01\x02", deep] {
        let url = flood(bytes).await;
        assert_eq!(client(config(&[url])).check("u1001", Some(PASSWORD)).await, Err(LdapFault::Garbled));
    }
    // Well formed, and not what a search is answered by: the library panics at its parts.
    for bytes in [&b"\x30\x08\x02\x01\x02\x64\x03\x02\x01\x01"[..], b"\x30\x05\x02\x01\x02\x65\x00"] {
        let url = flood(bytes).await;
        let fault = client(config(&[url])).check("u1001", Some(PASSWORD)).await;
        assert!(fault.is_err(), "{fault:?}");
    }
}

/// A message that holds sequences within sequences.
fn deep(levels: usize) -> Vec<u8> {
    let size = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
    let mut message = Vec::new();
    message.extend([&[0x30, 0x84][..], &size(3 + levels * 6), &[2, 1, 2]].concat());
    for level in 1..=levels {
        message.extend([&[0x30, 0x84][..], &size((levels - level) * 6)].concat());
    }
    message
}
