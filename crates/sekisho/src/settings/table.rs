//! Every setting in one place: its name in the file, the environment and on the command line, its default and what it means.

mod value;

pub(crate) use value::{fault, shown};

/// What a setting's text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text that is not empty.
    Text,
    /// A file or folder; in the configuration file relative to that file's folder.
    Path,
    /// Address and port of this host.
    Listen,
    /// `true` or `false`.
    Switch,
    /// One of a closed list.
    OneOf(&'static [&'static str]),
    /// A whole number in a range, both ends included.
    Number(u64, u64),
    /// Host name and port.
    HostPort,
    /// Address of the site as browsers see it.
    Site,
    /// Address of an identity provider: protected, or of this host.
    Provider,
    /// Addresses and networks between commas.
    Networks,
    /// Kinds of files between commas.
    FileKinds,
    /// Name of an HTTP header.
    Header,
    /// Address of a PostgreSQL database, which may hold a password.
    Database,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Name in the file: section and key.
    pub(crate) key: &'static str,
    /// Option on the command line.
    pub(crate) flag: &'static str,
    /// What its text must be.
    pub(crate) kind: Kind,
    /// Value where nothing else says one.
    pub(crate) default: Option<&'static str>,
    /// A value for the sample file.
    pub(crate) example: &'static str,
    /// What it means, in Japanese.
    pub(crate) says: &'static str,
}

impl Setting {
    /// Whether it is of the whole process, and so the same for all bodies.
    pub(crate) fn of_process(&self) -> bool {
        [LISTEN, BEHIND_TLS, PROXIES, METRICS, LOG_FILTER, LOG_FORMAT].contains(&self.key)
    }

    /// Whether it says who somebody is (single sign-on, directory, cards). Said for all bodies, it would let people of one into another where
    /// somebody else has the same login.
    pub(crate) fn of_people(&self) -> bool {
        is_of_people(self.key)
    }

    /// Name of its environment variable.
    pub(crate) fn variable(&self) -> String {
        if self.key == LOG_FILTER {
            // Older than the others.
            return "SEKISHO_LOG".to_owned();
        }
        format!("SEKISHO_{}", self.key.replace('.', "_").to_uppercase())
    }
}

pub(crate) const DATA: &str = "data.folder";
pub(crate) const DATABASE: &str = "data.database";
pub(crate) const KEY: &str = "key.file";
pub(crate) const TITLE: &str = "body.title";
pub(crate) const BODY: &str = "body.name";
pub(crate) const LISTEN: &str = "server.listen";
pub(crate) const BEHIND_TLS: &str = "server.behind_tls";
pub(crate) const SITE: &str = "server.site";
pub(crate) const PROXIES: &str = "server.trusted_proxies";
pub(crate) const STRICT: &str = "server.second_factor_networks";
pub(crate) const OIDC_ISSUER: &str = "oidc.issuer";
pub(crate) const OIDC_CLIENT: &str = "oidc.client_id";
pub(crate) const OIDC_SECRET_FILE: &str = "oidc.client_secret_file";
pub(crate) const OIDC_TITLE: &str = "oidc.title";
pub(crate) const OIDC_CLAIM: &str = "oidc.claim";
pub(crate) const OIDC_SECOND_FACTOR: &str = "oidc.second_factor";
pub(crate) const OIDC_CA: &str = "oidc.ca";
pub(crate) const CARD_CA: &str = "card.ca";
pub(crate) const CARD_CRL: &str = "card.crl";
pub(crate) const CARD_FIELD: &str = "card.field";
pub(crate) const CARD_SECOND_FACTOR: &str = "card.second_factor";
pub(crate) const CARD_HEADER: &str = "card.header";
pub(crate) const CERTIFICATE: &str = "tls.certificate";
pub(crate) const TLS_KEY: &str = "tls.key";
pub(crate) const METRICS: &str = "metrics.listen";
pub(crate) const MAIL_SERVER: &str = "mail.server";
pub(crate) const MAIL_TLS: &str = "mail.tls";
pub(crate) const MAIL_CA: &str = "mail.ca";
pub(crate) const MAIL_FROM: &str = "mail.from";
pub(crate) const MAIL_USER: &str = "mail.user";
pub(crate) const MAIL_PASSWORD_FILE: &str = "mail.password_file";
pub(crate) const LDAP_URLS: &str = "ldap.urls";
pub(crate) const LDAP_START_TLS: &str = "ldap.start_tls";
pub(crate) const LDAP_CA: &str = "ldap.ca";
pub(crate) const LDAP_BASE: &str = "ldap.base";
pub(crate) const LDAP_BIND_DN: &str = "ldap.bind_dn";
pub(crate) const LDAP_PASSWORD_FILE: &str = "ldap.password_file";
pub(crate) const LDAP_KIND: &str = "ldap.kind";
pub(crate) const LDAP_FILTER: &str = "ldap.filter";
pub(crate) const LDAP_PEOPLE: &str = "ldap.people_filter";
pub(crate) const LDAP_ATTRIBUTES: &str = "ldap.attributes";
pub(crate) const LDAP_TITLE: &str = "ldap.title";
pub(crate) const LDAP_TIMEOUT: &str = "ldap.timeout_seconds";
pub(crate) const LDAP_ENTRIES: &str = "ldap.max_entries";
pub(crate) const LDAP_MB: &str = "ldap.max_mb";
pub(crate) const LDAP_CHECK: &str = "ldap.check_minutes";
pub(crate) const WITNESSES: &str = "witness.list";
pub(crate) const WEBHOOKS: &str = "webhook.list";
pub(crate) const LOG_FILTER: &str = "log.filter";
pub(crate) const LOG_FORMAT: &str = "log.format";
pub(crate) const BACKUP_FOLDER: &str = "backup.folder";
pub(crate) const BACKUP_HOURS: &str = "backup.max_age_hours";
pub(crate) const KEEP_DAILY: &str = "backup.keep_daily";
pub(crate) const KEEP_WEEKLY: &str = "backup.keep_weekly";
pub(crate) const KEEP_MONTHLY: &str = "backup.keep_monthly";
pub(crate) const ATTACHMENTS: &str = "attachments.kinds";
pub(crate) const DISK_FREE: &str = "disk.min_free_mb";

