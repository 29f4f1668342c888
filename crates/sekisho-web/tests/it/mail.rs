//! Notifications as mail through a real SMTP server: sent, put off and tried again, refused, and kept while no server answers.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use axum::http::StatusCode;
use sekisho_app::mail::{self, MailConfig, MailServer, MailTls};

use crate::acts::{application, apply, item};
use crate::city::{ADMIN, CLERK, City, MANAGER, at};

/// A running SMTP server; it ends with the test.
pub struct Smtp {
    child: Child,
    out: BufReader<ChildStdout>,
    pub port: u16,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Smtp {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&Path]) -> Self {
        let script = "tests/it/smtp_sink.py";
        // Debian's own Python has the package python3-aiosmtpd; another one that stands first in the path may not.
        for python in ["/usr/bin/python3", "python3"] {
            let started = Command::new(python)
                .arg(script)
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            let Ok(mut child) = started else { continue };
            let mut out = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            if let Ok(port) = line.trim().parse() {
                return Self { child, out, port };
            }
            let _ = child.wait();
        }
        panic!("no Python with aiosmtpd: install the Debian package python3-aiosmtpd");
    }

    pub fn next(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

fn server(port: u16) -> MailServer {
    let config = MailConfig {
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        authority: None,
        login: None,
        from: "関所 <sekisho@minatono.example>".to_owned(),
        site: "https://sekisho.minatono.example/".to_owned(),
    };
    MailServer::new(&config).unwrap()
}

/// A certificate for this machine and its key, signed by itself.
pub fn certificate(folder: &Path, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", "/CN=mail.test", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .stderr(Stdio::null())
        .status();
    assert!(
        made.is_ok_and(|s| s.success()),
        "openssl makes a certificate: install the Debian package openssl"
    );
    (cert, key)
}

/// Gives people addresses, through the importer.
async fn addresses(city: &City, list: &[(&str, &str, &str)]) {
    let mut csv = "職員番号,氏名,メール\r\n".to_owned();
    for (number, name, mail) in list {
        csv += &format!("{number},{name},{mail}\r\n");
    }
    crate::proposals::import_organization(city, "職員.csv", csv.as_bytes()).await;
}

#[tokio::test]
async fn what_waits_for_somebody_is_mailed_once_and_every_outcome_is_recorded() {
    let city = City::settled().await;
    let mut smtp = Smtp::start();
    addresses(
        &city,
        &[
            (MANAGER, "渡邉 一郎", "later-watanabe@minatono.example"),
            (CLERK, "髙橋 花子", "never@minatono.example"),
        ],
    )
    .await;
    city.office.use_mail(server(smtp.port));
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &key)).await;
    let waiting = "SELECT COUNT(*) FROM notification WHERE mail = 'waiting'";
    assert!(city.count(waiting).await >= 1);

    // The server puts the manager's mail off: it is tried again, later.
    mail::deliver(&city.office).await.unwrap();
    assert_eq!(
        city.count(
            "SELECT COUNT(*) FROM notification WHERE mail = 'waiting' AND tries = 1 AND mail_error <> ''"
        )
        .await,
        1
    );
    assert_eq!(mail::deliver(&city.office).await.unwrap().looked_at, 0, "not before its time");
    let mut admin = city.browser(ADMIN).await;
    let page = admin.get("/notifications/mail").await;
    assert!(page.text.contains("come again") && page.text.contains("1回失敗"), "{}", page.text);
    assert_eq!(clerk.get("/notifications/mail").await.status, StatusCode::FORBIDDEN);
    city.clock.set(at("2026-11-25", 12));
    mail::deliver(&city.office).await.unwrap();
    let sent = smtp.next();
    assert_eq!(sent["to"][0], "later-watanabe@minatono.example");
    assert_eq!(sent["from"], "sekisho@minatono.example");
    let subject = sent["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("【関所】持出-R8-") && subject.contains("「許可」を待っています"),
        "{subject}"
    );
    let body = sent["body"].as_str().unwrap();
    assert!(body.contains("https://sekisho.minatono.example/cases/"), "{body}");
    assert!(!body.contains("髙橋") && !subject.contains("髙橋"), "names nobody");
    assert!(sent["id"].as_str().unwrap().ends_with("@minatono.example>"));
    assert_eq!(mail::deliver(&city.office).await.unwrap().looked_at, 0, "once");
    assert_eq!(city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'notification.mailed'").await, 1);

    // The clerk is told the decision; that mailbox is refused for ever, and the message stays on the page.
    let mut manager = city.browser(MANAGER).await;
    let inbox = manager.get("/inbox").await;
    let case =
        inbox.text.split("href=\"/cases/").nth(1).unwrap().split(['"', '#']).next().unwrap().to_owned();
    crate::acts::done(&mut manager, &format!("/cases/{case}"), "permit", &[]).await;
    mail::deliver(&city.office).await.unwrap();
    assert_eq!(city.count("SELECT COUNT(*) FROM notification WHERE mail = 'failed' AND kind = 'decision' AND person = '1001'").await, 1);
    assert!(
        city.count("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'notification.mail_failed'").await >= 1
    );
    let mut clerk = city.browser(CLERK).await;
    let page = clerk.get("/notifications").await;
    assert!(
        page.text.contains("許可されました") && page.text.contains("メールを送れませんでした"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn without_a_server_that_answers_mail_waits_and_nothing_is_lost() {
    let city = City::settled().await;
    addresses(&city, &[(MANAGER, "渡邉 一郎", "watanabe@minatono.example")]).await;
    // A port that was free a moment ago: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    city.office.use_mail(server(port));
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &key)).await;
    let round = mail::deliver(&city.office).await.unwrap();
    assert!(round.halted && round.looked_at == 1, "{round:?}");
    assert_eq!(city.count("SELECT COUNT(*) FROM notification WHERE mail = 'waiting' AND tries = 1").await, 1);
    let mut manager = city.browser(MANAGER).await;
    let unread =
        city.count("SELECT COUNT(*) FROM notification WHERE person = '1002' AND read_at IS NULL").await;
    assert!(unread >= 1 && manager.get("/").await.text.contains(&format!("お知らせ（{unread}）")));
    assert!(manager.get("/notifications").await.text.contains("メール送信待ち（1回失敗）"));
    // For two days it is tried; then it counts as failed, and says so.
    for hour in 1..200 {
        city.clock.set(at("2026-11-25", 10 + hour));
        mail::deliver(&city.office).await.unwrap();
    }
    assert_eq!(city.count("SELECT COUNT(*) FROM notification WHERE mail = 'failed' AND tries = 12").await, 1);
    assert_eq!(city.count("SELECT COUNT(*) FROM notification WHERE mail = 'waiting'").await, 0);
}

#[tokio::test]
async fn with_starttls_nothing_is_sent_to_a_server_whose_certificate_does_not_hold() {
    let city = City::settled().await;
    let folder = city.folder_beside("mail");
    std::fs::create_dir_all(&folder).unwrap();
    let (cert, key) = certificate(&folder, "server");
    let (stranger, _) = certificate(&folder, "stranger");
    let mut smtp = Smtp::start_with(&[&cert, &key]);
    addresses(&city, &[(MANAGER, "渡邉 一郎", "watanabe@minatono.example")]).await;
    let secured = |authority: &Path| MailConfig {
        host: "127.0.0.1".to_owned(),
        port: smtp.port,
        tls: MailTls::StartTls,
        authority: Some(std::fs::read(authority).unwrap()),
        login: None,
        from: "関所 <sekisho@minatono.example>".to_owned(),
        site: "https://sekisho.minatono.example".to_owned(),
    };
    let (wrong, right) = (secured(&stranger), secured(&cert));
    city.office.use_mail(MailServer::new(&wrong).unwrap());
    let mut clerk = city.browser(CLERK).await;
    let key = item(&mut clerk, "A-001").await;
    apply(&mut clerk, &application("21-s", &key)).await;
    assert!(mail::deliver(&city.office).await.unwrap().halted);
    assert_eq!(
        city.count(
            "SELECT COUNT(*) FROM notification WHERE mail = 'waiting' AND tries = 1 AND mail_error <> ''"
        )
        .await,
        1
    );
    // Started again with the right authority, what waited goes out.
    let (city, _backup) = city.and_backup().await;
    city.clock.set(at("2026-11-25", 12));
    city.office.use_mail(MailServer::new(&right).unwrap());
    mail::deliver(&city.office).await.unwrap();
    assert_eq!(smtp.next()["to"][0], "watanabe@minatono.example");
    let _ = std::fs::remove_dir_all(&folder);
}
