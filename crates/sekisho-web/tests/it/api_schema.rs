//! Whether a value is what a JSON Schema says: the part of 2020-12 that the document uses, written once more and strictly, so
//! that the document and the answers are compared by something that made neither. An unknown keyword is a fault.

use serde_json::{Map, Value};

/// What is said for people and means nothing here.
const WORDS: [&str; 5] = ["description", "title", "format", "$schema", "default"];

/// Everything that does not fit, each with its place.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "$", &mut found);
    found
}

fn is_type(name: &str, v: &Value) -> bool {
    match name {
        "string" => v.is_string(),
        "integer" => v.is_i64() || v.is_u64(),
        "number" => v.is_number(),
        "boolean" => v.is_boolean(),
        "null" => v.is_null(),
        "array" => v.is_array(),
        "object" => v.is_object(),
        other => panic!("unknown type {other}"),
    }
}

fn check(d: &Value, schema: &Value, v: &Value, at: &str, found: &mut Vec<String>) {
    let rules: &Map<String, Value> = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return found.push(format!("{at}: nothing may stand here")),
        Value::Object(rules) => rules,
        other => panic!("{other} is no schema"),
    };
    let empty = Map::new();
    for (word, rule) in rules {
        match word.as_str() {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(d, d.pointer(name).unwrap_or_else(|| panic!("{name}")), v, at, found);
            }
            "type" => {
                let names: Vec<&str> = rule.as_array().map_or_else(
                    || vec![rule.as_str().unwrap()],
                    |l| l.iter().map(|x| x.as_str().unwrap()).collect(),
                );
                if !names.iter().any(|n| is_type(n, v)) {
                    found.push(format!("{at}: {v} is none of {names:?}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(v) {
                    found.push(format!("{at}: {v} is none of {rule}"));
                }
            }
            "const" => {
                if rule != v {
                    found.push(format!("{at}: {v} is not {rule}"));
                }
            }
            "anyOf" | "oneOf" => {
                let fits = |s: &&Value| faults(d, s, v).is_empty();
                let n = rule.as_array().unwrap().iter().filter(fits).count();
                if n == 0 || (word == "oneOf" && n > 1) {
                    found.push(format!("{at}: {v} fits {n} of {word}"));
                }
            }
            "required" => {
                for name in rule.as_array().unwrap().iter().filter_map(Value::as_str) {
                    if v.as_object().is_some_and(|o| !o.contains_key(name)) {
                        found.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, of) in rule.as_object().unwrap() {
                    if let Some(x) = v.get(name) {
                        check(d, of, x, &format!("{at}.{name}"), found);
                    }
                }
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object).unwrap_or(&empty);
                for (name, x) in v.as_object().into_iter().flatten().filter(|(n, _)| !known.contains_key(*n))
                {
                    check(d, rule, x, &format!("{at}.{name}"), found);
                }
            }
            "items" if !rules.contains_key("prefixItems") => {
                for (i, x) in v.as_array().into_iter().flatten().enumerate() {
                    check(d, rule, x, &format!("{at}[{i}]"), found);
                }
            }
            "prefixItems" if v.is_array() => {
                for (i, of) in rule.as_array().unwrap().iter().enumerate() {
                    match v.get(i) {
                        Some(x) => check(d, of, x, &format!("{at}[{i}]"), found),
                        None => found.push(format!("{at}[{i}] is missing")),
                    }
                }
            }
            "minItems" | "maxItems" => {
                let (n, bound) = (v.as_array().map_or(0, Vec::len) as u64, rule.as_u64().unwrap());
                if v.is_array() && if word == "minItems" { n < bound } else { n > bound } {
                    found.push(format!("{at}: {n} items"));
                }
            }
            "minimum" => {
                if v.as_f64().is_some_and(|n| n < rule.as_f64().unwrap()) {
                    found.push(format!("{at}: {v} is too small"));
                }
            }
            "maximum" => {
                if v.as_f64().is_some_and(|n| n > rule.as_f64().unwrap()) {
                    found.push(format!("{at}: {v} is too large"));
                }
            }
            "prefixItems" => {}
            word if WORDS.contains(&word) => {}
            word => panic!("keyword {word} at {at}"),
        }
    }
}

/// A closed form of a schema: what an object does not name may not be there. Answers are compared with it, so that a value
/// which the document does not tell is found too.
pub fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(rules) => {
            let mut all: Map<String, Value> = rules.iter().map(|(k, v)| (k.clone(), closed(v))).collect();
            if all.get("properties").is_some_and(Value::is_object)
                && !all.contains_key("additionalProperties")
            {
                all.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Value::Object(all)
        }
        Value::Array(list) => Value::Array(list.iter().map(closed).collect()),
        other => other.clone(),
    }
}

#[test]
fn it_finds_what_does_not_fit() {
    let d = serde_json::json!({"components": {"schemas": {"A": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}, "required": ["n"]}}}});
    let d = closed(&d);
    let s = serde_json::json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}});
    assert!(faults(&d, &s, &serde_json::json!([{"n": 1}])).is_empty());
    for wrong in [r#"[{"n": -1}]"#, r#"[{"n": "1"}]"#, "[{}]", "{}", r#"[{"n": 1, "m": 2}]"#] {
        assert!(!faults(&d, &s, &serde_json::from_str(wrong).unwrap()).is_empty(), "{wrong}");
    }
}