const fn s(
    key: &'static str,
    flag: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    example: &'static str,
    says: &'static str,
) -> Setting {
    Setting { key, flag, kind, default, example, says }
}

/// All settings, in the order of the sample file.
pub(crate) const SETTINGS: &[Setting] = &[
    s(DATA, "data", Kind::Path, None, "/var/lib/sekisho/city", "データフォルダ"),
    s(
        DATABASE,
        "database",
        Kind::Database,
        None,
        "postgres://sekisho@db.example/sekisho",
        "PostgreSQLのアドレス（指定しなければデータフォルダのSQLite）",
    ),
    s(
        KEY,
        "key",
        Kind::Path,
        None,
        "/var/lib/sekisho-keys/city.key",
        "署名鍵のファイル（データフォルダの外に置く。指定しなければデータフォルダの隣の「フォルダ名.key」）",
    ),
    s(
        TITLE,
        "title",
        Kind::Text,
        Some("関所市"),
        "みなと市",
        "画面と様式に出る団体の名前（最初の起動のときに決まる）",
    ),
    s(
        BODY,
        "body",
        Kind::Text,
        Some("city"),
        "minato",
        "証跡での団体名（半角英数字。最初の起動のときに決まる）。団体がいくつもあるときは、--body でその一つを選ぶ",
    ),
    s(LISTEN, "listen", Kind::Listen, Some("127.0.0.1:8080"), "127.0.0.1:8080", "待ち受けるアドレス"),
    s(
        BEHIND_TLS,
        "behind-tls",
        Kind::Switch,
        Some("false"),
        "true",
        "前段の装置がTLSを終端している（クッキーにSecureを付ける）",
    ),
    s(
        SITE,
        "site",
        Kind::Site,
        None,
        "https://sekisho.city.example",
        "ブラウザから見た、このサイトのアドレス（メールの本文に書く。シングルサインオンの戻り先になる。パスキーはこのアドレスのために作られる）",
    ),
    s(
        PROXIES,
        "trusted-proxies",
        Kind::Networks,
        None,
        "10.1.2.3, 10.1.4.0/24",
        "前段の装置のアドレス（コンマで区切る）。ここに書いたものが付けた X-Forwarded-For と card.header だけを信じる。指定しなければ、TLSのときにこの機械の中だけ",
    ),
    s(
        STRICT,
        "second-factor-networks",
        Kind::Networks,
        None,
        "10.9.0.0/16, 192.0.2.0/24",
        "ここから来た人は、多要素認証を使ってログインしなければ何も使えないネットワーク（コンマで区切る。テレワーク、外部と接する区画など）。APIトークンは、使える場所にここを書いたものだけが使える。団体ごとに書いたものは、全団体のものに加わる",
    ),
    s(
        CERTIFICATE,
        "tls-certificate",
        Kind::Path,
        None,
        "/etc/sekisho/server.pem",
        "このサーバの証明書と、それを確かめる中間の証明書（PEM）。指定すると、関所自身がTLS（https）を受け持つ。団体ごとに書いたものは、その団体のホスト名に使う。SIGHUPで読み直す",
    ),
    s(
        TLS_KEY,
        "tls-key",
        Kind::Path,
        None,
        "/etc/sekisho/server.key",
        "証明書の秘密鍵（PEM。サーバを動かす利用者だけが読めるようにする）",
    ),
    s(
        OIDC_ISSUER,
        "oidc-issuer",
        Kind::Provider,
        None,
        "https://id.city.example/realms/city",
        "シングルサインオンの相手（OpenID Connect）のアドレス。相手が名乗るとおりに書く。指定すると、ログインの画面にボタンが出る",
    ),
    s(OIDC_CLIENT, "oidc-client-id", Kind::Text, None, "sekisho", "相手に登録した、関所のクライアントID"),
    s(
        OIDC_SECRET_FILE,
        "oidc-client-secret-file",
        Kind::Path,
        None,
        "/etc/sekisho/oidc-secret",
        "クライアントの秘密を書いたファイル（サーバを動かす利用者だけが読めるようにする。指定しなければPKCEだけで確かめる）",
    ),
    s(
        OIDC_TITLE,
        "oidc-title",
        Kind::Text,
        Some("シングルサインオン"),
        "庁内の認証",
        "ボタンに出る、相手の呼び名",
    ),
    s(
        OIDC_CLAIM,
        "oidc-claim",
        Kind::Text,
        Some("preferred_username"),
        "preferred_username",
        "関所のログイン名と同じ値が入っている項目（IDトークンになければ、相手の userinfo に尋ねる）",
    ),
    s(
        OIDC_SECOND_FACTOR,
        "oidc-second-factor",
        Kind::Text,
        None,
        "mfa, otp",
        "相手の amr か acr がこのどれかなら、多要素認証を済ませたものとする（コンマで区切る。指定しなければ関所でも尋ねる）",
    ),
    s(
        OIDC_CA,
        "oidc-ca",
        Kind::Path,
        None,
        "/etc/sekisho/oidc-ca.pem",
        "相手の証明書を確かめる認証局の証明書（PEM）。指定しなければOSが信頼するもの",
    ),
    s(
        CARD_CA,
        "card-ca",
        Kind::Path,
        None,
        "/etc/sekisho/card-ca.pem",
        "ICカードの証明書を出した認証局の証明書（PEM。中間も書く）。指定すると、ICカードでログインできる",
    ),
    s(
        CARD_CRL,
        "card-crl",
        Kind::Path,
        None,
        "/etc/sekisho/card-crl.pem",
        "失効した証明書の一覧（CRL、PEM。続けて幾つでも）。期限の切れた一覧では、だれも通さない。SIGHUPで読み直す",
    ),
    s(
        CARD_FIELD,
        "card-field",
        Kind::OneOf(&["email", "upn", "cn"]),
        Some("email"),
        "email",
        "関所のログイン名と同じ値が入っている、証明書の項目（email メールアドレス、upn Windowsの利用者名、cn 名前）",
    ),
    s(
        CARD_SECOND_FACTOR,
        "card-second-factor",
        Kind::Switch,
        Some("false"),
        "true",
        "PINで開くICカードを、多要素認証を済ませたものとする",
    ),
    s(
        CARD_HEADER,
        "card-header",
        Kind::Header,
        None,
        "x-ssl-client-cert",
        "前段の装置がTLSを終端するとき、証明書を渡すヘッダ（server.trusted_proxies の装置からだけ信じる）",
    ),
    s(
        METRICS,
        "metrics-listen",
        Kind::Listen,
        None,
        "127.0.0.1:9464",
        "監視のための数値（Prometheusの形）を出すアドレス。この機械の中（127.0.0.1）だけ。指定しなければ出さない",
    ),
    s(
        MAIL_SERVER,
        "mail-server",
        Kind::HostPort,
        None,
        "mail.city.example:587",
        "お知らせを送るSMTPサーバ（ホスト名:ポート番号）。指定しなければ画面にだけ出る",
    ),
    s(
        MAIL_TLS,
        "mail-tls",
        Kind::OneOf(&["none", "starttls", "tls"]),
        Some("starttls"),
        "starttls",
        "SMTPサーバとの通信の保護（none 暗号化しない、starttls、tls 最初からTLS）",
    ),
    s(
        MAIL_CA,
        "mail-ca",
        Kind::Path,
        None,
        "/etc/sekisho/mail-ca.pem",
        "SMTPサーバの証明書を確かめる認証局の証明書（PEM）。指定しなければOSが信頼するもの",
    ),
    s(MAIL_FROM, "mail-from", Kind::Text, None, "関所 <sekisho@city.example>", "メールの差出人"),
    s(MAIL_USER, "mail-user", Kind::Text, None, "sekisho", "SMTPサーバの利用者名"),
    s(
        MAIL_PASSWORD_FILE,
        "mail-password-file",
        Kind::Path,
        None,
        "/etc/sekisho/mail-password",
        "SMTPサーバのパスワードを書いたファイル（サーバを動かす利用者だけが読めるようにする）",
    ),
    s(
        LDAP_URLS,
        "ldap-urls",
        Kind::Text,
        None,
        "ldaps://dc1.city.example,ldaps://dc2.city.example",
        "パスワードを確かめる庁内のディレクトリ（Active Directory、OpenLDAP）のアドレス。コンマで並べると、つながらないときに次を試す。指定しなければ使わない",
    ),
    s(
        LDAP_START_TLS,
        "ldap-start-tls",
        Kind::Switch,
        Some("true"),
        "true",
        "ldap:// のアドレスでStartTLSを使う。false にできるのは、この機械の中（127.0.0.1）のディレクトリだけ",
    ),
    s(
        LDAP_CA,
        "ldap-ca",
        Kind::Path,
        None,
        "/etc/sekisho/ldap-ca.pem",
        "ディレクトリの証明書を確かめる認証局の証明書（PEM）",
    ),
    s(LDAP_BASE, "ldap-base", Kind::Text, None, "dc=city,dc=example", "ディレクトリで人を探し始める場所"),
    s(
        LDAP_BIND_DN,
        "ldap-bind-dn",
        Kind::Text,
        None,
        "cn=sekisho,ou=service,dc=city,dc=example",
        "人を探すのに使うアカウント（読むことだけができるもの）",
    ),
    s(
        LDAP_PASSWORD_FILE,
        "ldap-password-file",
        Kind::Path,
        None,
        "/etc/sekisho/ldap-password",
        "そのパスワードを書いたファイル（サーバを動かす利用者だけが読めるようにする）",
    ),
    s(
        LDAP_KIND,
        "ldap-kind",
        Kind::OneOf(&["ad", "openldap"]),
        Some("ad"),
        "ad",
        "ディレクトリの種類（ad、openldap）。検索の条件と属性の名前の既定が変わる",
    ),
    s(
        LDAP_FILTER,
        "ldap-filter",
        Kind::Text,
        None,
        "(&(objectClass=user)(sAMAccountName={login}))",
        "ログイン名から1人を探す条件。{login} に入力されたログイン名が入る",
    ),
    s(
        LDAP_PEOPLE,
        "ldap-people-filter",
        Kind::Text,
        None,
        "(&(objectClass=user)(employeeNumber=*))",
        "職員と利用者の読取りで、全員を探す条件",
    ),
    s(
        LDAP_ATTRIBUTES,
        "ldap-attributes",
        Kind::Text,
        None,
        "number=employeeID,section=departmentNumber",
        "種類の既定と違う属性の名前（login、number 職員番号、name、kana、mail、section 組織コード、title、disabled）",
    ),
    s(
        LDAP_TITLE,
        "ldap-title",
        Kind::Text,
        Some("庁内のディレクトリ"),
        "庁内のActive Directory",
        "ディレクトリの、画面での呼び名",
    ),
    s(
        LDAP_TIMEOUT,
        "ldap-timeout-seconds",
        Kind::Number(1, 60),
        Some("5"),
        "5",
        "ディレクトリの返事を待つ時間（秒）",
    ),
    s(
        LDAP_ENTRIES,
        "ldap-max-entries",
        Kind::Number(1, 200_000),
        Some("20000"),
        "20000",
        "ディレクトリから読む人の数の上限",
    ),
    s(
        LDAP_MB,
        "ldap-max-mb",
        Kind::Number(1, 512),
        Some("64"),
        "64",
        "ディレクトリから1回に受け取る量の上限（MB）",
    ),
    s(
        LDAP_CHECK,
        "ldap-check-minutes",
        Kind::Number(1, 720),
        Some("15"),
        "15",
        "ディレクトリのパスワードで入っている人が、ディレクトリで止められていないかを確かめる間隔（分）",
    ),
    s(
        WITNESSES,
        "witnesses",
        Kind::Path,
        None,
        "/etc/sekisho/witnesses",
        "立会人の一覧のファイル（1行に「witness 呼び名 公開鍵 アドレス」。指定しなければ前の起動のときのまま）",
    ),
    s(
        WEBHOOKS,
        "webhooks",
        Kind::Path,
        None,
        "/etc/sekisho/webhooks",
        "記録を知らせる先の一覧のファイル（1行に「webhook 名前 アドレス 秘密のファイル [種類,種類]」）",
    ),
    s(
        LOG_FILTER,
        "log",
        Kind::Text,
        Some("warn"),
        "info",
        "動作の記録に出すもの（error、warn、info、debug。部品ごとなら sekisho_app=debug のように書く）",
    ),
    s(
        LOG_FORMAT,
        "log-format",
        Kind::OneOf(&["text", "json"]),
        Some("text"),
        "json",
        "動作の記録の形（text 人が読む、json 監視の仕組みが読む）",
    ),
    s(
        BACKUP_FOLDER,
        "backup-folder",
        Kind::Path,
        None,
        "/var/backups/sekisho",
        "バックアップを置くフォルダ（点検が、新しいバックアップがあるかを見る）",
    ),
    s(
        BACKUP_HOURS,
        "backup-max-age-hours",
        Kind::Number(1, 24 * 366),
        Some("30"),
        "30",
        "バックアップがこれより古いと、点検が「注意」とする（時間）",
    ),
    s(
        KEEP_DAILY,
        "backup-keep-daily",
        Kind::Number(0, 3660),
        None,
        "14",
        "バックアップのある日を新しい方から数えて何日分まで、その日の最後のものを残すか（backup.keep_ のどれも書かなければ、何も消さない）",
    ),
    s(
        KEEP_WEEKLY,
        "backup-keep-weekly",
        Kind::Number(0, 520),
        None,
        "8",
        "同じく何週分まで、その週（月曜日から）の最後のものを残すか",
    ),
    s(
        KEEP_MONTHLY,
        "backup-keep-monthly",
        Kind::Number(0, 1200),
        None,
        "24",
        "同じく何か月分まで、その月の最後のものを残すか",
    ),
    s(
        ATTACHMENTS,
        "attachment-kinds",
        Kind::FileKinds,
        Some("pdf, office, image, text, zip"),
        "pdf, office, image, text, zip, .dwg",
        "申請や記録に添付できるファイルの種類（pdf、office、image 画像、text テキストとCSV、zip をコンマで区切る。ほかは .dwg のように拡張子で足す）。プログラムとマクロの付いた文書は、何を書いても受け付けない",
    ),
    s(
        DISK_FREE,
        "disk-min-free-mb",
        Kind::Number(1, 100_000_000),
        Some("1024"),
        "1024",
        "データフォルダのあるディスクの空きがこれより少ないと、点検が「注意」とする（MB）",
    ),
];

fn is_of_people(key: &str) -> bool {
    ["oidc.", "ldap.", "card."].iter().any(|section| key.starts_with(section))
}

/// The setting with a name.
pub(crate) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.key == key)
}

#[cfg(test)]
mod tests;
