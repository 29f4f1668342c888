//! What is on the disk: the key, who may read what, free space, the embedded fonts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sekisho_base::canonical::unhex;
use sekisho_ledger::LogSigner;
use sekisho_store::maintenance;

use super::{Finding, Surroundings};

pub(super) fn look(s: &Surroundings) -> Vec<Finding> {
    vec![permissions(s), space(s), fonts(), licences()]
}

/// The signing key: there, readable, the ledger's own, and not where the data is.
pub(super) fn key(s: &Surroundings, vkey: Option<&str>, body: Option<&str>) -> Finding {
    const ID: &str = "key";
    const TITLE: &str = "署名鍵";
    let name = s.key.display();
    let text = match std::fs::read_to_string(&s.key) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && vkey.is_none() => {
            return Finding::caution(
                ID,
                TITLE,
                format!("{name} はまだありません。最初にサーバを動かしたときに作られます。"),
                "",
            );
        }
        Err(e) => {
            return Finding::bad(
                ID,
                TITLE,
                format!("{name} を読めません（{e}）。サーバは動かず、記録に署名できません。"),
                "鍵の控えから戻すか、key.file（--key）に正しい場所を指定し、サーバを動かす利用者が読めるようにしてください。",
            );
        }
    };
    if crate::setup::is_page_key(&text) {
        return Finding::good(
            ID,
            TITLE,
            format!("{name} は、画面だけを受け持つサーバの鍵です。署名は、ほかのサーバがします。"),
        );
    }
    let signer = unhex(text.trim())
        .and_then(|b| <[u8; 32]>::try_from(b).ok())
        .and_then(|seed| LogSigner::from_seed(body.unwrap_or("city"), &seed).ok());
    match (signer, vkey) {
        (None, _) => Finding::bad(
            ID,
            TITLE,
            format!("{name} は鍵の形をしていません。"),
            "鍵の控えから戻してください。",
        ),
        (Some(signer), Some(vkey)) if signer.vkey() != vkey => Finding::bad(
            ID,
            TITLE,
            format!("{name} は、このデータの鍵ではありません。サーバは動きません。"),
            "key.file（--key）に、この市の鍵を指定してください。",
        ),
        _ if within(&s.key, &s.data) => Finding::bad(
            ID,
            TITLE,
            format!(
                "{name} はデータフォルダの中にあります。データを手に入れた人が、記録を作り直して署名できます。"
            ),
            "サーバを止め、鍵をデータフォルダの外に移し、key.file（--key）で場所を指定してください。",
        ),
        _ => Finding::good(ID, TITLE, format!("{name} を読め、このデータの鍵です。")),
    }
}

fn within(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => file.starts_with(folder),
    }
}

fn permissions(s: &Surroundings) -> Finding {
    const ID: &str = "permissions";
    const TITLE: &str = "ファイルを読める人";
    let mut wanted: Vec<PathBuf> = vec![s.key.clone()];
    if !maintenance::is_postgres(&s.database) {
        wanted.push(s.data.clone());
    }
    wanted.extend(s.backups.clone());
    let open: Vec<String> = wanted
        .iter()
        .filter(|p| std::fs::metadata(p).is_ok_and(|m| m.permissions().mode() & 0o077 != 0))
        .map(|p| p.display().to_string())
        .collect();
    if open.is_empty() {
        return Finding::good(ID, TITLE, "データ、鍵、バックアップは、サーバを動かす利用者だけが読めます。");
    }
    Finding::caution(
        ID,
        TITLE,
        format!("{} は、サーバを動かす利用者以外も読めます。", open.join("、")),
        format!("chmod go-rwx {} を実行してください。", open.join(" ")),
    )
}

fn space(s: &Surroundings) -> Finding {
    const ID: &str = "disk";
    const TITLE: &str = "ディスクの空き";
    let place = if s.data.is_dir() { s.data.as_path() } else { s.data.parent().unwrap_or(&s.data) };
    let free = match rustix::fs::statvfs(place) {
        Ok(v) => v.f_bavail.saturating_mul(v.f_frsize) / 1_000_000,
        Err(e) => {
            return Finding::caution(
                ID,
                TITLE,
                format!("{} の空きを調べられません（{e}）。", place.display()),
                "データフォルダの場所を確かめてください。",
            );
        }
    };
    let says = format!("{} の空きは {free}MB です。", place.display());
    let remedy = "古いバックアップを別の場所に移すか、ディスクを大きくしてください。空きがなくなると、申請などを受け付けられなくなります（それまでの記録は失われません）。";
    if free < s.free_mb / 10 {
        Finding::bad(ID, TITLE, says, remedy)
    } else if free < s.free_mb {
        Finding::caution(ID, TITLE, says, remedy)
    } else {
        Finding::good(ID, TITLE, says)
    }
}

fn licences() -> Finding {
    let parts = crate::system::licences();
    let says =
        format!("組み込まれた部品 {}個とそのライセンスは、画面の「システム」で見られます。", parts.len());
    Finding::good("licences", "部品のライセンス", says)
}

fn fonts() -> Finding {
    const ID: &str = "fonts";
    const TITLE: &str = "様式の書体";
    let lacking = sekisho_forms::unprintable("関所 情報資産の持出し 髙﨑邉 令和8年 ①㈱");
    if lacking.is_empty() {
        return Finding::good(
            ID,
            TITLE,
            "印刷する様式の書体（IPAex明朝・IPAexゴシック）は、プログラムに組み込まれています。",
        );
    }
    let list: Vec<String> = lacking.into_iter().collect();
    Finding::bad(
        ID,
        TITLE,
        format!("組み込まれた書体で印刷できない文字があります（{}）。", list.join("")),
        "プログラムが壊れています。配布されたものを入れ直してください。",
    )
}
