//! What parts of a pack are called in Japanese: one place for the readable document, the difference of two packs and the
//! publication check.

use crate::by::{Anchor, AnchorFrom, By, Term};
use crate::expr::{Expr, Labels};
use crate::files::{ACTS, DEVICES};
use crate::model::{
    Check, CheckRule, Choice, Column, ColumnType, Field, FieldType, HeldBy, MechanismRef, OnAbsent, OnEmpty,
    Pack, Period, Procedure, Quorum, Register, Role, Scope, Step, StepKind, Write, WriteValue,
};

/// Names of one pack's things.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    pack: &'a Pack,
}

impl<'a> Words<'a> {
    /// Of this pack.
    #[must_use]
    pub fn of(pack: &'a Pack) -> Self {
        Self { pack }
    }

    /// A role's name, or its id.
    #[must_use]
    pub fn role<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.pack.roles.get(id).map_or(id, |r| r.title.as_str())
    }

    /// A register's name, or its id.
    #[must_use]
    pub fn register<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.pack.registers.get(id).map_or(id, |r| r.title.as_str())
    }

    /// Who acts at a step, as people say it: 「申請者の課室の情報セキュリティ管理者」.
    #[must_use]
    pub fn by(&self, by: &By, procedure: &Procedure) -> String {
        match by {
            By::Term(t) => self.term(t, procedure),
            By::All(parts) => {
                let words: Vec<String> = parts.iter().map(|p| self.by(p, procedure)).collect();
                let ending = if parts.len() == 2 { "の両方" } else { "の全員" };
                format!("{}{ending}", words.join("と"))
            }
            By::Any(parts) => {
                let words: Vec<String> = parts.iter().map(|p| self.by(p, procedure)).collect();
                words.join("または")
            }
        }
    }

    fn term(&self, term: &Term, procedure: &Procedure) -> String {
        match term {
            Term::Applicant => "申請者".to_owned(),
            Term::Role { role, of } => self.role_at(role, *of),
            Term::ItemManager { of } => {
                let registers = item_registers(procedure);
                let mut by_role: Vec<(String, Vec<&str>)> = Vec::new();
                for r in registers.iter().filter_map(|id| self.pack.registers.get(*id)) {
                    let Some(role) = &r.managed_by else { continue };
                    let who = self.role_at(role, *of);
                    match by_role.iter_mut().find(|(w, _)| *w == who) {
                        Some((_, list)) => list.push(&r.title),
                        None => by_role.push((who, vec![&r.title])),
                    }
                }
                match by_role.as_slice() {
                    [] => "台帳で管理すると決めた役割".to_owned(),
                    [(who, _)] => who.clone(),
                    many => {
                        let words: Vec<String> =
                            many.iter().map(|(w, of)| format!("{w}（{}のもの）", of.join("・"))).collect();
                        words.join("または")
                    }
                }
            }
        }
    }

    /// A role with the unit it is looked for in, where it is not one of the whole body.
    fn role_at(&self, role: &str, of: Option<Anchor>) -> String {
        let title = self.role(role);
        let Some(r) = self.pack.roles.get(role) else { return title.to_owned() };
        let own = own_scope(r);
        let scope = of.map_or(own, |a| a.scope.max(own));
        let Some(anchor) = of.filter(|_| scope < Scope::Body && r.held_by != HeldBy::Everyone) else {
            return title.to_owned();
        };
        let whose = match anchor.from {
            AnchorFrom::Applicant => "申請者の",
            AnchorFrom::ItemOwner => "そのものを所管する",
            AnchorFrom::System => "システムを所管する",
            AnchorFrom::Case => "案件の",
        };
        format!("{whose}{}の{title}", scope_name(scope))
    }

    /// How a role is held.
    #[must_use]
    pub fn held_by(&self, role: &Role) -> String {
        match &role.held_by {
            HeldBy::HeadOf(scope) => format!("{}の長", scope_name(*scope)),
            HeldBy::Titled(title) => format!("職名が「{title}」の人"),
            HeldBy::Post(code) => format!("職「{code}」にある人"),
            HeldBy::Appointment => "この役割に任命された人".to_owned(),
            HeldBy::Everyone => "全ての職員".to_owned(),
        }
    }

    /// A step in one sentence or two: who does what within which time, and what absence and vacancy mean.
    #[must_use]
    pub fn step(&self, step: &Step, procedure: &Procedure) -> String {
        let labels = self.labels(procedure);
        let mut said = String::new();
        if let Some(when) = &step.when {
            said.push_str(&format!("{}ときに、", when.japanese(&labels)));
        }
        said.push_str(&self.by(&step.by, procedure));
        said.push_str(&match step.quorum {
            Quorum::One => "が".to_owned(),
            Quorum::All => "の全員が".to_owned(),
            Quorum::AtLeast(n) => format!("のうち{n}人以上が"),
        });
        if step.each.is_some() {
            said.push_str("一つずつについて");
        }
        if let Some(limit) = deadline(step, procedure) {
            said.push_str(&format!("{limit}に"));
        }
        if let Some(every) = step.every {
            said.push_str(&format!("許可が続く間、{}ごとに", period(every)));
        }
        said.push_str(&format!("{}。", verb(step.kind)));
        if let Some(role) = &step.instead_of {
            said.push_str(&format!("「{}」の決定を専決で行う。", self.role(role)));
        }
        if let Some(opened) = &step.opens {
            let title = self.pack.procedures.get(opened).map_or(opened.as_str(), |p| p.title.as_str());
            said.push_str(&format!("手続「{title}」の案件を開き、それが終わるのを待つ。"));
        }
        if step.by != By::Term(Term::Applicant) {
            said.push_str(absent(step));
            if let Some(bar) = &step.no_daiketsu_when {
                let when = bar.japanese(&labels);
                said.push_str(&format!("ただし、{when}ときの代決には、あらかじめの指示か急ぐ理由が要る。"));
            }
            said.push_str(empty(step.on_empty));
            if step.within.is_some() || step.due.is_some() || step.every.is_some() {
                said.push_str("期限を過ぎると上位の役割も行える。");
            }
        }
        for w in &step.writes {
            said.push_str(&format!("済むと、台帳の行を書き換える（{}）。", self.write(w, procedure)));
        }
        if !step.evidence.is_empty() {
            let list: String = step.evidence.iter().map(|f| format!("「{}」", f.label)).collect();
            said.push_str(&format!("記録すること: {list}。"));
        }
        said
    }

    /// A column and what a step writes into it.
    fn write(&self, w: &Write, procedure: &Procedure) -> String {
        let meant = procedure.fields.iter().filter(|f| w.field.as_ref().is_none_or(|id| *id == f.id));
        let mut registers = meant
            .flat_map(|f| if let FieldType::Items(l) = &f.kind { l.as_slice() } else { &[] })
            .filter_map(|id| self.pack.registers.get(id));
        let column = registers.find_map(|r| r.columns.iter().find(|c| c.id == w.column));
        let label = column.map_or(w.column.as_str(), |c| c.label.as_str());
        let choice = |text: &str| column.and_then(|c| c.choices.iter().find(|x| x.code == text));
        let value = match &w.value {
            WriteValue::Field(id) => {
                let field = procedure.fields.iter().find(|f| f.id == *id);
                format!("「{}」に書いた分類", field.map_or(id.as_str(), |f| f.label.as_str()))
            }
            WriteValue::Text(text) => match (text.as_str(), choice(text)) {
                (_, Some(choice)) => choice.label.clone(),
                ("today", None) => "その日".to_owned(),
                ("number", None) => "案件の番号".to_owned(),
                (other, None) => other.to_owned(),
            },
        };
        format!("{label}：{value}")
    }

    /// What the conditions of a procedure call things.
    #[must_use]
    pub fn labels(&self, procedure: &Procedure) -> Labels {
        let mut l = self.item_labels();
        let evidence = procedure.steps.iter().flat_map(|s| &s.evidence);
        for f in procedure.fields.iter().chain(evidence) {
            l.name(&f.id, &f.label);
            codes(&mut l, &f.id, &f.choices);
            for fact in f.row_facts(&self.pack.registers) {
                l.name(&fact.id, &fact.label);
                codes(&mut l, &fact.id, &fact.choices);
            }
        }
        l
    }

    /// What opens a case of a procedure by itself.
    #[must_use]
    pub fn openers(&self, procedure: &Procedure) -> Vec<String> {
        let one = |cause: &String| match cause.split_once(':') {
            Some(("check", id)) => {
                let title = self.pack.checks.get(id).map_or(id, |c| c.title.as_str());
                format!("点検「{title}」に反するものがあるとき")
            }
            Some(("duty", id)) => {
                let title = self.pack.duties.get(id).map_or(id, |d| d.title.as_str());
                format!("仕事「{title}」が期限を過ぎたとき")
            }
            _ => "異動や退職の取込みで、持ち出し中・貸出中のものがある人が離れるとき".to_owned(),
        };
        procedure.opened_by.iter().map(one).collect()
    }

    /// What the conditions of a register call things.
    #[must_use]
    pub fn register_labels(&self, register: &Register) -> Labels {
        let mut l = self.item_labels();
        for c in &register.columns {
            l.name(&c.id, &c.label);
            codes(&mut l, &c.id, &c.choices);
            if let ColumnType::Class(axis) = &c.kind {
                self.levels(&mut l, &c.id, axis);
            }
        }
        l
    }

    /// Acts that the handling decision knows, by what people call them.
    #[must_use]
    pub fn acts(&self) -> Vec<Choice> {
        ACTS.map(|a| choice(a, act_name(a))).to_vec()
    }

    /// Whose device an act uses.
    #[must_use]
    pub fn devices(&self) -> Vec<Choice> {
        let names = ["支給の端末", "私物の端末", "委託先の端末"];
        DEVICES.iter().zip(names).map(|(code, label)| choice(code, label)).collect()
    }

    /// What a mark of items (`zone`, `personal`) may be, as the registers' columns of this name say.
    #[must_use]
    pub fn mark(&self, name: &str) -> Vec<Choice> {
        let mut found: Vec<Choice> = Vec::new();
        for c in self.pack.registers.values().flat_map(|r| &r.columns).filter(|c| c.id == name) {
            let new = c.choices.iter().filter(|x| found.iter().all(|f| f.code != x.code)).cloned();
            found.extend(new.collect::<Vec<_>>());
        }
        found
    }

    /// What conditions about items call things: classes, zone, personal-data mark, device.
    #[must_use]
    pub fn item_labels(&self) -> Labels {
        let mut l = Labels::default();
        for mark in ["zone", "personal"] {
            for c in self.pack.registers.values().flat_map(|r| &r.columns).filter(|c| c.id == mark) {
                l.name(mark, &c.label);
                codes(&mut l, mark, &c.choices);
            }
        }
        l.name("device", "使う端末");
        for device in self.devices() {
            l.code("device", &device.code, &device.label);
        }
        for (id, axis) in &self.pack.classification.axes {
            let name = format!("class.{id}");
            l.name(&name, &axis.title);
            self.levels(&mut l, &name, id);
        }
        l
    }

    fn levels(&self, l: &mut Labels, name: &str, axis: &str) {
        for level in self.pack.classification.axes.get(axis).into_iter().flat_map(|a| &a.levels) {
            l.code(name, &level.code, &level.title);
        }
    }

    /// When a field must be filled.
    #[must_use]
    pub fn required(&self, required: bool, when: Option<&Expr>, labels: &Labels) -> String {
        match when {
            _ if required => "必須".to_owned(),
            Some(e) => format!("{}ときは必須", e.japanese(labels)),
            None => "任意".to_owned(),
        }
    }

    /// Type of a field.
    #[must_use]
    pub fn field_type(&self, field: &Field) -> String {
        match &field.kind {
            FieldType::Text => "文字（1行）".to_owned(),
            FieldType::LongText => "文章".to_owned(),
            FieldType::Date => "日付".to_owned(),
            FieldType::Integer => "整数".to_owned(),
            FieldType::Bool => "はい・いいえ".to_owned(),
            FieldType::Choice => format!("選択（{}）", choice_words(&field.choices)),
            FieldType::Row(register) => format!("台帳の一行（{}）", self.register(register)),
            FieldType::Clauses => "条項の番号".to_owned(),
            FieldType::File => "ファイル".to_owned(),
            FieldType::Items(registers) => {
                let names: Vec<&str> = registers.iter().map(|r| self.register(r)).collect();
                format!("台帳から選ぶ（{}）", names.join("・"))
            }
        }
    }

    /// Type of a column.
    #[must_use]
    pub fn column_type(&self, column: &Column) -> String {
        let one = match &column.kind {
            ColumnType::Text => "文字（1行）".to_owned(),
            ColumnType::LongText => "文章".to_owned(),
            ColumnType::Code => "記号・番号".to_owned(),
            ColumnType::Date => "日付".to_owned(),
            ColumnType::Integer => "整数".to_owned(),
            ColumnType::Bool => "はい・いいえ".to_owned(),
            ColumnType::Choice => format!("選択（{}）", choice_words(&column.choices)),
            ColumnType::Class(axis) => {
                let axes = &self.pack.classification.axes;
                format!("{}の段階", axes.get(axis).map_or(axis.as_str(), |a| a.title.as_str()))
            }
            ColumnType::Unit => "所属".to_owned(),
            ColumnType::Post => "職".to_owned(),
            ColumnType::Person => "職員".to_owned(),
            ColumnType::Ref(r) => format!("{}の行", self.register(r)),
        };
        if column.many { format!("{one}、いくつでも") } else { one }
    }

    /// What a check finds.
    #[must_use]
    pub fn check(&self, check: &Check) -> String {
        let register = |id: &str| self.pack.registers.get(id);
        let column = |r: &str, c: &str| {
            let found = register(r).and_then(|r| r.columns.iter().find(|x| x.id == c));
            found.map_or_else(|| c.to_owned(), |x| x.label.clone())
        };
        let labels = |r: &str| register(r).map_or_else(|| self.item_labels(), |r| self.register_labels(r));
        match &check.rule {
            CheckRule::Required { register: r, column: c, when } => {
                let when =
                    when.as_ref().map(|e| format!("{}のに", e.japanese(&labels(r)))).unwrap_or_default();
                format!("{}で、{when}「{}」が空の行", self.register(r), column(r, c))
            }
            CheckRule::Stale { register: r, column: c, after } => {
                format!("{}の「{}」が空か、{}より古い行", self.register(r), column(r, c), period(*after))
            }
            CheckRule::Overdue { procedure, step } => {
                let p = self.pack.procedures.get(procedure);
                let title = p.map_or(procedure.as_str(), |p| p.title.as_str());
                let step = step.as_ref().map(|s| {
                    p.and_then(|p| p.steps.iter().find(|x| x.id == *s))
                        .map_or(s.as_str(), |x| x.title.as_str())
                });
                match step {
                    Some(step) => format!("「{title}」の手順「{step}」が期限を過ぎた案件"),
                    None => format!("「{title}」のどれかの手順が期限を過ぎた案件"),
                }
            }
            CheckRule::Rows { register: r, when } => {
                format!("{}で、{}行", self.register(r), when.japanese(&labels(r)))
            }
            CheckRule::SelfApproval => "申請者が自ら決め、上位の確認がまだの案件".to_owned(),
            CheckRule::Vacant { role } => format!("「{}」が空席の所属", self.role(role)),
            CheckRule::Sql { .. } => "問合せ文（SQL）が返す行".to_owned(),
        }
    }

    /// A mechanism with its name in the pack where there is one: 手続「情報資産等の持出」.
    #[must_use]
    pub fn mechanism(&self, m: &MechanismRef) -> String {
        match self.pack.title_of(m) {
            Some(title) => format!("{}「{title}」", m.kind.japanese()),
            None => format!("{} {}", m.kind.japanese(), m.name),
        }
    }
}

