//! A small city and a small pack. Tests change what they are about.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sekisho_base::calendar::Calendar;
use sekisho_base::{Date, Instant};
use sekisho_case::authority::Rules;
use sekisho_case::case::{Act, CaseState, Item, OpenTask, Snapshot, fold, open_tasks};
use sekisho_case::decide::{Application, Command, Ctx, Draft, apply, decide};
use sekisho_case::org::{Absence, Appointment, Org, OrgLists, Person, Post, Unit, UnitKind};
use sekisho_case::{Code, Refusal};
use sekisho_pack::by::By;
use sekisho_pack::expr::{Env, Expr, Type};
use sekisho_pack::model::{
    Axis, Choice, Classification, Column, ColumnType, Field, FieldType, HandlingEffect, HandlingRule, HeldBy,
    Level, OnAbsent, OnEmpty, OnRefusal, Pack, PackMeta, Period, PermitSpec, Procedure, Quorum, Register,
    Role, Scope, Step, StepKind,
};
use serde_json::{Value, json};

pub fn d(s: &str) -> Date {
    s.parse().unwrap()
}

/// Ten in the morning in Tokyo.
pub fn at(day: &str) -> Instant {
    Instant::start_of(d(day)).plus_millis(10 * 3_600_000)
}

/// Wednesday.
pub const DAY: &str = "2026-07-01";

pub struct World {
    pub lists: OrgLists,
    pub pack: Pack,
    pub now: Instant,
}

pub fn unit(code: &str, name: &str, kind: UnitKind, parent: Option<&str>) -> Unit {
    Unit {
        code: code.into(),
        name: name.into(),
        kind,
        parent: parent.map(Into::into),
        from: d("2020-04-01"),
        until: None,
    }
}

pub fn post(code: &str, unit: &str, title: &str, head: bool) -> Post {
    Post { code: code.into(), unit: unit.into(), title: title.into(), head, rank: i64::from(!head) }
}

pub fn holds(person: &str, post: &str) -> Appointment {
    Appointment {
        person: person.into(),
        post: post.into(),
        main: true,
        from: d("2025-04-01"),
        until: None,
        role: None,
        scope_unit: None,
    }
}

pub fn role(
    id: &str,
    title: &str,
    scope: Scope,
    held_by: HeldBy,
    escalates_to: Option<&str>,
    deputies: &[&str],
) -> Role {
    Role {
        id: id.into(),
        title: title.into(),
        scope,
        held_by,
        escalates_to: escalates_to.map(Into::into),
        deputies: deputies.iter().map(|s| (*s).into()).collect(),
        not_with: vec![],
        must_be_filled: true,
        sees_all: false,
        sees_personal: false,
    }
}

pub fn field(id: &str, kind: FieldType, required: bool) -> Field {
    Field {
        id: id.into(),
        label: format!("「{id}」"),
        help: None,
        kind,
        required,
        required_when: None,
        limit: None,
        limit_says: None,
        choices: vec![],
        personal: false,
    }
}

pub fn step(id: &str, title: &str, kind: StepKind, by: &str) -> Step {
    Step {
        id: id.into(),
        title: title.into(),
        kind,
        each: None,
        by: By::parse(by).unwrap(),
        when: None,
        within: None,
        due: None,
        on_absent: OnAbsent::Wait,
        on_empty: OnEmpty::Escalate,
        quorum: Quorum::One,
        instead_of: None,
        no_daiketsu_when: None,
        every: None,
        opens: None,
        on_refusal: OnRefusal::End,
        writes: vec![],
        bulk: false,
        evidence: vec![],
    }
}

pub fn register(id: &str, managed_by: &str) -> Register {
    Register {
        id: id.into(),
        title: id.into(),
        key: "key".into(),
        name: "name".into(),
        owner: "owner".into(),
        kept_by: "section_security_manager".into(),
        class: BTreeMap::new(),
        copy_of: None,
        confirmed_on: None,
        managed_by: Some(managed_by.into()),
        columns: vec![],
    }
}

pub fn column(id: &str, choices: Vec<Choice>) -> Column {
    Column {
        id: id.into(),
        label: id.into(),
        help: None,
        kind: ColumnType::Choice,
        many: true,
        choices,
        required: false,
        required_when: None,
        stale_after: None,
        list: false,
        personal: false,
    }
}

pub fn axis() -> Axis {
    let level =
        |code: &str, rank| Level {
            code: code.into(), rank, title: format!("機密性{code}"), schemes: vec![]
        };
    Axis {
        title: "機密性".into(),
        levels: vec![level("3A", 3), level("3B", 3), level("3", 3), level("2", 2), level("1", 1)],
    }
}

