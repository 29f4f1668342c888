//! `match_quality FILE PACK_FOLDER [PREFIX]`: precision and recall of matching on a text whose clause ids are those of the
//! pack, so that the right answer is known. `PREFIX` is put before the ids of the text (`B` for a basic policy whose clauses
//! the pack calls `B.…`).
//!
//! The file is matched as it is, and in perturbed copies that are written out, read again and matched: words replaced by
//! others of the same meaning, chapters and clauses reordered, clauses deleted and added, headings dropped, everything renumbered, also
//! as 条. The copies are the same in every run.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use sekisho_policy::matching::{Alignment, PROPOSE, Target, align};
use sekisho_policy::{Modality, PolicyText, parse};

/// Words and others for the same thing, as other cities use them.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("統括情報セキュリティ責任者", "統括責任者"),
    ("情報セキュリティ責任者", "部門責任者"),
    ("情報セキュリティ管理者", "課室情報責任者"),
    ("情報システム管理者", "システム主管課長"),
    ("職員等", "職員"),
    ("電磁的記録媒体", "記憶媒体"),
    ("許可", "承認"),
    ("速やかに", "遅滞なく"),
    ("持ち出", "搬出"),
    ("持出", "搬出"),
    ("しなければならない", "するものとする"),
    ("してはならない", "しないこと"),
    ("パスワード", "暗証番号"),
    ("端末", "パソコン等"),
    ("不正プログラム", "マルウェア"),
    ("無線LAN", "Wi-Fi"),
    ("委託事業者", "受託者"),
    ("外部サービス", "クラウドサービス"),
    ("適正", "適切"),
    ("廃棄", "処分"),
    ("確認", "点検"),
    ("措置", "対応"),
    ("報告", "連絡"),
    ("障害", "トラブル"),
    ("管理区域", "サーバ区画"),
    ("定期的に", "年1回以上"),
    ("遵守", "順守"),
    ("漏えい", "流出"),
    ("訓練", "演習"),
    ("研修", "教育"),
];

/// Clauses that the model has not: of other matters, and of information security.
const ADDED: &[&str] = &[
    "公用車の所有者は、毎年度末までに現況を台帳に記載し、翌年度の予算要求に反映させるものとする。",
    "公印の使用に当たっては、公印管守者の審査を受けて押印する。",
    "一般廃棄物の収集運搬は、許可業者に委託し、管理票を交付しなければならない。",
    "議員から資料要求があったときは、議会事務局を経由して回答する。",
    "時間外勤務は、所属長の命令によるものとし、勤務実績を記録する。",
    "施設の使用料は、納入通知書により、使用の日から14日以内に納付しなければならない。",
    "災害時には、市民会館を避難所として開設し、備蓄物資を配分する。",
    "工事の入札は、一般競争入札により行い、最低制限価格を設ける。",
    "生成AIに個人の氏名、住所その他の個人を特定できる事項を入力してはならない。",
    "防犯カメラの映像は、撮影の日から30日を経過したときに上書きする。",
    "窓口に置く案内用ロボットは、閉庁時に充電台へ戻し、通信を遮断する。",
    "無人航空機により撮影した画像は、飛行記録とともに3年間保管する。",
    "オープンデータとして提供するファイルは、機械で読み取りやすい形式で作成するよう努める。",
    "議場の傍聴席では、スマートウォッチの音を消さなければならない。",
    "電子署名に用いる証明書は、有効期限の60日前までに更新の申込みを行う。",
    "地理情報システムの地図は、5年ごとに航空写真により更新する。",
];

/// A number generator of our own, so that the copies are the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % n.max(1) as u64).unwrap_or(0)
    }

    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

/// A clause on its way into a copy.
#[derive(Clone, Debug)]
struct Piece {
    gold: Option<String>,
    depth: usize,
    heading: String,
    text: String,
}

