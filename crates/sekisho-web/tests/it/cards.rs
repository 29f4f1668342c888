//! IC cards: certificates shown on a TLS connection, or passed on by a proxy; and whose headers are believed.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::map_request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_app::oidc::{Fetcher as _, Wanted};
use sekisho_base::Clock as _;
use sekisho_base::clock::SystemClock;
use sekisho_web::cards::{CardConfig, Cards};
use sekisho_web::{Doors, Field, HttpFetcher, Proxies};

use crate::browser::{Browser, Page};
use crate::city::{City, MANAGER};
use crate::identity::{enrol, entries, later};
use crate::served::Served;

/// A folder with what openssl made, which goes away with the test.
pub struct Office(PathBuf);

impl Drop for Office {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Office {
    pub fn beside(city: &City) -> Self {
        let folder = city.folder_beside("cards");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join("crl.cnf"),
            "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=7\n",
        )
        .unwrap();
        Self(folder)
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn openssl(&self, words: &str) {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(&self.0).stdin(Stdio::null());
        let done = command.output().expect("install the Debian package openssl");
        assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// An authority.
    pub fn authority(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN={name} -addext keyUsage=critical,keyCertSign,cRLSign -keyout {name}.key -out {name}.pem"
        ));
    }

    /// A card of somebody whose login name stands in every field.
    pub fn card(&self, name: &str, login: &str, authority: &str, serial: u32) {
        let names = format!("email:{login},otherName:1.3.6.1.4.1.311.20.2.3;UTF8:{login}");
        self.card_with(name, login, &names, authority, serial);
    }

    fn card_with(&self, name: &str, common: &str, names: &str, authority: &str, serial: u32) {
        let extensions = format!(
            "subjectAltName={names}\nextendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n"
        );
        std::fs::write(self.at("card.ext"), extensions).unwrap();
        self.openssl(&format!(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /O=Minatono/CN={common} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -set_serial {serial} -days 30 -extfile card.ext -out {name}.pem"
        ));
    }

