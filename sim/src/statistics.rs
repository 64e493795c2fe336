//! What the library counts, as rows for `AT+SYSSTAT?`: of the library in this program, or of the one that the simulated
//! processor runs.

use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};

use w800_mqtt_at::c_api::statistics::w800_mqtt_at_get_statistics;
use w800_mqtt_at::client::statistics::Statistics;

use crate::xt804;

/// Numbers in the structure.
const FIGURES: usize = size_of::<Statistics>() / size_of::<u32>();

/// The rows of the last call, for as long as the board prints them.
static ROWS: Mutex<Option<CString>> = Mutex::new(None);

/// The rows of this program's library.
pub extern "C" fn native() -> *const c_char {
    rows(|link| {
        let mut figures = [0_u32; FIGURES];
        // SAFETY: the structure is as many numbers.
        #[expect(unsafe_code, reason = "the library's C interface")]
        let status = unsafe { w800_mqtt_at_get_statistics(link, figures.as_mut_ptr().cast()) };
        (status == 0).then_some(figures)
    })
}

/// The rows of the simulated processor's.
pub extern "C" fn guest() -> *const c_char {
    rows(xt804::statistics)
}

fn rows(of: impl Fn(u8) -> Option<[u32; FIGURES]>) -> *const c_char {
    let links = (0..=u8::MAX).map_while(|link| Some((link, of(link)?)));
    let rows: String = links
        .map(|(link, figures)| {
            let numbers: Vec<String> = figures.iter().map(u32::to_string).collect();
            format!("+SYSSTAT:{link},{}\r\n", numbers.join(","))
        })
        .collect();
    let mut kept = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.insert(CString::new(rows).unwrap_or_default()).as_ptr()
}
