//! Several bodies on one listener with TLS: each is met under its own certificate, and a card that is shown to one is not shown to another.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sekisho_app::sequencer;

use crate::cards::Office;
use crate::city::City;
use crate::served::Served;

/// Two bodies alike but for their keys, which nobody has open any more.
struct Two {
    minato: City,
    kita: City,
    office: Office,
}

impl Two {
    async fn made() -> Self {
        let (minato, kita) = (City::twin(1, None).await, City::twin(2, None).await);
        for city in [&minato, &kita] {
            sequencer::drain(&city.office).await.unwrap();
            city.office.store.clone().close().await;
        }
        let office = Office::beside(&minato);
        Self { minato, kita, office }
    }

    /// A certificate for a host, signed by itself; `called` is what tells it from others.
    fn certify(&self, file: &str, host: &str, called: &str) {
        self.certify_for(90, file, host, called);
    }

    fn certify_for(&self, days: u32, file: &str, host: &str, called: &str) {
        self.office.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days {days} -subj /CN={called} -addext subjectAltName=DNS:{host} -addext basicConstraints=critical,CA:FALSE -keyout {file}.key -out {file}.pem"
        ));
    }

    /// What stands under `[tls]`, or as a body's own.
    fn tls(&self, prefix: &str, file: &str) -> String {
        let (certificate, key) =
            (self.office.at(&format!("{file}.pem")), self.office.at(&format!("{file}.key")));
        format!("{prefix}certificate = '{}'\n{prefix}key = '{}'\n", certificate.display(), key.display())
    }

    /// The configuration: what holds for all, and what each body has for itself.
    fn write(&self, head: &str, minato: &str, kita: &str) -> PathBuf {
        let body = |name: &str, folder: &Path, own: &str| {
            format!(
                "[[bodies]]\nname = '{name}'\nhosts = ['{name}.test']\ndata.folder = '{}'\nkey.file = '{}'\n{own}",
                folder.display(),
                folder.join("city.key").display()
            )
        };
        let text =
            [head, &body("minato", self.minato.files(), minato), &body("kita", self.kita.files(), kita)];
        let file = self.office.at("sekisho.toml");
        std::fs::write(&file, text.concat()).unwrap();
        file
    }
}

