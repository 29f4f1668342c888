//! Checks a pack folder, or the model pack built in, and prints messages and coverage: `check [FOLDER]`.

use sekisho_pack::coverage::{Built, coverage};
use sekisho_pack::load::read_dir;
use sekisho_pack::model::Pack;

fn main() -> std::process::ExitCode {
    let files = match std::env::args().nth(1) {
        Some(dir) => read_dir(std::path::Path::new(&dir)),
        None => Ok(Pack::model_city_files()),
    };
    let (pack, messages) = match files {
        Ok(files) => Pack::examine(&files),
        Err(messages) => (None, messages),
    };
    for m in messages {
        println!("{m}");
    }
    let Some(pack) = pack else { return std::process::ExitCode::FAILURE };
    println!("{}", coverage(&pack, &Built { gates: &["ledger", "handling"] }).summary());
    std::process::ExitCode::SUCCESS
}