pub fn handling_env() -> Env {
    Env::new().with("class.confidentiality", Type::class_of(&axis())).with("zone", Type::Text)
}

fn rule(id: &str, when: &str, effect: HandlingEffect, clause: &str) -> HandlingRule {
    HandlingRule {
        id: id.into(),
        acts: vec!["carry_out".into()],
        when: Some(Expr::parse(when, &handling_env()).unwrap()),
        effect,
        says: format!("{id}のきまり"),
        clause: clause.into(),
    }
}

pub fn take_out() -> Procedure {
    let mut permit = step("permit", "許可", StepKind::Permit, "item.managed_by of applicant.section");
    permit.each = Some("items".into());
    permit.within = Some(Period::BusinessDays(3));
    permit.on_absent = OnAbsent::Daiketsu;
    let mut back = step("return", "返却", StepKind::Perform, "applicant");
    back.due = Some("return_by".into());
    back.evidence =
        vec![field("returned_at", FieldType::Date, true), field("erasure_checked", FieldType::Bool, true)];
    let mut confirm = step(
        "confirm_return",
        "返却の確認",
        StepKind::Confirm,
        "section_security_manager of applicant.section",
    );
    confirm.within = Some(Period::BusinessDays(3));
    let mut return_by = field("return_by", FieldType::Date, true);
    let env = Env::new().with("return_by", Type::Date).with("from", Type::Date);
    return_by.limit = Some(Expr::parse("return_by <= from + days(200)", &env).unwrap());
    return_by.limit_says = Some("200日を超えて持ち出すことはできません。".into());
    Procedure {
        id: "take_out".into(),
        title: "情報資産等の持出".into(),
        wish: vec![],
        register: None,
        number: "持出-{年度}-{seq:04}".into(),
        clauses: vec!["5.1.1.3.イ".into(), "5.1.1.5".into()],
        handling: Some("carry_out".into()),
        fields: vec![
            field("purpose", FieldType::Text, true),
            field("items", FieldType::Items(vec!["asset".into(), "device".into()]), true),
            field("from", FieldType::Date, true),
            return_by,
            field("blanket", FieldType::Bool, false),
        ],
        steps: vec![permit, back, confirm],
        permit: Some(PermitSpec {
            title: "持出許可証".into(),
            from: "from".into(),
            until: "return_by".into(),
            within_fiscal_year: true,
            blanket: Some("blanket".into()),
            movements: true,
            returned_by: Some("return".into()),
            excepts: None,
        }),
        form: None,
        opened_by: vec![],
        opened_after: None,
        tells: None,
        apply_by: None,
        event: false,
    }
}

impl World {
    /// 総務部 with 税務課 (manager, deputy, 係長, clerks) and 市民課; 企画部 with 情報政策課; 副市長 is CISO.
    pub fn new() -> Self {
        use UnitKind::{Body, Department, Section, Subsection};
        let units = vec![
            unit("city", "みどり市", Body, None),
            unit("soumu", "総務部", Department, Some("city")),
            unit("zeimu", "税務課", Section, Some("soumu")),
            unit("zeimu1", "課税係", Subsection, Some("zeimu")),
            unit("shimin", "市民課", Section, Some("soumu")),
            unit("kikaku", "企画部", Department, Some("city")),
            unit("joho", "情報政策課", Section, Some("kikaku")),
        ];
        let posts = vec![
            post("deputy_mayor", "city", "副市長", true),
            post("soumu.head", "soumu", "部長", true),
            post("soumu.vice", "soumu", "次長", false),
            post("zeimu.head", "zeimu", "課長", true),
            post("zeimu.vice", "zeimu", "課長補佐", false),
            post("zeimu1.head", "zeimu1", "係長", true),
            post("zeimu.staff", "zeimu", "主事", false),
            post("shimin.head", "shimin", "課長", true),
            post("shimin.staff", "shimin", "主事", false),
            post("kikaku.head", "kikaku", "情報政策担当部長", true),
            post("joho.head", "joho", "情報政策課長", true),
        ];
        let people = [
            ("mayor2", "副島 実", "deputy_mayor"),
            ("director", "髙橋 部", "soumu.head"),
            ("vicedir", "次山 長", "soumu.vice"),
            ("manager", "課野 長子", "zeimu.head"),
            ("deputy", "補佐 太郎", "zeimu.vice"),
            ("chief", "係 長二", "zeimu1.head"),
            ("clerk", "山﨑 花子", "zeimu.staff"),
            ("clerk2", "渡邉 次郎", "zeimu.staff"),
            ("other", "市民 課長", "shimin.head"),
            ("outsider", "市民 主事", "shimin.staff"),
            ("officer", "情報 部長", "kikaku.head"),
            ("sysman", "情報 課長", "joho.head"),
        ];
        let persons = people
            .iter()
            .map(|(n, name, _)| Person { number: (*n).into(), name: (*name).into(), kana: String::new() })
            .collect();
        let appointments = people.iter().map(|(n, _, post)| holds(n, post)).collect();
        let lists = OrgLists { units, posts, persons, appointments, absences: vec![], delegations: vec![] };
        Self { lists, pack: pack(take_out()), now: at(DAY) }
    }