/// What is done to a copy, in percent.
#[derive(Clone, Copy, Default)]
struct Change {
    words: usize,
    headings_dropped: usize,
    deleted: usize,
    added: usize,
    swapped: usize,
    reorder: bool,
    articles: bool,
    targets_removed: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(file), Some(folder)) = (arguments.first(), arguments.get(1)) else {
        return fail("match_quality FILE PACK_FOLDER [PREFIX]");
    };
    let prefix = arguments.get(2).map(String::as_str);
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(e) => return fail(&format!("{file}: {e}")),
    };
    let text = match parse(&bytes, Some(file)) {
        Ok(text) => text,
        Err(e) => return fail(&e.to_string()),
    };
    let targets = match targets(Path::new(folder)) {
        Ok(targets) if !targets.is_empty() => targets,
        Ok(_) => return fail("no clauses in the pack"),
        Err(e) => return fail(&e),
    };
    let known: HashSet<&str> = targets.iter().map(|t| t.id.as_str()).collect();
    let gold = |id: &str| {
        let id = match prefix {
            Some(p) => {
                let short: Vec<&str> = id.split('.').filter(|part| *part != "0").collect();
                format!("{p}.{}", short.join("."))
            }
            None => id.to_owned(),
        };
        known.contains(id.as_str()).then_some(id)
    };
    println!("{} clauses, {} targets, proposed from {PROPOSE}", text.nodes.len(), targets.len());
    println!("copy | clauses | with answer | best is right | right one among four | precision | recall");
    let of_node: HashMap<usize, String> =
        text.nodes.iter().enumerate().filter_map(|(i, n)| gold(&n.id).map(|g| (i, g))).collect();
    report("as it is", &text, &targets, &of_node);
    let heavy = Change {
        words: 100,
        headings_dropped: 50,
        deleted: 15,
        added: 10,
        swapped: 20,
        reorder: true,
        ..Change::default()
    };
    let copies = [
        ("renumbered as articles", Change { articles: true, ..Change::default() }),
        ("chapters reordered", Change { reorder: true, ..Change::default() }),
        ("half of the words replaced", Change { words: 50, headings_dropped: 20, ..Change::default() }),
        ("all changes", heavy),
        ("all changes, as articles", Change { articles: true, ..heavy }),
        ("all changes, no headings", Change { headings_dropped: 100, ..heavy }),
        ("all changes, a fifth of the model gone", Change { targets_removed: 20, ..heavy }),
        ("the same, as articles", Change { targets_removed: 20, articles: true, ..heavy }),
    ];
    for (name, change) in copies {
        let mut dice = Dice(20_261_125);
        let pieces = perturbed(&text, gold, change, &mut dice);
        let written = write(&pieces, change.articles);
        match parse(written.as_bytes(), None) {
            Ok(copy) => {
                let of_node = located(&copy, &pieces);
                report(name, &copy, &thinned(&targets, change.targets_removed, &mut dice), &of_node);
            }
            Err(e) => eprintln!("{name}: {e}"),
        }
    }
}

fn fail(message: &str) {
    eprintln!("{message}");
    std::process::exit(1)
}

/// The clauses of a pack, read without the pack's own reader: this crate does not know packs.
fn targets(folder: &Path) -> Result<Vec<Target>, String> {
    let folder = folder.join("clauses");
    let files = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<_> = files.filter_map(Result::ok).map(|f| f.path()).collect();
    names.sort();
    let mut out: Vec<Target> = Vec::new();
    for name in names.iter().filter(|n| n.extension().is_some_and(|e| e == "toml")) {
        let text = std::fs::read_to_string(name).map_err(|e| format!("{}: {e}", name.display()))?;
        let table: toml::Table = text.parse().map_err(|e| format!("{}: {e}", name.display()))?;
        for clause in table.get("clause").and_then(toml::Value::as_array).into_iter().flatten() {
            let get = |key: &str| clause.get(key).and_then(toml::Value::as_str).unwrap_or("").to_owned();
            let actors = clause.get("actor").and_then(toml::Value::as_array).into_iter().flatten();
            let id = get("id");
            let parent = std::iter::successors(id.rsplit_once('.'), |(head, _)| head.rsplit_once('.'))
                .find_map(|(head, _)| out.iter().position(|t| t.id == head));
            out.push(Target {
                parent,
                heading: get("title"),
                text: get("says"),
                actors: actors.filter_map(toml::Value::as_str).map(str::to_owned).collect(),
                modality: match get("modality").as_str() {
                    "must" => Modality::Must,
                    "must_not" => Modality::MustNot,
                    "may" => Modality::May,
                    "should" => Modality::Should,
                    _ => Modality::None,
                },
                id,
            });
        }
    }
    Ok(out)
}