fn client(address: SocketAddr, sni: &str) -> Command {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]);
    match sni {
        "" => command.arg("-noservername"),
        name => command.args(["-servername", name]),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// What the certificate is called that is shown to whoever names a host; nothing where the two agree on none.
fn shown(address: SocketAddr, sni: &str) -> Option<String> {
    let out = client(address, sni).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find(|l| l.starts_with("subject="))?;
    line.rsplit(['=', ' ']).next().map(str::to_owned)
}

/// The program reads its files again; that it has done so shows in what it answers.
async fn until(served: &Served, is_so: impl Fn() -> bool) {
    served.hang_up();
    for _ in 0..100 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is not so after ten seconds");
}

fn said(words: &[&str], file: &Path) -> (bool, String) {
    let out = Served::program().args(words).arg("--config").arg(file).output().unwrap();
    (out.status.success(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
}

fn some(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_host_is_met_under_its_own_certificate_and_others_under_the_usual_one() {
    let two = Two::made().await;
    two.certify("minato", "minato.test", "of-minato");
    two.certify("usual", "kita.test", "usual");
    let head = format!("[tls]\n{}", two.tls("", "usual"));
    let file = two.write(&head, &two.tls("tls.", "minato"), "");
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    for (sni, name) in [
        ("minato.test", "of-minato"),
        ("MINATO.test", "of-minato"),
        ("kita.test", "usual"),
        ("sonota.test", "usual"),
        ("", "usual"),
    ] {
        assert_eq!(shown(address, sni), some(name), "{sni}");
    }
    // Each is read again for itself: what cannot be read leaves the former one, and keeps no other back.
    std::fs::write(two.office.at("minato.pem"), "これは証明書ではありません。").unwrap();
    two.certify("usual", "kita.test", "usual-2");
    until(&served, || shown(address, "kita.test") == some("usual-2")).await;
    assert_eq!(shown(address, "minato.test"), some("of-minato"));
    let (_, text) = said(&["doctor"], &file);
    assert!(text.contains("minato.test に使う証明書が使えません"), "{text}");
    two.certify("minato", "minato.test", "of-minato-2");
    until(&served, || shown(address, "minato.test") == some("of-minato-2")).await;

    let (good, text) = said(&["config", "check"], &file);
    for name in ["minato", "usual"] {
        let line = format!("証明書: {}（", two.office.at(&format!("{name}.pem")).display());
        assert!(good && text.contains(&line) && text.contains(" まで）"), "{line}: {text}");
    }
    let (_, text) = said(&["doctor"], &file);
    let line = format!("良好 サーバの証明書: kita.test に {}（", two.office.at("usual.pem").display());
    assert!(text.contains(&line), "{text}");
    two.certify("minato", "sonota.test", "of-sonota");
    let (_, text) = said(&["doctor"], &file);
    assert!(
        text.contains("不良 サーバの証明書: minato.test に")
            && text.contains("証明書に minato.test の名前がなく"),
        "{text}"
    );
    two.certify_for(20, "minato", "minato.test", "ends-soon");
    let (_, text) = said(&["doctor"], &file);
    assert!(text.contains("注意 サーバの証明書: minato.test に"), "{text}");
    std::fs::copy(two.office.at("usual.key"), two.office.at("minato.key")).unwrap();
    let (good, text) = said(&["config", "explain"], &file);
    assert!(good && text.contains("証明書: 使えません。"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_usual_certificate_nobody_agrees_on_keys_under_another_name() {
    let two = Two::made().await;
    two.certify("minato", "minato.test", "of-minato");
    two.certify("kita", "kita.test", "of-kita");
    let kita = std::fs::read(two.office.at("kita.pem")).unwrap();
    std::fs::remove_file(two.office.at("kita.pem")).unwrap();
    let file = two.write("", &two.tls("tls.", "minato"), &two.tls("tls.", "kita"));
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    // One whose files are not there keeps nobody else waiting, and nobody is shown another's in its place.
    assert_eq!(shown(address, "minato.test"), some("of-minato"));
    for sni in ["kita.test", "sonota.test", ""] {
        assert_eq!(shown(address, sni), None, "{sni}");
    }
    std::fs::write(two.office.at("kita.pem"), kita).unwrap();
    until(&served, || shown(address, "kita.test") == some("of-kita")).await;
    assert_eq!(shown(address, "sonota.test"), None);
}

/// What is answered to requests for these hosts on one connection that was made for another, with a card or without.
fn enters(two: &Two, address: SocketAddr, sni: &str, card: &str, hosts: &[&str]) -> Vec<String> {
    let mut command = client(address, sni);
    command.arg("-quiet");
    if !card.is_empty() {
        command.arg("-cert").arg(two.office.at(&format!("{card}.pem")));
        command.arg("-key").arg(two.office.at(&format!("{card}.key")));
    }
    let mut client = command.spawn().unwrap();
    for (n, host) in hosts.iter().enumerate() {
        let last = if n + 1 == hosts.len() { "Connection: close\r\n" } else { "" };
        let request = format!(
            "POST /login/card HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n{last}\r\nnext=%2Fcases"
        );
        // A client that is refused may be gone before it is written to.
        let _ = client.stdin.as_mut().unwrap().write_all(request.as_bytes());
    }
    let text = String::from_utf8(client.wait_with_output().unwrap().stdout).unwrap();
    text.split("HTTP/1.1 ").skip(1).map(str::to_owned).collect()
}

const IN: &str = "303";
const NOT_SHOWN: &str = "証明書が届いていません";
const NOT_OURS: &str = "使えるものではありません";

fn is(answers: &[String], wanted: &[&str]) {
    assert_eq!(answers.len(), wanted.len(), "{answers:#?}");
    for (answer, wanted) in answers.iter().zip(wanted) {
        let (status, session) =
            (if *wanted == IN { IN } else { "401" }, answer.contains("set-cookie: sekisho_session="));
        assert!(answer.starts_with(status) && session == (*wanted == IN), "{wanted}: {answer}");
        assert!(*wanted == IN || answer.contains(wanted), "{wanted}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_shown_to_one_body_counts_for_no_other_on_the_same_connection() {
    let two = Two::made().await;
    two.office.authority("ca");
    two.office.authority("other");
    // The same login in both bodies: two people.
    two.office.card("clerk", "u1001", "ca", 5);
    two.office.card("theirs", "u1001", "other", 6);
    two.certify("usual", "minato.test", "usual");
    let head = format!("[tls]\n{}", two.tls("", "usual"));
    let trusts = |ca: &str| format!("card.ca = '{}'\n", two.office.at(ca).display());
    let (here, there) = ("minato.test", "kita.test");

    // Each trusts an authority of its own.
    let file = two.write(&head, &trusts("ca.pem"), &trusts("other.pem"));
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    is(&enters(&two, address, here, "clerk", &[here]), &[IN]);
    is(&enters(&two, address, there, "theirs", &[there]), &[IN]);
    is(&enters(&two, address, there, "clerk", &[there]), &[NOT_OURS]);
    is(&enters(&two, address, here, "theirs", &[here]), &[NOT_OURS]);
    is(&enters(&two, address, here, "theirs", &[there]), &[NOT_SHOWN]);
    is(&enters(&two, address, here, "", &[here]), &[NOT_SHOWN]);
    // Whoever names no host, or nobody's, is asked for no card.
    for sni in ["", "sonota.test"] {
        is(&enters(&two, address, sni, "clerk", &[here, there]), &[NOT_SHOWN, NOT_SHOWN]);
    }
    served.terminate();
    assert!(served.ended().success());

    // Both trust the same one, so that only the connection tells to whom the card was shown.
    let file = two.write(&head, &trusts("ca.pem"), &trusts("ca.pem"));
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    is(&enters(&two, address, there, "clerk", &[there]), &[IN]);
    is(&enters(&two, address, here, "clerk", &[there]), &[NOT_SHOWN]);
    is(&enters(&two, address, here, "clerk", &[here, there, here]), &[IN, NOT_SHOWN, IN]);
    is(&enters(&two, address, there, "clerk", &[here, there]), &[NOT_SHOWN, IN]);
    served.terminate();
    assert!(served.ended().success());

    // One without cards asks for none; one whose authority cannot be read says so, and keeps nobody else waiting.
    let file = two.write(&head, &trusts("ca.pem"), &trusts("nowhere.pem"));
    let mut served = Served::configured(&file);
    let address = served.address().await.unwrap();
    is(&enters(&two, address, here, "clerk", &[here]), &[IN]);
    is(&enters(&two, address, there, "clerk", &[there]), &[NOT_SHOWN]);
    std::fs::copy(two.office.at("ca.pem"), two.office.at("nowhere.pem")).unwrap();
    until(&served, || enters(&two, address, there, "clerk", &[there]).iter().any(|a| a.starts_with(IN)))
        .await;
}
