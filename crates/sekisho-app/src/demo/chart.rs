//! The organization chart of the demo city: 9 departments, 62 sections, their 係 and branch offices, and how many people
//! work in each.

/// What most people of a section are by profession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Track {
    /// 事務.
    Clerk,
    /// 技術.
    Engineer,
    /// 保健.
    Health,
    /// 保育.
    Nursery,
    /// 福祉.
    Welfare,
    /// 学校給食.
    Kitchen,
    /// 図書館.
    Library,
}

impl Track {
    /// 職名 of an ordinary member.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Clerk => "主事",
            Self::Engineer => "技師",
            Self::Health => "保健師",
            Self::Nursery => "保育士",
            Self::Welfare => "社会福祉士",
            Self::Kitchen => "栄養士",
            Self::Library => "司書",
        }
    }
}

/// A section (課室) or an organ's secretariat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section {
    /// Last two digits within the department.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// People, head and fixed-term employees included.
    pub staff: usize,
    /// Profession of about half of them.
    pub track: Track,
    /// 係.
    pub teams: &'static [&'static str],
    /// Branch offices: name, title of the head.
    pub branches: &'static [(&'static str, &'static str)],
}

/// A department (部局), or what stands in its place above a secretariat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Department {
    /// First two digits of all its codes.
    pub code: &'static str,
    /// Name; empty where sections stand directly below an organ or the body.
    pub name: &'static str,
    /// Organ above it, or empty.
    pub organ: &'static str,
    /// Title of the head.
    pub head: &'static str,
    /// Title of the second.
    pub second: &'static str,
    /// Sections.
    pub sections: &'static [Section],
}

/// Name of the city. No municipality of Japan has it.
pub(crate) const CITY: &str = "汐見野市";
/// Code of the city's own unit.
pub(crate) const BODY: &str = "000000";

/// Section in which the clerk of the demo works.
pub(crate) const DEMO_SECTION: &str = "介護保険課";
/// Section of the other manager of the demo.
pub(crate) const OTHER_SECTION: &str = "市民税課";
/// Section whose head's post is vacant.
pub(crate) const VACANT_SECTION: &str = "観光交流課";
/// Secretariat headed by the head of [`HEADS_TWO`].
pub(crate) const SECOND_SECTION: &str = "選挙管理委員会事務局";
/// Section whose head also heads [`SECOND_SECTION`].
pub(crate) const HEADS_TWO: &str = "総務課";
/// Section that runs the systems.
pub(crate) const INFORMATION_SECTION: &str = "情報政策課";
/// Section of the auditors.
pub(crate) const AUDIT_SECTION: &str = "監査委員事務局";

const fn s(
    code: &'static str,
    name: &'static str,
    staff: usize,
    track: Track,
    teams: &'static [&'static str],
) -> Section {
    Section { code, name, staff, track, teams, branches: &[] }
}

const fn b(
    code: &'static str,
    name: &'static str,
    staff: usize,
    track: Track,
    teams: &'static [&'static str],
    branches: &'static [(&'static str, &'static str)],
) -> Section {
    Section { code, name, staff, track, teams, branches }
}

const fn d(
    code: &'static str,
    name: &'static str,
    organ: &'static str,
    head: &'static str,
    second: &'static str,
    sections: &'static [Section],
) -> Department {
    Department { code, name, organ, head, second, sections }
}

use Track::{Clerk, Engineer, Health, Kitchen, Library, Nursery, Welfare};