/// The targets without some of those that have nothing below.
fn thinned(targets: &[Target], share: usize, dice: &mut Dice) -> Vec<Target> {
    let parents: HashSet<usize> = targets.iter().filter_map(|t| t.parent).collect();
    let mut place: Vec<Option<usize>> = Vec::with_capacity(targets.len());
    let mut out: Vec<Target> = Vec::new();
    for (i, target) in targets.iter().enumerate() {
        if !parents.contains(&i) && dice.percent(share) {
            place.push(None);
            continue;
        }
        place.push(Some(out.len()));
        let parent = target.parent.and_then(|p| place.get(p).copied().flatten());
        out.push(Target { parent, ..target.clone() });
    }
    out
}

/// The clauses of the text, changed.
fn perturbed(
    text: &PolicyText,
    gold: impl Fn(&str) -> Option<String>,
    change: Change,
    dice: &mut Dice,
) -> Vec<Piece> {
    let pairs: Vec<_> = OTHER_WORDS.iter().filter(|_| dice.percent(change.words)).collect();
    let other = |t: &str| pairs.iter().fold(t.to_owned(), |t, (from, to)| t.replace(from, to));
    let mut chapters: Vec<Vec<Piece>> = Vec::new();
    for (i, node) in text.nodes.iter().enumerate() {
        let depth = node.id.split('.').count();
        let leaf = !text.nodes.get(i + 1).is_some_and(|n| n.id.starts_with(&format!("{}.", node.id)));
        let drop = leaf && depth > 1 && dice.percent(change.deleted);
        let bare = !node.text.is_empty() && dice.percent(change.headings_dropped);
        let piece = Piece {
            gold: gold(&node.id),
            depth,
            heading: if bare { String::new() } else { other(&node.heading) },
            text: other(&node.text).replace(['\n', '\t'], ""),
        };
        if depth == 1 || chapters.is_empty() {
            chapters.push(Vec::new());
        }
        let Some(chapter) = chapters.last_mut() else { continue };
        if !drop {
            chapter.push(piece);
        }
        if leaf && depth > 2 && dice.percent(change.added) {
            let text = ADDED.get(dice.below(ADDED.len())).copied().unwrap_or("");
            chapter.push(Piece { gold: None, depth, heading: String::new(), text: text.to_owned() });
        }
    }
    for chapter in &mut chapters {
        for i in 0..chapter.len().saturating_sub(1) {
            let depth = |j: usize| chapter.get(j).map_or(0, |p| p.depth);
            let beside = depth(i) == depth(i + 1) && depth(i + 2) <= depth(i);
            if beside && dice.percent(change.swapped) {
                chapter.swap(i, i + 1);
            }
        }
    }
    if change.reorder {
        for i in (1..chapters.len()).rev() {
            chapters.swap(i, dice.below(i + 1));
        }
    }
    chapters.into_iter().flatten().collect()
}