    pub fn on(mut self, day: &str) -> Self {
        self.now = at(day);
        self
    }

    pub fn go_to(&mut self, day: &str) {
        self.now = at(day);
    }

    pub fn absent(&mut self, person: &str) {
        self.lists.absences.push(Absence {
            person: person.into(),
            from: d("2026-01-01"),
            until: d("2027-12-31"),
        });
    }

    pub fn vacate(&mut self, post: &str) {
        self.lists.appointments.retain(|a| a.post != post);
    }

    pub fn with<T>(&self, person: &str, f: impl FnOnce(&Ctx<'_>) -> T) -> T {
        let org = Org::new(self.lists.clone());
        let rules = rules_of(&self.pack);
        f(&Ctx { org: &org, pack: &self.pack, rules: &rules, now: self.now, person })
    }

    pub fn try_apply(&self, person: &str, post: &str, draft: Draft) -> Result<Vec<Act>, Refusal> {
        self.try_apply_for("take_out", person, post, draft)
    }

    pub fn try_apply_for(
        &self,
        procedure: &str,
        person: &str,
        post: &str,
        draft: Draft,
    ) -> Result<Vec<Act>, Refusal> {
        let application = Application {
            case: "C1".into(),
            number: "持出-R8-0001".into(),
            post: post.into(),
            draft,
            parent: None,
        };
        self.with(person, |ctx| apply(procedure, ctx, application))
    }

    pub fn apply(&self, person: &str, post: &str, draft: Draft) -> Case {
        Case { acts: self.try_apply(person, post, draft).unwrap() }
    }

    /// The clerk of 税務課 takes out an asset.
    pub fn clerk_applies(&self) -> Case {
        self.apply("clerk", "zeimu.staff", draft())
    }
}

/// Rules by what they are generated from: building them costs more than a whole case.
fn rules_of(pack: &Pack) -> Arc<Rules> {
    static CACHE: Mutex<BTreeMap<String, Arc<Rules>>> = Mutex::new(BTreeMap::new());
    let key = format!("{:?} {:?}", pack.procedures, pack.registers);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cache.entry(key).or_insert_with(|| Arc::new(Rules::for_pack(pack).unwrap())))
}

pub fn pack(procedure: Procedure) -> Pack {
    let roles = [
        role("staff", "職員等", Scope::Body, HeldBy::Everyone, None, &[]),
        role(
            "section_security_manager",
            "情報セキュリティ管理者",
            Scope::Section,
            HeldBy::HeadOf(Scope::Section),
            Some("department_security_officer"),
            &["課長補佐", "係長"],
        ),
        role(
            "department_security_officer",
            "情報セキュリティ責任者",
            Scope::Department,
            HeldBy::HeadOf(Scope::Department),
            Some("head_security_officer"),
            &["次長"],
        ),
        role(
            "head_security_officer",
            "統括情報セキュリティ責任者",
            Scope::Body,
            HeldBy::Post("kikaku.head".into()),
            Some("ciso"),
            &[],
        ),
        role("ciso", "CISO", Scope::Body, HeldBy::Post("deputy_mayor".into()), None, &[]),
        role(
            "information_system_manager",
            "情報システム管理者",
            Scope::Body,
            HeldBy::Post("joho.head".into()),
            Some("head_security_officer"),
            &[],
        ),
        role("auditor", "監査人", Scope::Body, HeldBy::Appointment, None, &[]),
    ];
    let registers =
        [register("asset", "section_security_manager"), register("device", "information_system_manager")];
    let classification = Classification {
        axes: [("confidentiality".to_owned(), axis())].into(),
        scheme: None,
        conversions: vec![],
        looks: None,
        handling: vec![
            rule("encrypt", "class.confidentiality >= 2", HandlingEffect::Safeguard, "2.0.1"),
            rule(
                "ask",
                "class.confidentiality >= 1",
                HandlingEffect::Permit("take_out".into()),
                "5.1.1.3.イ",
            ),
            rule(
                "never",
                "class.confidentiality >= 3 && zone == \"mynumber\"",
                HandlingEffect::Prohibited,
                "2.0.1",
            ),
        ],
    };
    Pack {
        meta: PackMeta {
            name: "test".into(),
            title: "試験用".into(),
            version: "1".into(),
            format: 1,
            based_on: None,
        },
        hash: "p".repeat(64),
        roles: roles.into_iter().map(|r| (r.id.clone(), r)).collect(),
        absence: Default::default(),
        classification,
        clauses: vec![],
        procedures: [(procedure.id.clone(), procedure)].into(),
        registers: registers.into_iter().map(|r| (r.id.clone(), r)).collect(),
        checks: BTreeMap::new(),
        duties: BTreeMap::new(),
        documents: BTreeMap::new(),
        notices: BTreeMap::new(),
        planned: BTreeMap::new(),
        bindings: vec![],
        calendar: Calendar { closed: [d("2026-07-20")].into(), known_until: None },
        forms: BTreeMap::new(),
        tests: vec![],
    }
}

