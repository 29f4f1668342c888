//! An act on some of a case's items: the boxes on the page, and what was ticked.

use sekisho_case::case::CaseState;
use sekisho_case::decide::Offer;

use crate::cases::view::ActInput;
use crate::error::AppError;
use crate::registers::{FieldView, RefChoice};

/// Form field with the items that an act names; each case's form has its own.
pub(super) const ITEMS: &str = "items";

/// The boxes, all ticked unless some were sent; nothing where there is nothing to choose.
pub(super) fn items_field(
    state: &CaseState,
    offers: &[&Offer],
    name: &str,
    typed: Option<&ActInput>,
) -> Option<FieldView> {
    let open = |key: &String| offers.iter().any(|o| o.items.contains(key));
    let items: Vec<_> = state.content.items.iter().filter(|i| open(&i.key())).collect();
    if items.len() < 2 {
        return None;
    }
    let sent = typed.and_then(|t| t.values.get(name));
    let ticked = |key: &String| sent.is_none_or(|list| list.contains(key));
    let value: Vec<String> = items.iter().map(|i| i.key()).filter(ticked).collect();
    Some(FieldView {
        name: name.to_owned(),
        label: "対象".to_owned(),
        help: "一部だけのときは、ほかの印を外します。".to_owned(),
        kind: "choices",
        required: true,
        value: value.join("\n"),
        choices: items
            .iter()
            .map(|i| RefChoice { code: i.key(), label: format!("{} {}", i.number, i.name) })
            .collect(),
    })
}

/// The items that a form names; none when it offered no choice, and then the act is about all.
///
/// # Errors
/// Every box was left empty.
pub(super) fn chosen(input: &ActInput, name: &str) -> Result<Vec<String>, AppError> {
    let Some(sent) = input.values.get(name) else { return Ok(vec![]) };
    let items: Vec<String> = sent.iter().filter(|key| !key.is_empty()).cloned().collect();
    if items.is_empty() {
        return Err(AppError::field(name, "対象を1つ以上選んでください。"));
    }
    Ok(items)
}
