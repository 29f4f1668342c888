//! What the disk under a benchmark can do.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant as Stopwatch};

/// One fsync after 4 KiB in a folder: the median of a hundred.
///
/// # Errors
/// The folder cannot be written to.
pub fn fsync_time(folder: &Path) -> std::io::Result<Duration> {
    let mut file = std::fs::File::create(folder.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Stopwatch::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}
