//! `pack.toml`.

use crate::files::doc::Table;
use crate::files::need;
use crate::model::PackMeta;

/// The pack format this program reads.
pub const FORMAT: i64 = 1;

pub(crate) fn meta(t: &Table<'_>) -> PackMeta {
    let name = t.need("name");
    if let Some(at) = &name
        && !crate::own::valid_name(&at.value)
    {
        t.src.error(
            at.line,
            &at.key,
            format!("「{}」はパックの名前に使えません", at.value),
            "英小文字で始まり、英小文字・数字・- だけにしてください",
        );
    }
    let format = t.int("format");
    match &format {
        None if !t.has("format") => {
            t.error("format", "format がありません", format!("format = {FORMAT} を加えてください"))
        }
        Some(at) if at.value != FORMAT => {
            let text = format!("パックの形式 {} は、このプログラムでは読めません", at.value);
            t.src.error(
                at.line,
                &at.key,
                text,
                format!("形式 {FORMAT} のパックを使うか、プログラムを新しくしてください"),
            );
        }
        _ => {}
    }
    let meta = PackMeta {
        name: name.map(|a| a.value).unwrap_or_default(),
        title: need(t, "title"),
        version: need(t, "version"),
        format: format.and_then(|f| u32::try_from(f.value).ok()).unwrap_or(0),
        based_on: t.text("based_on").map(|a| a.value),
    };
    t.finish();
    meta
}
