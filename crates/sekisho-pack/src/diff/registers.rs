//! Registers with their columns, and checks.

use super::{Area, Found, Side, pairs, yes};
use crate::model::{Column, Pack, Register};
use crate::words::period;

pub(super) fn compare(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(old.registers.values(), new.registers.values(), |r| &r.id) {
        match side {
            Side::Old(r) => found.removed(Area::Register, &r.title, "台帳", columns(r)),
            Side::New(r) => found.added(Area::Register, &r.title, "台帳", columns(r)),
            Side::Both(o, n) => register(o, n, found),
        }
    }
}

fn columns(r: &Register) -> String {
    r.columns.iter().map(|c| c.label.as_str()).collect::<Vec<_>>().join("、")
}

fn register(o: &Register, n: &Register, found: &mut Found<'_>) {
    let place = n.title.as_str();
    let area = Area::Register;
    found.value(area, place, "名前", &o.title, &n.title);
    found.value(area, place, "一行を見分ける列", &o.key, &n.key);
    found.value(area, place, "名前として出す列", &o.name, &n.name);
    found.value(area, place, "所管を表す列", &o.owner, &n.owner);
    let (before, after) = (found.old.role(&o.kept_by).to_owned(), found.new.role(&n.kept_by).to_owned());
    found.value(area, place, "記入する役割", &before, &after);
    let before = o.managed_by.as_deref().map(|r| found.old.role(r).to_owned());
    let after = n.managed_by.as_deref().map(|r| found.new.role(r).to_owned());
    found.option(area, place, "持出しなどを許可する役割", before, after);
    let (before, after) = (o.confirmed_on.clone(), n.confirmed_on.clone());
    found.option(area, place, "棚卸しで確かめた日を入れる列", before, after);
    let classes = |r: &Register| {
        r.class.iter().map(|(axis, column)| format!("{axis}は{column}")).collect::<Vec<_>>().join("、")
    };
    found.value(area, place, "分類を表す列", &classes(o), &classes(n));
    for side in pairs(&o.columns, &n.columns, |c| &c.id) {
        match side {
            Side::Old(c) => {
                found.removed(area, place, "列", format!("{}（今ある値は残り、画面に出なくなる）", c.label))
            }
            Side::New(c) => found.added(area, place, "列", c.label.clone()),
            Side::Both(a, b) => column((o, a), (n, b), found),
        }
    }
}

fn column((or, o): (&Register, &Column), (nr, n): (&Register, &Column), found: &mut Found<'_>) {
    let area = Area::Register;
    let place = format!("{}の列「{}」", nr.title, n.label);
    found.value(area, &place, "名前", &o.label, &n.label);
    let (before, after) = (found.old.column_type(o), found.new.column_type(n));
    found.value(area, &place, "書き方", &before, &after);
    let before = found.old.required(o.required, o.required_when.as_ref(), &found.old.register_labels(or));
    let after = found.new.required(n.required, n.required_when.as_ref(), &found.new.register_labels(nr));
    found.value(area, &place, "必須", &before, &after);
    found.option(area, &place, "古いとする期間", o.stale_after.map(period), n.stale_after.map(period));
    found.option(area, &place, "説明", o.help.clone(), n.help.clone());
    found.value(area, &place, "一覧に出すか", yes(o.list), yes(n.list));
    found.value(area, &place, "個人に関する情報か", yes(o.personal), yes(n.personal));
}

pub(super) fn checks(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(old.checks.values(), new.checks.values(), |c| &c.id) {
        match side {
            Side::Old(c) => {
                let said = found.old.check(c);
                found.removed(Area::Check, &format!("「{}」", c.title), "点検", said);
            }
            Side::New(c) => {
                let said = found.new.check(c);
                found.added(Area::Check, &format!("「{}」", c.title), "点検", said);
            }
            Side::Both(o, n) => {
                let place = format!("「{}」", n.title);
                let (before, after) = (found.old.check(o), found.new.check(n));
                found.value(Area::Check, &place, "見つけるもの", &before, &after);
                if before == after && o.rule != n.rule {
                    // A query says the same words whatever it asks.
                    found.changes.push(super::Change {
                        area: Area::Check,
                        place: place.clone(),
                        what: "問合せの中身が変わる".to_owned(),
                        old: None,
                        new: None,
                    });
                }
                found.value(Area::Check, &place, "名前", &o.title, &n.title);
                found.value(Area::Check, &place, "直し方", &o.remedy, &n.remedy);
            }
        }
    }
}
