//! Why and where to people of a section take things.

/// Purpose, destination, whether somebody goes there again and again (包括許可).
pub(super) type Occasion = (&'static str, &'static str, bool);

/// What happens in every department.
const EVERYWHERE: &[Occasion] = &[
    ("県主催の担当者説明会に出席するため", "県庁 会議室", false),
    ("近隣市との担当者会議で資料を説明するため", "隣接市役所", false),
    ("総合防災訓練で本部資料を使うため", "汐見野中央公園", false),
    ("支所で行う出張窓口で使うため", "磯辺支所", true),
    ("県への報告資料について協議するため", "県合同庁舎", false),
    ("研修会で事例を発表するため", "県自治研修所", false),
    ("住民説明会で資料を映すため", "山根公民館", false),
    ("委託先との打合せで仕様を確認するため", "委託先の事業所", false),
];

/// What happens in one department, or below an organ (empty name).
#[rustfmt::skip]
const OF_DEPARTMENT: &[(&str, &[Occasion])] = &[
    ("企画政策部", &[
        ("総合計画の地区懇談会で説明するため", "北浜公民館", false), ("システムの更新について業者の検証環境で確認するため", "保守業者の検証施設", false),
        ("市政取材で記録を撮るため", "市内各所", true), ("県の共同利用システム部会に出席するため", "県庁 情報政策担当課", false),
    ]),
    ("総務部", &[
        ("家屋の評価調査を行うため", "調査対象の家屋", true), ("確定申告の出張受付を行うため", "駅前サービスセンター", true),
        ("滞納者宅の訪問と財産調査を行うため", "市内の対象世帯", true), ("税務署との引継ぎを行うため", "税務署", false),
        ("職員採用試験を会場で行うため", "市民会館", false), ("訴訟の打合せを行うため", "顧問弁護士事務所", false),
    ]),
    ("市民部", &[
        ("マイナンバーカードの出張申請受付を行うため", "商業施設の特設会場", true), ("国保の出張相談を行うため", "山根支所", true),
        ("自治会長会議で説明するため", "市民会館", false), ("消費生活の出前講座を行うため", "市内の高齢者施設", false),
    ]),
    ("福祉部", &[
        ("要介護認定の訪問調査を行うため", "調査対象者の自宅及び施設", true), ("生活保護世帯を訪問するため", "市内の対象世帯", true),
        ("障害支援区分の認定調査を行うため", "調査対象者の自宅", false), ("認定審査会を医師会館で開くため", "医師会館", false),
        ("介護保険施設の実地指導を行うため", "市内の介護保険施設", false), ("集団健診の会場で受付を行うため", "磯辺公民館", false),
        ("地域ケア会議で事例を検討するため", "地域包括支援センター", false), ("入院中の対象者と面接するため", "市民病院", false),
    ]),
    ("こども部", &[
        ("乳幼児の家庭を訪問するため", "市内の対象家庭", true), ("要保護児童の支援会議に出席するため", "児童相談所", false),
        ("保育所の指導監査を行うため", "市内の私立保育所", false), ("巡回発達相談を行うため", "市内の保育所", true),
        ("児童手当の現況確認を行うため", "市内の対象家庭", false),
    ]),
    ("環境経済部", &[
        ("水質の測定地点で記録するため", "汐見川の測定地点", true), ("農地の現地調査を行うため", "市内の農地", true),
        ("企業訪問で融資制度を説明するため", "市内の事業所", false), ("不法投棄の現場を確認するため", "山根地区の林道", false),
    ]),
    ("都市建設部", &[
        ("道路の境界立会いを行うため", "立会い現場", true), ("工事の中間検査を行うため", "工事現場", false),
        ("橋りょうの定期点検を行うため", "市内の橋りょう", true), ("用地交渉を行うため", "地権者の自宅", false),
        ("建築物の完了検査を行うため", "検査対象の建築物", false),
    ]),
    ("上下水道局", &[
        ("漏水の調査を行うため", "市内の配水管路", true), ("水道料金の訪問徴収を行うため", "市内の対象世帯", true),
        ("配水管工事の立会いを行うため", "工事現場", false), ("水質検査の結果を協議するため", "県企業局", false),
    ]),
    ("教育委員会事務局", &[
        ("学校訪問で指導資料を使うため", "市立小中学校", true), ("就学相談を行うため", "市立小学校", false),
        ("遺跡の発掘現場で記録するため", "発掘調査現場", true), ("公民館の講座で使うため", "磯辺公民館", false),
        ("移動図書館で貸出しを受け付けるため", "市内の巡回地点", true),
    ]),
    ("", &[
        ("定期監査の現地調査を行うため", "市内の施設", false), ("期日前投票所で使うため", "商業施設の期日前投票所", false),
        ("農地パトロールを行うため", "市内の農地", true), ("議員研修会で使うため", "県市議会議長会", false),
    ]),
];

/// Occasions of a section: those of its department, and with less weight those of every department.
pub(super) fn of(section: &str, department: &str) -> Vec<Occasion> {
    if section == super::super::organization::chart::DEMO_SECTION {
        let own = OF_DEPARTMENT.iter().find(|(d, _)| *d == department).map(|(_, o)| *o).unwrap_or_default();
        return own
            .iter()
            .copied()
            .filter(|o| o.0.contains("介護") || o.0.contains("認定審査会"))
            .chain(EVERYWHERE.iter().copied().take(2))
            .collect();
    }
    let own = OF_DEPARTMENT.iter().find(|(d, _)| *d == department).map(|(_, o)| *o).unwrap_or_default();
    own.iter().chain(own).chain(EVERYWHERE).copied().collect()
}
