//! Template and data in, PDF out.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use serde_json::Value;
use typst::diag::{SourceDiagnostic, Tracepoint};
use typst::foundations::{Datetime, Smart};
use typst::syntax::Span;
use typst::{World, WorldExt};
use typst_pdf::{PdfOptions, PdfStandards, Timestamp};

use crate::world::FormWorld;
use crate::{Fault, FormError, fonts};

/// Bytes of templates and data together.
pub(crate) const INPUT_BYTES: usize = 8 * 1024 * 1024;
/// Faults reported of one template.
const FAULTS: usize = 20;
/// Asia/Tokyo, minutes east of UTC.
const TOKYO_MINUTES: i32 = 540;

/// Typesets the template `main` (a file stem, as `forms` of a pack has them) and returns the PDF.
///
/// The template reads the facts with `json("/data.json")`, usually a [`crate::FormData`], and with
/// `json("/unprintable.json")` what of them the embedded fonts lack (see [`crate::unprintable`]), as
/// `{"text", "code"}`. It may import the other templates (`#import "base.typ": *`). `document_date` of the data (`2026-07-01`), where
/// there is one, becomes the date of the PDF; the same input gives the same bytes.
///
/// Runs in this process without a limit on time or memory: for tests and for the child. A server calls
/// [`crate::render_limited`].
///
/// # Errors
/// A missing or faulty template ([`FormError::Template`] names file, line and remedy), or too much input.
pub fn render(templates: &BTreeMap<String, String>, main: &str, data: &Value) -> Result<Vec<u8>, FormError> {
    let text = data.to_string();
    let bytes = templates.values().map(String::len).fold(text.len(), usize::saturating_add);
    if bytes > INPUT_BYTES {
        return Err(FormError::TooLarge { bytes, limit: INPUT_BYTES });
    }
    let options = PdfOptions {
        ident: Smart::Custom(format!("{main}\n{text}")),
        creator: Smart::Custom(Some("Sekisho".to_owned())),
        timestamp: document_date(data),
        page_ranges: None,
        standards: PdfStandards::default(),
        tagged: true,
        pretty: false,
    };
    let world = FormWorld::new(templates, main, text, unprintable(data).to_string())?;
    let document = typst::compile(&world).output.map_err(|found| template_error(&world, &found))?;
    typst_pdf::pdf(&document, &options).map_err(|found| template_error(&world, &found))
}

/// Noon in Tokyo of `document_date`.
fn document_date(data: &Value) -> Option<Timestamp> {
    let date: Date = data.get("document_date")?.as_str()?.parse().ok()?;
    let (year, month, day) = date.ymd();
    let noon = Datetime::from_ymd_hms(year.into(), month.try_into().ok()?, day.try_into().ok()?, 12, 0, 0)?;
    Timestamp::new_local(noon, TOKYO_MINUTES)
}

/// The characters and shapes of all texts of the data that the fonts lack, with their code points.
fn unprintable(data: &Value) -> Value {
    let mut found = BTreeSet::new();
    let mut open = vec![data];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.extend(fonts::unprintable(text)),
            Value::Array(values) => open.extend(values),
            Value::Object(values) => open.extend(values.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let row = |text: String| {
        let code: Vec<String> = text.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
        serde_json::json!({ "text": text, "code": code.join("+") })
    };
    found.into_iter().map(row).collect()
}

fn template_error(world: &FormWorld, found: &[SourceDiagnostic]) -> FormError {
    FormError::Template { faults: found.iter().take(FAULTS).map(|one| fault(world, one)).collect() }
}

/// Where the fault is: its own place, or, where that is in no file, the call that led there.
fn fault(world: &FormWorld, found: &SourceDiagnostic) -> Fault {
    let call = |span: Span| span.id().and_then(|id| Some((id, world.range(span)?.start)));
    let own = found.span.id().and_then(|id| Some((id, world.range(found.span)?.start)));
    let place = own.or_else(|| found.trace.iter().find_map(|point| call(point.span)));
    let mut message = found.message.to_string();
    for hint in &found.hints {
        message.push_str(" / ");
        message.push_str(&hint.v);
    }
    let (file, line, column) = place.map_or_else(Default::default, |(id, start)| {
        let file = id.get().vpath().get_without_slash().to_owned();
        let at = world.source(id).ok().and_then(|source| source.lines().byte_to_line_column(start));
        let (line, column) = at.map_or((0, 0), |(line, column)| (line + 1, column + 1));
        (file, line, column)
    });
    let imports = found.trace.iter().any(|point| matches!(point.v, Tracepoint::Import(_)));
    Fault { file, line, column, remedy: remedy(&message, imports), message }
}

/// What to do, by what the typesetter complained of.
fn remedy(message: &str, imports: bool) -> String {
    let text = if message.contains("package") {
        "様式では外部のパッケージを使えません。使いたい部品は forms フォルダーの .typ ファイルに書いてください。"
    } else if message.contains("file not found")
        || message.contains("failed to load file")
        || message.contains("escape")
    {
        "様式が読めるのは forms フォルダーの .typ ファイルと /data.json、/unprintable.json だけです。ファイル名を確かめてください。"
    } else if message.contains("current date") || message.contains("today") {
        "様式は今日の日付を調べられません。印刷する日付は data の値を使ってください。"
    } else if message.contains("unknown variable") {
        "名前の綴りを確かめ、部品なら #import で読み込んでください。"
    } else if message.contains("does not contain key") {
        "この項目は案件の内容にありません。項目名を直すか、.at(\"項目名\", default: \"\") のように書いて空欄を許してください。"
    } else if message.contains("infinite") || message.contains("maximum") {
        "繰返しや呼出しが終わらなくなっています。終わる条件を確かめてください。"
    } else if message.contains("expected") || message.contains("unclosed") || message.contains("unexpected") {
        "書き方に誤りがあります。この行の前後で、かっこ・引用符・記号 # の対応を確かめてください。"
    } else if imports {
        "読み込んだ部品の中に誤りがあります。その行を直してください。"
    } else {
        "この行の書き方を直し、パックを読み込み直してください。"
    };
    text.to_owned()
}
