//! Old backups: which of them go, which never do, and who says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sekisho_app::backup::prune::{Keep, Pruned, prune};
use sekisho_app::backup::{self, Extras, Manifest};
use sekisho_app::sequencer;
use sekisho_base::Date;
use sekisho_base::clock::{ManualClock, SystemClock};
use sekisho_base::entropy::OsEntropy;
use sekisho_base::{Clock as _, Instant};

use crate::city::{ADMIN, City, TODAY, at, print_program};
use crate::operation::{Room, database};

const PRUNES: &str = "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'backup.prune'";

/// The folder for backups of a city that has signed something.
async fn folder(city: &City) -> Room {
    sequencer::drain(&city.office).await.unwrap();
    Room::beside(city, "backups")
}

async fn taken(city: &City, below: &Path, at: Instant) -> PathBuf {
    let (clock, none) = (ManualClock::new(at), Extras::default());
    backup::take(&database(city), below, &none, &clock, &OsEntropy).await.unwrap().folder
}

fn names(below: &Path) -> BTreeSet<String> {
    let name = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
    below.read_dir().unwrap().map(name).collect()
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

async fn pruned(city: &City, below: &Path, keep: Keep, dry: bool) -> Pruned {
    prune(&database(city), below, keep, dry, city.clock.as_ref()).await.unwrap()
}

fn rewrite(folder: &Path, change: impl Fn(Manifest) -> Manifest) {
    let file = folder.join("manifest.json");
    let manifest = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    std::fs::write(&file, serde_json::to_string(&change(manifest)).unwrap()).unwrap();
}

#[tokio::test]
async fn the_last_of_each_day_week_and_month_stays_and_the_rest_goes_with_a_record() {
    let city = City::settled().await;
    let below = folder(&city).await;
    let below = below.0.as_path();
    // 25 November 2026, today, is a Wednesday.
    let days =
        ["2026-11-25", "2026-11-24", "2026-11-23", "2026-11-22", "2026-11-15", "2026-10-31", "2026-10-30"];
    let mut all = Vec::new();
    for day in days {
        all.push(taken(&city, below, at(day, 2)).await);
    }
    let earlier_today = taken(&city, below, at(TODAY, 1)).await;
    let keep = Keep { daily: 2, weekly: 2, monthly: 2 };
    let stays = [0, 1, 3, 5].map(|n: usize| name(&all[n]));
    let goes = BTreeSet::from([name(&all[2]), name(&all[4]), name(&all[6]), name(&earlier_today)]);

    let before = names(below);
    let dry = pruned(&city, below, keep, true).await;
    assert_eq!((dry.gone.iter().cloned().collect(), dry.kept), (goes.clone(), 4));
    assert_eq!((names(below), city.count(PRUNES).await), (before, 0), "nothing is gone and nothing told");

    let done = pruned(&city, below, keep, false).await;
    assert_eq!((done.gone.iter().cloned().collect::<BTreeSet<_>>(), done.kept), (goes.clone(), 4));
    assert_eq!(names(below), BTreeSet::from(stays));
    for gone in &goes {
        let told =
            "SELECT COUNT(*) FROM ledger_entry WHERE kind = 'backup.prune' AND payload LIKE '%' || $1 || '%'";
        assert_eq!(city.count_of(told, gone).await, 1, "{gone}");
        assert!(done.text.iter().any(|l| l.contains(gone)), "{:?}", done.text);
    }
    // Once more: nothing to do, nothing to tell.
    assert_eq!(pruned(&city, below, keep, false).await.gone, [] as [&str; 0]);
    assert_eq!(city.count(PRUNES).await, 1);

    // Months later without a new one: what is there stays.
    city.clock.set(at("2027-06-01", 10));
    assert_eq!(pruned(&city, below, keep, false).await.kept, 4);
    // The page of the ledger says what it was.
    city.clock.set(at(TODAY, 11));
    sequencer::drain(&city.office).await.unwrap();
    let page = city.browser(ADMIN).await.get("/ledger").await;
    assert!(page.text.contains("古いバックアップの削除"), "{}", page.text);
}

#[tokio::test]
async fn what_is_broken_or_of_others_neither_counts_nor_goes_and_the_newest_good_one_stays() {
    let city = City::settled().await;
    let below = folder(&city).await;
    let below = below.0.as_path();
    let mut all = Vec::new();
    for n in 1..=9 {
        all.push(taken(&city, below, at(&format!("2026-11-{:02}", 10 + n), 2)).await);
    }
    let [old, good, longer, shorter, more, foreign, aside, linked, newest] = &all[..] else { panic!() };
    let database = |f: &Path| f.join("sekisho.db");
    // One byte changed, cut short, a file more, of another body, renamed by somebody, a link to one elsewhere.
    let mut bytes = std::fs::read(database(newest)).unwrap();
    bytes[5_000] ^= 1;
    std::fs::write(database(newest), &bytes).unwrap();
    std::fs::write(database(shorter), &bytes[..4_096]).unwrap();
    std::fs::write(more.join("memo.txt"), "残す").unwrap();
    rewrite(foreign, |m| Manifest { vkey: "other+1+x".to_owned(), ..m });
    std::fs::rename(aside, below.join("sekisho-移行前")).unwrap();
    let elsewhere = Room::beside(&city, "elsewhere");
    std::fs::rename(linked, elsewhere.0.join("x")).unwrap();
    std::os::unix::fs::symlink(elsewhere.0.join("x"), linked).unwrap();
    std::fs::remove_file(database(longer)).unwrap();
    // Not finished, from the future, and what is no backup at all.
    std::fs::create_dir(below.join("sekisho-20261101T000000.unfinished")).unwrap();
    let ahead = taken(&city, below, at("2026-12-24", 2)).await;
    std::fs::create_dir(below.join("書類")).unwrap();
    std::fs::write(below.join("sekisho-memo"), "x").unwrap();

    let before = names(below);
    let done = pruned(&city, below, Keep { daily: 1, ..Keep::default() }, false).await;
    assert_eq!((done.gone, done.kept), (vec![name(old)], 1));
    let mut left = before;
    left.remove(&name(old));
    assert_eq!(names(below), left, "only what is old and whole went");
    assert!(database(good).is_file() && database(newest).is_file());
    for f in [longer, shorter, more, foreign, newest, &ahead, &below.join("sekisho-移行前")] {
        assert!(done.text.iter().any(|l| l.contains(&name(f)) && l.contains("消さない")), "{:?}", done.text);
    }
    // A removal that was cut off is finished, whatever was lost of it already.
    let cut = below.join(format!("{}.leaving", name(shorter)));
    std::fs::rename(shorter, &cut).unwrap();
    let done = pruned(&city, below, Keep { daily: 1, ..Keep::default() }, false).await;
    assert_eq!((done.gone, cut.exists()), (vec![name(shorter)], false));
    // Where only the last good one is left it stays, whatever the rule.
    assert_eq!(pruned(&city, below, Keep::default(), false).await.kept, 1);
    assert!(database(good).is_file());
}

fn sekisho(words: &[&str]) -> Output {
    Command::new(print_program()).args(words).env_remove("SEKISHO_CONFIG").output().unwrap()
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&[&done.stdout[..], &done.stderr].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daily_backup_removes_old_ones_only_where_the_settings_say_so() {
    let city = City::settled().await;
    let below = folder(&city).await;
    let (today, data) = (SystemClock.now().date(), city.data().to_str().unwrap());
    let mut old = Vec::new();
    for days in [1, 2, 40] {
        let day: Date = today.plus_days(-days);
        old.push(name(&taken(&city, below.0.as_path(), Instant::start_of(day)).await));
    }
    let config = city.data().join("sekisho.toml");
    let file = config.to_str().unwrap();
    let write = |keep: &str| {
        let backups = below.0.as_path().to_str().unwrap();
        let text = format!(
            "[data]\nfolder = {data:?}\n[key]\nfile = \"city.key\"\n[backup]\nfolder = {backups:?}\n{keep}"
        );
        std::fs::write(&config, text).unwrap();
    };
    write("");
    let done = sekisho(&["backup", "--config", file]);
    assert!(done.status.success() && names(below.0.as_path()).len() == 4, "{}", said(&done));
    let done = sekisho(&["backup", "prune", "--config", file]);
    assert!(!done.status.success() && said(&done).contains("keep_daily"), "{}", said(&done));

    write("keep_daily = 2\n");
    let done = sekisho(&["backup", "prune", "--dry-run", "--config", file]);
    assert!(
        done.status.success() && said(&done).contains(&format!("消えるもの: {}", old[1])),
        "{}",
        said(&done)
    );
    assert_eq!(names(below.0.as_path()).len(), 4);
    // A place that the operator names is the operator's.
    let elsewhere = city.data().join("elsewhere");
    let done = sekisho(&["backup", elsewhere.to_str().unwrap(), "--config", file]);
    assert!(done.status.success() && names(below.0.as_path()).len() == 4, "{}", said(&done));

    let done = sekisho(&["backup", "--config", file]);
    assert!(done.status.success(), "{}", said(&done));
    let left = names(below.0.as_path());
    assert!(left.contains(&old[0]) && left.len() == 2, "{left:?}: {}", said(&done));
    assert!(said(&done).contains(&format!("消したもの: {}", old[2])), "{}", said(&done));
    // One of today was there already: the later one stays.
    assert_eq!(city.count(PRUNES).await, 1);
    let done = sekisho(&["doctor", "--json", "--config", file]);
    assert!(said(&done).contains("全部で 2個あり") && said(&done).contains("2日分"), "{}", said(&done));
}