/// The scope at which a role is held by itself.
#[must_use]
pub fn own_scope(role: &Role) -> Scope {
    match &role.held_by {
        HeldBy::HeadOf(scope) => *scope,
        HeldBy::Titled(_) | HeldBy::Post(_) | HeldBy::Appointment | HeldBy::Everyone => role.scope,
    }
}

/// Registers whose rows a procedure is about, in form order, each once.
#[must_use]
pub fn item_registers(procedure: &Procedure) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for f in &procedure.fields {
        let FieldType::Items(list) = &f.kind else { continue };
        for r in list {
            if !found.contains(&r.as_str()) {
                found.push(r);
            }
        }
    }
    found
}

fn codes(l: &mut Labels, name: &str, choices: &[Choice]) {
    for c in choices {
        l.code(name, &c.code, &c.label);
    }
}

fn choice(code: &str, label: &str) -> Choice {
    Choice { code: code.to_owned(), label: label.to_owned() }
}

/// An act of the handling decision, to stand before 「とき」.
#[must_use]
pub fn act_name(act: &str) -> &str {
    match act {
        "copy" => "複製する",
        "send" => "送信する",
        "carry_out" => "持ち出す",
        "provide" => "外部へ提供する",
        "publish" => "公表する",
        "process_outside" => "庁外で処理する",
        "store" => "保管する",
        "dispose" => "廃棄する",
        "entrust" => "外部のサービスに預ける",
        other => other,
    }
}

