//! Files of logins (SCIM and tables): never a panic, no more people than the limits allow, and none without a login and a number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_exchange::users::{USERS, read_users};

fuzz_target!(|data: &[u8]| {
    // Spreadsheets are the target `workbook`'s.
    if data.starts_with(b"PK") {
        return;
    }
    let Ok(users) = read_users(data) else { return };
    assert!(users.rows.len() <= USERS);
    assert!(users.rows.iter().all(|r| !r.login.is_empty() && !r.number.is_empty()));
});
