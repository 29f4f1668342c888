//! The model pack's own data tests, answered by the engine.

use sekisho_case::decide::PackOracle;
use sekisho_pack::model::Pack;

use crate::world::d;

#[test]
fn the_model_packs_data_tests_come_out_as_expected() {
    let pack = Pack::model_city().unwrap();
    let oracle = PackOracle::new(&pack, d("2026-07-01")).unwrap();
    let failures: Vec<String> =
        sekisho_pack::test::run(&pack, &oracle).iter().map(ToString::to_string).collect();
    assert!(!pack.tests.is_empty());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
