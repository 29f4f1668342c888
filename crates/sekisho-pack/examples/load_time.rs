//! How long the model pack takes to load: median of 20 runs, in milliseconds.

use std::time::Instant;

use sekisho_pack::model::Pack;

fn main() {
    let files = Pack::model_city_files();
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let start = Instant::now();
            let loaded = Pack::load_files(&files).is_ok();
            assert!(loaded, "the model pack loads");
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{:.1}", times.get(10).copied().unwrap_or_default());
}