/// The whole city, in the order of its 行政組織規則.
#[rustfmt::skip]
pub(crate) const CHART: &[Department] = &[
    d("01", "企画政策部", "", "情報政策担当部長", "次長", &[
        s("01", "企画調整課", 14, Clerk, &["企画係", "調整係", "統計係"]),
        s("02", "秘書課", 8, Clerk, &["秘書係"]),
        s("03", "広報広聴課", 11, Clerk, &["広報係", "広聴係"]),
        s("04", "情報政策課", 15, Clerk, &["情報企画係", "システム管理係", "デジタル推進係"]),
        s("05", "行政経営課", 10, Clerk, &["行政改革係", "評価係"]),
        s("06", "公共施設マネジメント課", 9, Engineer, &["計画係", "保全係"]),
    ]),
    d("02", "総務部", "", "部長", "次長", &[
        s("01", "総務課", 18, Clerk, &["総務係", "法務文書係", "統制係"]),
        s("02", "人事課", 18, Clerk, &["人事係", "給与係", "研修厚生係"]),
        s("03", "財政課", 13, Clerk, &["予算第一係", "予算第二係", "財務係"]),
        s("04", "契約検査課", 12, Clerk, &["契約係", "検査係"]),
        s("05", "管財課", 15, Clerk, &["財産管理係", "庁舎管理係", "車両係"]),
        s("06", "市民税課", 27, Clerk, &["個人住民税第一係", "個人住民税第二係", "法人諸税係"]),
        s("07", "資産税課", 28, Clerk, &["土地係", "家屋係", "償却資産係"]),
        s("08", "収納課", 26, Clerk, &["収納管理係", "納税第一係", "納税第二係"]),
        s("09", "危機管理課", 13, Clerk, &["危機管理係", "防災係"]),
    ]),
    d("03", "市民部", "", "部長", "次長", &[
        b("01", "市民課", 48, Clerk, &["窓口係", "戸籍係", "住民記録係", "マイナンバーカード係"], &[("北浜出張所", "出張所長"), ("駅前サービスセンター", "所長")]),
        s("02", "市民生活課", 14, Clerk, &["消費生活係", "交通防犯係"]),
        s("03", "保険年金課", 38, Clerk, &["国保給付係", "国保資格係", "後期高齢者医療係", "年金係"]),
        s("04", "人権男女共同参画課", 9, Clerk, &["人権推進係", "男女共同参画係"]),
        b("05", "地域振興課", 24, Clerk, &["地域づくり係", "自治振興係"], &[("磯辺支所", "支所長"), ("山根支所", "支所長")]),
        s("06", "文化スポーツ課", 14, Clerk, &["文化係", "スポーツ係"]),
    ]),
    d("04", "福祉部", "", "部長", "次長", &[
        s("01", "福祉総務課", 18, Clerk, &["総務係", "地域福祉係", "指導監査係"]),
        s("02", "生活支援課", 34, Welfare, &["庶務係", "保護第一係", "保護第二係", "自立支援係"]),
        s("03", "障がい福祉課", 24, Welfare, &["給付係", "相談支援係", "手帳医療係"]),
        s("04", "高齢者福祉課", 20, Clerk, &["いきがい係", "在宅支援係"]),
        s("05", "介護保険課", 32, Clerk, &["保険料係", "給付係", "認定調査係"]),
        b("06", "健康増進課", 34, Health, &["健康企画係", "成人保健係", "予防係"], &[("保健センター", "所長")]),
        s("07", "地域包括ケア推進課", 15, Health, &["包括支援係", "医療連携係"]),
    ]),
    d("05", "こども部", "", "部長", "次長", &[
        s("01", "こども政策課", 12, Clerk, &["政策係", "青少年係"]),
        s("02", "子育て支援課", 24, Clerk, &["手当係", "医療費係", "ひとり親支援係"]),
        b("03", "保育課", 72, Nursery, &["入所係", "施設指導係"], &[("汐見野保育園", "園長"), ("北浜保育園", "園長"), ("山根保育園", "園長")]),
        s("04", "こども家庭センター", 20, Welfare, &["相談係", "児童支援係"]),
        s("05", "母子保健課", 22, Health, &["母子保健係", "発達支援係"]),
    ]),
    d("06", "環境経済部", "", "部長", "次長", &[
        s("01", "環境政策課", 14, Clerk, &["環境企画係", "環境保全係"]),
        b("02", "資源循環課", 26, Clerk, &["減量推進係", "収集係"], &[("クリーンセンター", "所長")]),
        s("03", "商工労政課", 14, Clerk, &["商工振興係", "労政係"]),
        s("04", "観光交流課", 12, Clerk, &["観光係", "交流係"]),
        s("05", "農林水産課", 18, Engineer, &["農政係", "農村整備係", "水産林務係"]),
    ]),
    d("07", "都市建設部", "", "部長", "次長", &[
        s("01", "都市計画課", 18, Engineer, &["計画係", "開発指導係", "交通政策係"]),
        s("02", "建築指導課", 14, Engineer, &["審査係", "指導係"]),
        s("03", "建築住宅課", 18, Engineer, &["営繕係", "住宅管理係", "空家対策係"]),
        s("04", "土木管理課", 18, Engineer, &["管理係", "占用係", "地籍係"]),
        s("05", "道路河川課", 24, Engineer, &["道路建設係", "維持係", "河川係"]),
        s("06", "公園緑地課", 15, Engineer, &["公園係", "緑化係"]),
        s("07", "市街地整備課", 13, Engineer, &["区画整理係", "再開発係"]),
    ]),
    d("08", "上下水道局", "", "局長", "次長", &[
        s("01", "経営総務課", 12, Clerk, &["総務係", "経営係"]),
        s("02", "料金課", 14, Clerk, &["料金係", "給水装置係"]),
        s("03", "水道整備課", 20, Engineer, &["工務係", "配水係", "漏水対策係"]),
        s("04", "下水道整備課", 18, Engineer, &["建設係", "維持係"]),
        b("05", "浄水課", 18, Engineer, &["浄水係", "水質係"], &[("山根浄水場", "場長")]),
    ]),
    d("09", "教育委員会事務局", "教育委員会", "教育部長", "教育次長", &[
        s("01", "教育総務課", 14, Clerk, &["総務係", "企画係"]),
        s("02", "学校教育課", 26, Clerk, &["学務係", "指導係", "教職員係"]),
        s("03", "学校施設課", 11, Engineer, &["計画係", "整備係"]),
        b("04", "学校給食課", 28, Kitchen, &["給食係", "食育係"], &[("給食センター", "所長")]),
        b("05", "生涯学習課", 20, Clerk, &["学習推進係", "社会教育係"], &[("中央公民館", "館長"), ("磯辺公民館", "館長")]),
        s("06", "文化財課", 11, Clerk, &["保護係", "博物館準備係"]),
        b("07", "中央図書館", 22, Library, &["管理係", "奉仕係"], &[("磯辺分館", "分館長")]),
    ]),
    d("90", "", "", "", "", &[s("01", "会計課", 11, Clerk, &["出納係", "審査係"])]),
    d("91", "", "市議会", "", "", &[s("01", "議会事務局", 9, Clerk, &["庶務係", "議事調査係"])]),
    d("92", "", "選挙管理委員会", "", "", &[s("01", "選挙管理委員会事務局", 3, Clerk, &["選挙係"])]),
    d("93", "", "監査委員", "", "", &[s("01", "監査委員事務局", 6, Clerk, &["監査係"])]),
    d("94", "", "農業委員会", "", "", &[s("01", "農業委員会事務局", 5, Clerk, &["農地係"])]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_departments_and_sixty_two_sections() {
        assert_eq!(CHART.iter().filter(|d| !d.name.is_empty()).count(), 9);
        let sections: Vec<&Section> = CHART.iter().flat_map(|d| d.sections).collect();
        assert_eq!(sections.len(), 62);
        for name in [
            DEMO_SECTION,
            OTHER_SECTION,
            VACANT_SECTION,
            SECOND_SECTION,
            HEADS_TWO,
            INFORMATION_SECTION,
            AUDIT_SECTION,
        ] {
            assert_eq!(sections.iter().filter(|s| s.name == name).count(), 1, "{name}");
        }
        assert!(sections.iter().all(|s| s.staff > s.teams.len() && !s.teams.is_empty()));
    }
}
