//! Old backups go away by a rule: the newest of each of so many days, weeks and months stays. Only whole backups of this body count and
//! only they go; whatever else is in the folder is left alone and told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sekisho_base::{Clock, Date, Instant};
use sekisho_boxed::boxed;
use sekisho_store::maintenance;
use serde_json::json;

use super::verify::files_are_whole;
use super::{
    CONFIG, KEY, LEAVING, MANIFEST, Manifest, POSTGRES, SQLITE, manifest, name_of, note, sync, unread,
    written,
};
use crate::error::AppError;
use crate::ledger::{PRUNED, VKEY};

/// For how many days, weeks and months that have a backup the newest one stays. Weeks begin on Monday; days are those of Japan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Days.
    pub daily: u64,
    /// Weeks.
    pub weekly: u64,
    /// Months.
    pub monthly: u64,
}

impl Keep {
    /// Whether it says anything: where it does not, everything stays.
    #[must_use]
    pub fn is_set(self) -> bool {
        self != Self::default()
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        let parts = [(self.daily, "日分"), (self.weekly, "週分"), (self.monthly, "か月分")];
        let said = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, of)| format!("{n}{of}"));
        said.collect::<Vec<_>>().join("、")
    }

    /// Which of these days' backups stay, newest first; the first always does.
    fn stays(self, days: &[Date]) -> Vec<bool> {
        let mut stays = vec![false; days.len()];
        if let Some(newest) = stays.first_mut() {
            *newest = true;
        }
        // Day 0 was a Thursday.
        let week = |d: Date| (d.epoch_days() + 3).div_euclid(7);
        let month = |d: Date| i64::from(d.ymd().0) * 12 + i64::from(d.ymd().1);
        let rules: [(u64, &dyn Fn(Date) -> i64); 3] =
            [(self.daily, &Date::epoch_days), (self.weekly, &week), (self.monthly, &month)];
        for (many, period) in rules {
            let (mut left, mut last) = (many, None);
            for (day, stays) in days.iter().zip(&mut stays) {
                let this = Some(period(*day));
                if left > 0 && this != last {
                    (*stays, left, last) = (true, left - 1, this);
                }
            }
        }
        stays
    }
}

/// What went, or would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// What the operator is told.
    pub text: Vec<String>,
    /// Names of the backups that went.
    pub gone: Vec<String>,
    /// How many whole ones stay.
    pub kept: usize,
}

/// What is found in the folder.
#[derive(Default)]
struct Sorted {
    /// Whole backups of this body.
    whole: Vec<(PathBuf, Manifest)>,
    /// Those that an earlier run began to remove.
    leaving: Vec<PathBuf>,
    /// What neither counts nor goes, and why.
    text: Vec<String>,
}

/// Removes the backups of a body that no rule keeps; `dry` only tells them. What goes stands in the ledger.
///
/// # Errors
/// Refused when the body's ledger was never begun or its database is of another version than this program; the folder cannot be read or
/// changed.
#[boxed]
pub async fn prune(
    address: &str,
    below: &Path,
    keep: Keep,
    dry: bool,
    clock: &dyn Clock,
) -> Result<Pruned, AppError> {
    let facts = maintenance::facts(address).await.map_err(AppError::for_operator)?;
    if !(facts.pending.is_empty() && facts.unknown.is_empty()) {
        return Err(AppError::refused(
            "B013",
            "データの版がこのプログラムと違うので、古いバックアップを消しません。新しい版のサーバを動かしてから、もう一度実行してください。",
        ));
    }
    let vkey = facts.settings.get(VKEY).filter(|k| !k.is_empty()).ok_or_else(|| {
        AppError::refused(
            "B014",
            "まだ一度も署名していないデータです。サーバを動かしてから、もう一度実行してください。",
        )
    })?;
    let mut found = sort(below, vkey, clock.now())?;
    found.whole.sort_by_key(|(_, m)| std::cmp::Reverse(m.made_at));
    let days: Vec<Date> = found.whole.iter().map(|(_, m)| m.made_at.date()).collect();
    let stays = keep.stays(&days);
    let kept = stays.iter().filter(|s| **s).count();
    let old: Vec<&Path> =
        found.whole.iter().zip(&stays).filter(|(_, s)| !**s).map(|((f, _), _)| f.as_path()).collect();
    let mut gone: Vec<String> = found.leaving.iter().map(|f| name_of(&f.with_extension(""))).collect();
    gone.extend(old.iter().map(|f| name_of(f)));
    let mut text = found.text;
    text.extend(gone.iter().map(|name| format!("{}: {name}", if dry { "消えるもの" } else { "消したもの" })));
    text.push(format!(
        "{kept}個を残し（{}と、いちばん新しいもの）、{}個を消{}。",
        keep.words(),
        gone.len(),
        if dry { "します" } else { "しました" }
    ));
    if dry {
        text.push("まだ何も消していません。".to_owned());
    } else if !gone.is_empty() {
        let mut leaving = found.leaving;
        for folder in old {
            let to = below.join(format!("{}{LEAVING}", name_of(folder)));
            std::fs::rename(folder, &to).map_err(|e| written(folder, &e))?;
            leaving.push(to);
        }
        sync(below)?;
        // Told before anything is lost; a run that is cut off here is told again by the one that finishes it.
        note(address, PRUNED, clock.now(), &json!({"by": "system", "gone": gone, "kept": kept})).await?;
        for folder in &leaving {
            clear(folder)?;
        }
    }
    Ok(Pruned { text, gone, kept })
}

