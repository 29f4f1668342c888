//! Must, must not, may, should: read from how a sentence ends.

use std::sync::LazyLock;

use super::buckets::{Buckets, plain};
use crate::model::Modality;

const MUST_NOT: &[&str] = &[
    "てはならない",
    "ではならない",
    "てはならないものとする",
    "てはいけない",
    "てはならず",
    "を禁止する",
    "禁止するものとする",
    "禁止とする",
    "は禁止する",
    "禁止しなければならない",
    "禁止すること",
    "禁ずる",
    "禁じる",
    "の禁止",
    "の原則禁止",
    "は禁止",
    "ないこと",
    "ないものとする",
    "ことができない",
    "ことはできない",
    "できないものとする",
    "認めない",
];
const MAY: &[&str] = &[
    "ことができる",
    "できる",
    "できるものとする",
    "てもよい",
    "てよい",
    "差し支えない",
    "この限りでない",
    "この限りではない",
    "この限りでないものとする",
    "妨げない",
    "妨げるものではない",
    "可能とする",
    "ことを認める",
];
const MUST: &[&str] = &[
    "なければならない",
    "ねばならない",
    "なくてはならない",
    "なければならないものとする",
    "ものとする",
    "こと",
    "必要がある",
    "を要する",
    "必要とする",
    "義務を負う",
    "義務がある",
    "義務付ける",
    "責任を負う",
    "せよ",
];
/// Ends that define, name, or say where something is laid down.
const NONE: &[&str] = &[
    "をいう",
    "という",
    "をいうものとする",
    "いうものとする",
    "含むものとする",
    "みなす",
    "みなすものとする",
    "含む",
    "である",
    "有する",
    "による",
    "よるものとする",
    "おりとする",
    "おりである",
    "施行する",
    "適用する",
    "廃止する",
    "別に定める",
    "存在する",
    "認められる",
    "従うものとする",
    "含まれない",
    "含まない",
];
/// Plain verbs of what a body does, also where nobody is named.
const DONE: &[&str] = &[
    "講じる",
    "講ずる",
    "実施する",
    "策定する",
    "整備する",
    "設置する",
    "確立する",
    "報告する",
    "行う",
    "定める",
    "見直す",
    "図る",
    "置く",
    "設ける",
    "確認する",
    "管理する",
    "分類する",
    "周知する",
    "公表する",
    "決定する",
    "保管する",
    "保存する",
    "記録する",
    "遵守する",
    "防ぐ",
    "分割する",
];

/// What an ending says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    MustNot,
    May,
    Must,
    None,
    Done,
}

static ENDINGS: LazyLock<Buckets<Ending>> = LazyLock::new(|| {
    let lists = [
        (MUST_NOT, Ending::MustNot),
        (MAY, Ending::May),
        (MUST, Ending::Must),
        (NONE, Ending::None),
        (DONE, Ending::Done),
    ];
    Buckets::by_end(lists.into_iter().flat_map(|(list, ending)| list.iter().map(move |word| (*word, ending))))
});

/// Looked for anywhere near the end.
static SHOULD: LazyLock<Buckets<()>> = LazyLock::new(|| {
    Buckets::by_start(plain(&["努め", "望ましい", "推奨", "べきである", "心掛け", "心がけ"]))
});

/// The modality of a sentence without brackets and without its final 。.
pub(super) fn modality(plain: &str, has_actor: bool) -> Modality {
    let text = plain.trim_end_matches(['。', ' ', '\u{3000}']);
    let endings: Vec<Ending> = ENDINGS.at_end(text).map(|(_, ending)| ending).collect();
    let ends = |ending: Ending| endings.contains(&ending);
    let tail = text.char_indices().rev().nth(15).and_then(|(i, _)| text.get(i..)).unwrap_or(text);
    if ends(Ending::MustNot) && !text.ends_with("ないようにすること") {
        return Modality::MustNot;
    }
    let should = |(i, c)| SHOULD.at_start(c, tail.get(i..).unwrap_or("")).next().is_some();
    if tail.char_indices().any(should) {
        return Modality::Should;
    }
    if ends(Ending::May) {
        return Modality::May;
    }
    if ends(Ending::None) {
        return Modality::None;
    }
    if ends(Ending::Must) {
        return Modality::Must;
    }
    // 「…を情報セキュリティ責任者とする」 names; 「複写しない」 in a list forbids.
    if text.ends_with("とする") {
        return Modality::None;
    }
    if text.ends_with("しない") || text.ends_with("行わない") || text.ends_with("用いない") {
        return Modality::MustNot;
    }
    let verb = text
        .chars()
        .next_back()
        .is_some_and(|c| matches!(c, 'る' | 'う' | 'す' | 'く' | 'つ' | 'ぶ' | 'む' | 'ぐ'));
    if ends(Ending::Done) || (has_actor && verb) { Modality::Must } else { Modality::None }
}

/// The modality of a member of a list: 「次の行為をしてはならない」 makes 「複製すること」 a prohibition, and
/// 「次の事項を定めなければならない」 makes 「関係者の連絡先」 a duty.
pub(super) fn in_list(own: Modality, list: Modality, plain: &str) -> Modality {
    let fragment = own == Modality::None
        && !plain.ends_with(['る', 'う', 'す', 'く', 'つ', 'ぶ', 'む', 'い'])
        && !["とき", "場合", "もの", "者", "である"].iter().any(|e| plain.ends_with(e));
    match list {
        Modality::MustNot | Modality::May | Modality::Should
            if fragment || (own == Modality::Must && plain.ends_with("こと")) =>
        {
            list
        }
        Modality::Must if fragment => list,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_lists() {
        use Modality::{Must, MustNot, None};
        assert_eq!(in_list(Must, MustNot, "無断で複製すること"), MustNot);
        assert_eq!(in_list(MustNot, Must, "外部へ送らないこと"), MustNot);
        assert_eq!(in_list(None, Must, "関係者の連絡先"), Must);
        assert_eq!(in_list(None, Must, "紛失したとき"), None);
        assert_eq!(in_list(None, None, "関係者の連絡先"), None);
    }

    #[test]
    fn ends_of_sentences() {
        for (text, want) in [
            ("職員等は、報告しなければならない", Modality::Must),
            ("点検を行うものとする", Modality::Must),
            ("手順を整備すること", Modality::Must),
            ("持ち出しを行ってはならない", Modality::MustNot),
            ("外部に送信しないこと", Modality::MustNot),
            ("無断の複製の禁止", Modality::MustNot),
            ("漏えいしないようにしなければならない", Modality::Must),
            ("許可を得て利用することができる", Modality::May),
            ("利用できるものとする", Modality::May),
            ("ただし、許可した場合はこの限りでない", Modality::May),
            ("啓発に努めなければならない", Modality::Should),
            ("専用端末を置くことが望ましい", Modality::Should),
            ("情報を記録する媒体をいう", Modality::None),
            ("副市長を最高情報セキュリティ責任者とする", Modality::None),
            ("必要な事項は、別に定める", Modality::None),
            ("定期的に点検を実施する", Modality::Must),
            ("端末に情報を複写しない", Modality::MustNot),
            ("関係者の連絡先", Modality::None),
        ] {
            assert_eq!(modality(text, false), want, "{text}");
        }
        assert_eq!(modality("委員会は、監査人を選ぶ", true), Modality::Must);
    }
}