/// The text of a copy, numbered anew.
fn write(pieces: &[Piece], articles: bool) -> String {
    const KANA: &str = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモ";
    let mut out = String::from("何々市情報セキュリティ対策基準\n\n");
    let mut counts = [0usize; 8];
    for piece in pieces {
        let depth = piece.depth.min(6);
        for (level, count) in counts.iter_mut().enumerate() {
            if level == depth {
                *count += 1;
            } else if level > depth && !(articles && level == 3) {
                *count = 0;
            }
        }
        let n = counts.get(depth).copied().unwrap_or(0);
        let kana = KANA.chars().nth(n.saturating_sub(1)).unwrap_or('ン');
        let circled = u32::try_from(n)
            .ok()
            .and_then(|n| char::from_u32(if n <= 20 { 0x245F + n } else { 0x323C + n }))
            .unwrap_or('・');
        let label = match (depth, articles) {
            (1, _) => format!("第{n}章"),
            (2, _) => format!("第{n}節"),
            (3, true) => format!("第{n}条"),
            (3, false) | (4, true) => format!("({n})"),
            (4, false) => circled.to_string(),
            (5, true) => kana.to_string(),
            (5, false) | (6, true) => format!("({kana})"),
            _ => "・".to_owned(),
        };
        let Piece { heading, text, .. } = piece;
        let _ = match (depth == 3 && articles, heading.is_empty(), text.is_empty()) {
            (true, false, _) => writeln!(out, "（{heading}）\n{label}　{text}\n"),
            (_, false, false) => writeln!(out, "{label}　{heading}\n\n{text}\n"),
            _ => writeln!(out, "{label}　{heading}{text}\n"),
        };
    }
    out
}

/// The right answer for each node of a copy: that of the piece with the same words, in the order of both.
fn located(copy: &PolicyText, pieces: &[Piece]) -> HashMap<usize, String> {
    let plain = |s: &str| -> String { s.chars().filter(|c| !c.is_whitespace()).collect() };
    let mut out = HashMap::new();
    let mut from = 0;
    for (i, node) in copy.nodes.iter().enumerate() {
        let words = plain(&format!("{}{}", node.heading, node.text));
        let rest = pieces.iter().enumerate().skip(from).take(40);
        let found = rest.into_iter().find(|(_, p)| {
            let (heading, text) = (plain(&p.heading), plain(&p.text));
            words == format!("{heading}{text}")
                || (!text.is_empty() && words == text)
                || (words == heading && !words.is_empty())
        });
        let Some((at, piece)) = found else { continue };
        // An article and its only paragraph are two nodes of one piece.
        from = at;
        if let Some(gold) = &piece.gold {
            out.insert(i, gold.clone());
        }
    }
    out
}

fn report(name: &str, text: &PolicyText, targets: &[Target], gold: &HashMap<usize, String>) {
    let Alignment { rows, .. } = match align(text, targets) {
        Ok(found) => found,
        Err(e) => return eprintln!("{name}: {e}"),
    };
    let id = |j: usize| targets.get(j).map(|t| t.id.as_str());
    let known: HashSet<&str> = targets.iter().map(|t| t.id.as_str()).collect();
    let (mut answered, mut best, mut among, mut proposed, mut right) =
        (0usize, 0usize, 0usize, 0usize, 0usize);
    for row in &rows {
        let answer = gold
            .get(&row.node)
            .or_else(|| gold.get(&row.text_of))
            .map(String::as_str)
            .filter(|g| known.contains(g));
        let hit = |j: usize| answer.is_some() && id(j) == answer;
        answered += usize::from(answer.is_some());
        best += usize::from(row.candidates.first().is_some_and(|c| hit(c.target)));
        among += usize::from(row.candidates.iter().any(|c| hit(c.target)));
        if let Some(c) = row.proposed() {
            proposed += 1;
            right += usize::from(hit(c.target));
        }
    }
    let share = |part: usize, of: usize| format!("{:.1} %", part as f64 * 100.0 / of.max(1) as f64);
    println!(
        "{name} | {} | {answered} | {} | {} | {} | {}",
        rows.len(),
        share(best, answered),
        share(among, answered),
        share(right, proposed),
        share(right, answered),
    );
}