/// Labels of choices, joined.
#[must_use]
pub fn choice_words(choices: &[Choice]) -> String {
    choices.iter().map(|c| c.label.as_str()).collect::<Vec<_>>().join("／")
}

/// A scope.
#[must_use]
pub fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "システム",
        Scope::Section => "課室",
        Scope::Department => "部局",
        Scope::Body => "全庁",
    }
}

/// A length of time: 「3開庁日」.
#[must_use]
pub fn period(p: Period) -> String {
    match p {
        Period::Hours(n) => format!("{n}時間"),
        Period::Days(n) => format!("{n}日"),
        Period::BusinessDays(n) => format!("{n}開庁日"),
        Period::Months(n) => format!("{n}か月"),
    }
}

/// A step's deadline: 「3開庁日以内」, 「返却予定日まで」.
#[must_use]
pub fn deadline(step: &Step, procedure: &Procedure) -> Option<String> {
    if let Some(p) = step.within {
        return Some(format!("{}以内", period(p)));
    }
    let id = step.due.as_ref()?;
    let mut fields = procedure.fields.iter().chain(procedure.steps.iter().flat_map(|s| &s.evidence));
    let label = fields.find(|f| f.id == *id).map_or(id.as_str(), |f| f.label.as_str());
    Some(format!("{label}まで"))
}