pub fn item(register: &str, id: &str) -> Item {
    let snapshot = Snapshot {
        class: [("confidentiality".to_owned(), "2".to_owned())].into(),
        owner: "zeimu".into(),
        facts: [("zone".to_owned(), json!("lgwan"))].into(),
    };
    let number = format!("{register}-{id}");
    Item {
        field: "items".into(),
        register: register.into(),
        id: id.into(),
        number: number.clone(),
        name: number,
        snapshot,
    }
}

pub fn draft() -> Draft {
    draft_of(&[item("asset", "1")])
}

pub fn draft_of(items: &[Item]) -> Draft {
    Draft {
        fields: fields(&[
            ("purpose", json!("訪問調査")),
            ("from", json!("2026-07-02")),
            ("return_by", json!("2026-07-10")),
        ]),
        attachments: vec![],
        items: items.to_vec(),
    }
}

pub fn fields(list: &[(&str, Value)]) -> BTreeMap<String, Value> {
    list.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

/// A case under way.
#[derive(Debug, Clone)]
pub struct Case {
    pub acts: Vec<Act>,
}

impl Case {
    pub fn state(&self) -> CaseState {
        fold(&self.acts).unwrap()
    }

    pub fn hash(&self, step: &str) -> String {
        self.state().content_hash(Some(step))
    }

    pub fn whole(&self) -> String {
        self.state().content_hash(None)
    }

    /// Does it, or says why not; the case is unchanged then.
    pub fn run(&mut self, w: &World, person: &str, command: Command) -> Result<(), Refusal> {
        let state = self.state();
        let acts = w.with(person, |ctx| decide(&state, ctx, command))?;
        self.acts.extend(acts);
        Ok(())
    }

    pub fn refused(&mut self, w: &World, person: &str, command: Command) -> Code {
        let before = self.acts.len();
        let code = self.run(w, person, command).expect_err("must be refused").code;
        assert_eq!(before, self.acts.len());
        code
    }

    pub fn permit(&mut self, w: &World, person: &str) -> Result<(), Refusal> {
        let command = act("permit", &self.hash("permit"));
        self.run(w, person, command)
    }

    pub fn give_back(&mut self, w: &World, person: &str) -> Result<(), Refusal> {
        let mut command = act("return", &self.hash("return"));
        if let Command::Act { evidence, .. } = &mut command {
            *evidence = fields(&[("returned_at", json!("2026-07-10")), ("erasure_checked", json!(true))]);
        }
        self.run(w, person, command)
    }

    pub fn confirm(&mut self, w: &World, person: &str) -> Result<(), Refusal> {
        let command = act("confirm_return", &self.hash("confirm_return"));
        self.run(w, person, command)
    }

    pub fn tasks(&self) -> Vec<OpenTask> {
        open_tasks(&self.state())
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.acts.iter().map(|a| a.what.code()).collect()
    }

    pub fn last_of(&self, kind: &str) -> &Act {
        self.acts.iter().rev().find(|a| a.what.code() == kind).unwrap()
    }
}

/// A step's own act without anything besides.
pub fn act(step: &str, shown: &str) -> Command {
    Command::Act {
        step: step.into(),
        shown: shown.into(),
        items: vec![],
        says: String::new(),
        conditions: vec![],
        evidence: BTreeMap::new(),
        override_reason: None,
    }
}

/// The same, deciding the own case for a reason.
pub fn overriding(step: &str, shown: &str, reason: &str) -> Command {
    match act(step, shown) {
        Command::Act { step, shown, items, says, conditions, evidence, .. } => Command::Act {
            step,
            shown,
            items,
            says,
            conditions,
            evidence,
            override_reason: Some(reason.into()),
        },
        other => other,
    }
}

pub fn code<T>(result: Result<T, Refusal>) -> Code {
    result.err().expect("must be refused").code
}