/// Looks at everything in the folder.
fn sort(below: &Path, vkey: &str, now: Instant) -> Result<Sorted, AppError> {
    let mut found = Sorted::default();
    for entry in below.read_dir().map_err(|e| unread(below, &e))? {
        let entry = entry.map_err(|e| unread(below, &e))?;
        let (folder, name) = (entry.path(), name_of(&entry.path()));
        // Of a link it is not asked where it leads.
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        if !is_folder || !name.starts_with("sekisho-") {
            continue;
        }
        let read = manifest(&folder);
        if name.ends_with(LEAVING) && read.as_ref().is_ok_and(|m| m.vkey == vkey) {
            found.leaving.push(folder);
            continue;
        }
        let why = match read {
            Err(_) => "できあがっていない",
            Ok(m) if m.vkey != vkey => "この団体のものではない",
            Ok(m) if name != m.folder_name() => "名前が変えてある",
            Ok(m) if m.made_at > now => "作った日時が今より先である",
            Ok(m) if !holds_only(&folder, &m) => "中身が作った時と違う",
            Ok(m) => {
                found.whole.push((folder, m));
                continue;
            }
        };
        found.text.push(format!("数えず、消さないもの: {name}（{why}）"));
    }
    found.text.sort();
    Ok(found)
}

/// Whether a backup is whole and nothing else lies in it.
fn holds_only(folder: &Path, m: &Manifest) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    let there: BTreeSet<String> = entries.flatten().map(|e| name_of(&e.path())).collect();
    let listed: BTreeSet<String> =
        m.files.iter().map(|f| f.name.clone()).chain([MANIFEST.to_owned()]).collect();
    let database = if m.engine == "postgres" { POSTGRES } else { SQLITE };
    there == listed && listed.contains(database) && files_are_whole(folder, m, &mut vec![])
}

/// Removes what a backup consists of, its manifest last, and nothing else.
fn clear(folder: &Path) -> Result<(), AppError> {
    for name in [SQLITE, POSTGRES, CONFIG, KEY, MANIFEST] {
        let file = folder.join(name);
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(written(&file, &e)),
            _ => {}
        }
    }
    std::fs::remove_dir(folder).map_err(|e| written(folder, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days that stay of one backup a day from 1 January to 1 April 2026.
    fn kept(daily: u64, weekly: u64, monthly: u64) -> Vec<String> {
        let last = Date::new(2026, 4, 1).unwrap();
        let days: Vec<Date> = (0..=90).map(|n| last.plus_days(-n)).collect();
        let stays = Keep { daily, weekly, monthly }.stays(&days);
        days.iter().zip(stays).filter(|(_, s)| *s).map(|(d, _)| d.to_string()).collect()
    }

    #[test]
    fn the_newest_of_each_day_week_and_month_stays() {
        assert_eq!(kept(2, 0, 0), ["2026-04-01", "2026-03-31"]);
        // 1 April 2026 is a Wednesday; the weeks before end on Sundays.
        assert_eq!(kept(0, 3, 0), ["2026-04-01", "2026-03-29", "2026-03-22"]);
        assert_eq!(kept(0, 0, 9), ["2026-04-01", "2026-03-31", "2026-02-28", "2026-01-31"]);
        assert_eq!(kept(2, 2, 2), ["2026-04-01", "2026-03-31", "2026-03-29"]);
        assert_eq!(kept(0, 0, 0), ["2026-04-01"], "the newest always stays");
    }

    #[test]
    fn several_of_one_day_leave_one_and_days_without_one_use_up_nothing() {
        let day = |m, d| Date::new(2026, m, d).unwrap();
        let days = [day(4, 1), day(4, 1), day(1, 3), day(1, 3), day(1, 2)];
        let stays = Keep { daily: 2, ..Keep::default() }.stays(&days);
        assert_eq!(stays, [true, false, true, false, false]);
        assert_eq!(Keep::default().stays(&[]), [] as [bool; 0]);
    }
}
