//! Uploaded workbooks and CSV files: never a panic, never more memory than the limits allow, and what was read keeps
//! within them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_app::exchange::read_workbook;
use sekisho_base::limits::{IMPORT_COLUMNS, IMPORT_ROWS};

fuzz_target!(|data: &[u8]| {
    match read_workbook(data) {
        Ok(grids) => {
            assert!(!grids.is_empty());
            for grid in grids {
                // One more than the limit, for the row of headers.
                assert!(grid.rows.len() <= IMPORT_ROWS + 1);
                assert!(grid.rows.iter().all(|row| row.len() <= IMPORT_COLUMNS));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty() && error.code().starts_with("import.")),
    }
});