    /// The revocation list of an authority.
    fn revokes(&self, authority: &str, serials: &[u32]) {
        let line = |s: &u32| format!("R\t361231000000Z\t261101000000Z\t{s:02X}\tunknown\t/CN=x\n");
        std::fs::write(self.at("index"), serials.iter().map(line).collect::<String>()).unwrap();
        std::fs::write(self.at("number"), "01\n").unwrap();
        self.openssl(&format!(
            "ca -gencrl -config crl.cnf -keyfile {authority}.key -cert {authority}.pem -out crl.pem"
        ));
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    fn cards(&self, field: Field, second_factor: bool) -> Arc<Cards> {
        let config = CardConfig {
            authorities: self.at("ca.pem"),
            revoked: Some(self.at("crl.pem")),
            field,
            second_factor,
            header: Some("x-card".parse().unwrap()),
        };
        Cards::open(config).unwrap()
    }
}

/// The site as it is reached from a peer with headers that it wrote.
pub fn reached_from(city: &City, doors: Doors, peer: &str, headers: &[(&'static str, String)]) -> Router {
    behind(sekisho_web::router_with_doors(Arc::clone(&city.office), false, doors), peer, headers)
}

/// A router as it is reached from a peer with headers that it wrote.
pub fn behind(router: Router, peer: &str, headers: &[(&'static str, String)]) -> Router {
    let (peer, headers): (SocketAddr, _) = (peer.parse().unwrap(), headers.to_vec());
    router.layer(map_request(move |mut request: Request| {
        request.extensions_mut().insert(ConnectInfo(peer));
        for (name, value) in &headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        std::future::ready(request)
    }))
}

/// What comes from there.
fn comes_from(city: &mut City, doors: Doors, peer: &str, headers: &[(&'static str, String)]) -> Browser {
    city.router = reached_from(city, doors, peer, headers);
    Browser::new(city)
}

/// As nginx passes a certificate on.
fn escaped(pem: &str) -> String {
    pem.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// As RFC 9440 has it.
fn between_colons(pem: &str) -> String {
    format!(":{}:", pem.lines().filter(|l| !l.starts_with('-')).collect::<String>())
}

async fn enter(b: &Browser) -> Page {
    b.post_raw("/login/card", "next=%2Fcases", "http://city.test").await
}

const PROXY: &str = "10.1.2.3:4000";

fn trusted(cards: Option<Arc<Cards>>) -> Doors {
    Doors { proxies: Proxies::parse("10.1.2.3").unwrap(), cards, ..Doors::default() }
}

#[tokio::test]
async fn a_proxy_passes_a_card_on_and_a_stranger_cannot() {
    let mut city = City::settled().await;
    let office = Office::beside(&city);
    office.authority("ca");
    office.authority("other");
    office.card("clerk", "u1001", "ca", 5);
    office.card("revoked", "u1001", "ca", 6);
    office.card("nobody", "u9999", "ca", 7);
    office.card("forged", "u1001", "other", 5);
    office.card_with("two", "x", "email:u1001,email:u1002", "ca", 8);
    office.card_with("upn", "u1002", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u1001", "ca", 9);
    office.revokes("ca", &[6]);
    // After the certificates: they hold from the second in which they were made.
    city.clock.set(SystemClock.now());
    let certificate = |name: &str| escaped(&office.text(&format!("{name}.pem")));
    let headers = |value: String| vec![("x-card", value)];
    for (field, name, says) in [
        (Field::Email, "clerk", ""),
        (Field::Upn, "clerk", ""),
        (Field::Upn, "upn", ""),
        (Field::CommonName, "upn", ""),
        (Field::Email, "upn", "ちょうど1つ"),
        (Field::Email, "two", "ちょうど1つ"),
        (Field::Email, "revoked", "失効しています"),
        (Field::Email, "nobody", "というログインがありません"),
        (Field::Email, "forged", "使えるものではありません"),
    ] {
        let doors = trusted(Some(office.cards(field, false)));
        let b = comes_from(&mut city, doors, PROXY, &headers(certificate(name)));
        let page = enter(&b).await;
        if says.is_empty() {
            assert_eq!(page.location(), "/cases", "{field:?} {name}: {}", page.text);
        } else {
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{field:?} {name}");
            assert!(page.text.contains(says), "{field:?} {name}: {}", page.text);
        }
    }
    let cards = || office.cards(Field::Email, false);
    let right = headers(certificate("clerk"));
    let short = headers(between_colons(&office.text("clerk.pem")));
    assert_eq!(
        enter(&comes_from(&mut city, trusted(Some(cards())), PROXY, &short)).await.location(),
        "/cases"
    );
    // A header by a stranger, twice, broken, empty, too long.
    let logins = entries(&city, "account.login").await;
    let twice = [right.clone(), right.clone()].concat();
    for (peer, headers) in [
        ("10.1.2.4:4000", right.clone()),
        ("127.0.0.1:4000", right.clone()),
        (PROXY, twice),
        (PROXY, headers("x".into())),
        (PROXY, headers(String::new())),
        (PROXY, headers("A".repeat(20_000))),
        (PROXY, vec![]),
    ] {
        let b = comes_from(&mut city, trusted(Some(cards())), peer, &headers);
        let page = enter(&b).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{peer}");
        assert!(page.text.contains("証明書が届いていません"), "{peer}: {}", page.text);
    }
    assert_eq!(entries(&city, "account.login").await, logins);
    // A form from elsewhere; a body without cards.
    let b = comes_from(&mut city, trusted(Some(cards())), PROXY, &right);
    assert_eq!(b.post_raw("/login/card", "", "http://evil.example").await.status, StatusCode::FORBIDDEN);
    let mut b = comes_from(&mut city, trusted(None), PROXY, &right);
    assert_eq!(enter(&b).await.status, StatusCode::NOT_FOUND);
    assert!(!b.get("/login").await.text.contains("/login/card"));
    // The card runs out; before it the revocation list does, and then nobody is let in by it.
    let b = comes_from(&mut city, trusted(Some(cards())), PROXY, &right);
    later(&city, 8 * 24 * 60);
    assert!(enter(&b).await.text.contains("一覧が古いか足りないため"));
    later(&city, 30 * 24 * 60);
    assert!(enter(&b).await.text.contains("期限が切れています"));
}

#[tokio::test]
async fn a_card_is_one_factor_unless_it_is_said_to_be_two() {
    let mut city = City::settled().await;
    let office = Office::beside(&city);
    office.authority("ca");
    office.card("manager", "u1002", "ca", 5);
    office.revokes("ca", &[]);
    // After the certificates: they hold from the second in which they were made.
    city.clock.set(SystemClock.now());
    enrol(&city, &mut city.browser(MANAGER).await).await;
    let headers = [("x-card", escaped(&office.text("manager.pem")))];
    for (second_factor, to) in [(false, "/login/code?next=/cases"), (true, "/cases")] {
        let cards = office.cards(Field::Email, second_factor);
        let b = comes_from(&mut city, trusted(Some(cards)), PROXY, &headers);
        assert_eq!(enter(&b).await.location(), to);
    }
}

#[tokio::test]
async fn which_certificate_somebody_came_in_by_is_kept_for_whoever_compares_it_with_the_card() {
    let mut city = City::settled().await;
    let office = Office::beside(&city);
    office.authority("ca");
    office.card("manager", "u1002", "ca", 0x0a1b);
    office.card("renewed", "u1002", "ca", 0x0a1c);
    office.revokes("ca", &[]);
    city.clock.set(SystemClock.now());
    let page = city.browser(MANAGER).await.get("/account").await;
    assert!(!page.text.contains("ICカード"), "a body without cards: {}", page.text);
    let (phone, _) = enrol(&city, &mut city.browser(MANAGER).await).await;
    let router = city.router.clone();
    let cards = || trusted(Some(office.cards(Field::Email, true)));
    let mut b = comes_from(&mut city, cards(), PROXY, &[]);
    assert_eq!(b.enter("u1002", crate::city::PASSWORD).await.status, StatusCode::SEE_OTHER);
    later(&city, 1);
    b.get("/login/code").await;
    let page = b.post("/login/code", &[("code", &phone.code(&city)), ("next", "/")]).await;
    b.cookie = format!("sekisho_session={}", crate::sign_in::set(&page, "sekisho_session").unwrap());
    assert!(b.get("/account").await.text.contains("ログインに使われたことがありません"));
    for (name, kept) in [("manager", 1), ("manager", 1), ("renewed", 2)] {
        let headers = [("x-card", escaped(&office.text(&format!("{name}.pem"))))];
        let mut b = comes_from(&mut city, cards(), PROXY, &headers);
        let page = enter(&b).await;
        assert_eq!(page.location(), "/cases", "{}", page.text);
        b.cookie = format!("sekisho_session={}", crate::sign_in::set(&page, "sekisho_session").unwrap());
        assert_eq!(entries(&city, "account.card").await, kept, "only the first login by each is recorded");
        let shown = b.get("/account").await.text;
        office.openssl(&format!("x509 -in {name}.pem -noout -fingerprint -sha256 -out {name}.txt"));
        let fingerprint = office.text(&format!("{name}.txt"));
        let fingerprint = fingerprint.trim().split('=').nth(1).unwrap();
        let serial = if name == "manager" { "0A:1B" } else { "0A:1C" };
        for part in [fingerprint, serial, "CN=ca"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert_eq!(shown.matches("指紋（SHA-256）").count(), usize::try_from(kept).unwrap());
    }
    // An administrator compares; the entry says the same; others see neither.
    city.router = router;
    let page = city.browser(crate::city::ADMIN).await.get("/accounts?q=u1002").await;
    assert!(page.text.contains("0A:1C") && page.text.contains("CN=ca"), "{}", page.text);
    let page = city.browser(crate::city::ADMIN).await.get("/accounts?q=u1001").await;
    assert!(!page.text.contains("指紋"), "nobody came in so: {}", page.text);
    let said = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'account.card' AND payload LIKE '%\"serial\":\"0a1b\"%' AND payload LIKE '%\"sha256\":\"%'";
    assert_eq!(city.count(said).await, 1);
    let page = city.browser(crate::city::CLERK).await.get("/accounts?q=u1002").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn where_somebody_comes_from_is_what_a_trusted_proxy_says_and_nobody_else() {
    let mut city = City::settled().await;
    for (peer, seen) in [(PROXY, "10.9.8.7"), ("10.1.2.4:4000", "10.1.2.4"), ("127.0.0.1:4000", "127.0.0.1")]
    {
        let forwarded = [("x-forwarded-for", "192.0.2.66, 10.9.8.7".to_owned())];
        let mut b = comes_from(&mut city, trusted(None), peer, &forwarded);
        assert_eq!(b.enter("u1001", crate::city::PASSWORD).await.status, StatusCode::SEE_OTHER);
        let page = b.get("/account").await;
        assert!(page.text.contains(&format!(">{seen}</td>")), "{peer}: {}", page.text);
        assert!(!page.text.contains("192.0.2.66"), "{peer}");
    }
}

/// What the program answers over TLS to somebody who posts the form with a card, or without.
fn posts(address: SocketAddr, office: &Office, card: Option<&str>) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-connect", &address.to_string()]);
    if let Some(name) = card {
        command.arg("-cert").arg(office.at(&format!("{name}.pem")));
        command.arg("-key").arg(office.at(&format!("{name}.key")));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = command.spawn().unwrap();
    let request = "POST /login/card HTTP/1.1\r\nHost: city.test\r\nOrigin: https://city.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\nConnection: close\r\n\r\nnext=%2Fcases";
    // A client that is refused may be gone before it is written to.
    let _ = client.stdin.as_mut().unwrap().write_all(request.as_bytes());
    String::from_utf8(client.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_shown_on_the_connection_opens_the_session_of_its_holder() {
    let city = City::settled().await;
    let office = Office::beside(&city);
    office.authority("ca");
    office.authority("other");
    office.card("clerk", "u1001", "ca", 5);
    office.card("forged", "u1001", "other", 5);
    office.revokes("ca", &[]);
    let (cert, key) = crate::mail::certificate(&office.0, "server");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let options = [
        ("--tls-certificate", text(&cert)),
        ("--tls-key", text(&key)),
        ("--card-ca", text(&office.at("ca.pem"))),
        ("--card-crl", text(&office.at("crl.pem"))),
    ];
    let options: Vec<&str> = options.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
    let mut served = Served::start_with(city.data(), None, &options);
    let address = served.address().await.unwrap();
    let right = posts(address, &office, Some("clerk"));
    assert!(right.starts_with("HTTP/1.1 303") && right.contains("location: /cases"), "{right}");
    assert!(right.contains("set-cookie: sekisho_session=") && right.contains("; Secure"), "{right}");
    let none = posts(address, &office, None);
    assert!(none.starts_with("HTTP/1.1 401") && none.contains("証明書が届いていません"), "{none}");
    // The connection stands, so that there are words.
    let forged = posts(address, &office, Some("forged"));
    assert!(forged.starts_with("HTTP/1.1 401") && forged.contains("使えるものではありません"), "{forged}");
    // Revoked from now on.
    office.revokes("ca", &[5]);
    served.hang_up();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let revoked = posts(address, &office, Some("clerk"));
    assert!(revoked.starts_with("HTTP/1.1 401") && revoked.contains("失効しています"), "{revoked}");

    // The client that talks with providers trusts the authority that it is told, and the name must fit.
    let ask = |pem: Vec<u8>, host: &str| {
        let url = format!("https://{host}:{}/healthz", address.port());
        async move {
            let fetcher = HttpFetcher::new(Some(&pem)).unwrap();
            fetcher.fetch(Wanted { url, form: None, authorization: None }).await
        }
    };
    let (own, other) = (std::fs::read(&cert).unwrap(), std::fs::read(office.at("ca.pem")).unwrap());
    assert_eq!(ask(own.clone(), "127.0.0.1").await.unwrap().0, 200);
    assert!(ask(own, "localhost").await.is_err());
    assert!(ask(other, "127.0.0.1").await.is_err());
    assert!(HttpFetcher::new(Some(b"x")).is_err());
}

#[tokio::test]
async fn what_is_no_certificate_harms_nobody() {
    let mut city = City::settled().await;
    let office = Office::beside(&city);
    office.authority("ca");
    office.card("clerk", "u1001", "ca", 5);
    office.revokes("ca", &[]);
    // After the certificates: they hold from the second in which they were made.
    city.clock.set(SystemClock.now());
    let base64: String = office.text("clerk.pem").lines().filter(|l| !l.starts_with('-')).collect();
    let der = STANDARD.decode(base64).unwrap();
    let logins = entries(&city, "account.login").await;
    // Cut short, and with one byte changed, wherever.
    for at in (0..der.len()).step_by(7) {
        let mut changed = der.clone();
        changed[at] ^= 0x55;
        for bytes in [&der[..at], &changed] {
            let headers = [("x-card", format!(":{}:", STANDARD.encode(bytes)))];
            let cards = office.cards(Field::Email, false);
            let b = comes_from(&mut city, trusted(Some(cards)), PROXY, &headers);
            assert_eq!(enter(&b).await.status, StatusCode::UNAUTHORIZED, "{at}");
        }
    }
    assert_eq!(entries(&city, "account.login").await, logins);
}