/// What whoever holds a step of this kind does.
#[must_use]
pub fn verb(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Consult => "協議に答える",
        StepKind::Permit => "許可する",
        StepKind::Review => "審査する",
        StepKind::Confirm => "確認する",
        StepKind::Report => "報告する",
        StepKind::Instruct => "指示する",
        StepKind::Perform => "実施する",
        StepKind::Resolve => "議決する",
        StepKind::Inform => "供覧を受ける",
    }
}

/// What absence of the holder means at a step. 代決 is taken at a final decision only, whatever the pack writes.
#[must_use]
pub fn absent(step: &Step) -> &'static str {
    let decides = matches!(step.kind, StepKind::Permit | StepKind::Resolve);
    match step.on_absent {
        OnAbsent::Daiketsu if decides => "不在のときは代決できる。",
        OnAbsent::Daiketsu | OnAbsent::Wait => "不在のときは戻るのを待つ。",
        OnAbsent::PostReview if decides => "不在のときは戻るのを待つ。",
        OnAbsent::PostReview => "不在のときは先へ進み、後で読んで確かめる（後閲）。",
    }
}

/// What an empty post means at a step.
#[must_use]
pub fn empty(on_empty: OnEmpty) -> &'static str {
    match on_empty {
        OnEmpty::Block => "空席のときは後任が決まるまで止まる。",
        OnEmpty::Escalate => "空席のときは上位の役割が行う。",
    }
}
