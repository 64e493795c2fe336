//! The AT server: the guest's rows of its table, what it prints for the guest, its passthrough, and the firmware's credentials.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use w800_mqtt_at::c_api::table::WM_AT_TABLE;
use w800_mqtt_at::sdk::bindings::{self, wm_atcmd_item};

use super::call::{Outcome, Trouble, Words, low, status};
use super::guest::{call_int, core, or_fail};
use super::layout::ROW_BYTES;
use super::memory::{self, lend, word};

/// As `wm_sdk/host/credentials.h` and `scripts/build-image.sh` have it.
const CREDENTIAL_BYTES: usize = 16 * 1024;

unsafe extern "C" {
    static wm_at_table_start: [wm_atcmd_item; 0];
    static wm_at_table_end: [wm_atcmd_item; 0];
    static mqtt_client_tls_ca: [u8; CREDENTIAL_BYTES];
    static mqtt_client_tls_cert: [u8; CREDENTIAL_BYTES];
    static mqtt_client_tls_key: [u8; CREDENTIAL_BYTES];
    fn atcmd_set_table(first: *const wm_atcmd_item, end: *const wm_atcmd_item);
}

/* Commands */

/// The guest's handlers, in the order of its table.
static HANDLERS: OnceLock<Vec<u32>> = OnceLock::new();

type Handler = unsafe extern "C" fn(bindings::wm_at_type_e, c_int, *mut *mut c_char) -> c_int;

/// The server tells a handler everything but its command's name: one function for each row.
unsafe extern "C" fn handle<const ROW: usize>(form: c_uint, argc: c_int, argv: *mut *mut c_char) -> c_int {
    let arguments = (0..usize::try_from(argc).unwrap_or(0)).map(|index| {
        // SAFETY: the server hands `argc` texts at `argv` that stay valid during the call.
        unsafe { CStr::from_ptr(argv.add(index).read()) }
    });
    let arguments: Vec<&CStr> = arguments.collect();
    let handler = HANDLERS.get().and_then(|handlers| handlers.get(ROW)).copied().unwrap_or(0);
    or_fail(run(handler, form, &arguments))
}

macro_rules! handlers {
    ($($row:literal)*) => { [$(handle::<$row>),*] };
}

static ENTRIES: [Handler; 24] = handlers![0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23];

fn run(handler: u32, form: c_uint, arguments: &[&CStr]) -> Result<c_int, Trouble> {
    let mut texts: Vec<u8> = arguments.iter().flat_map(|text| text.to_bytes_with_nul()).copied().collect();
    lend(&mut texts, |at| {
        let starts = arguments.iter().scan(at, |next, text| {
            let start = *next;
            *next = next.saturating_add(text.to_bytes_with_nul().len() as u32);
            Some(start)
        });
        let mut pointers: Vec<u8> = starts.flat_map(u32::to_le_bytes).collect();
        lend(&mut pointers, |argv| call_int(handler, &[form, arguments.len() as u32, argv]))
    })?
}

/// Gives the AT server the guest's commands in place of the native library's.
pub fn offer_commands() -> Result<(), Trouble> {
    let guests = guest_rows()?;
    if guests.len() > ENTRIES.len() {
        return Err(Trouble::Misuse(format!("{} commands, room for {}", guests.len(), ENTRIES.len())));
    }
    let _ = HANDLERS.set(guests.iter().map(|[_, handler]| *handler).collect());
    let mut rows = Vec::new();
    for ([name, _], entry) in guests.iter().zip(ENTRIES) {
        // SAFETY: pointers and an optional function, all of which may be NULL.
        let mut row: wm_atcmd_item = unsafe { std::mem::zeroed() };
        row.cmd_name = memory::text(*name)?.into_raw();
        row.cmd_handle = Some(entry);
        rows.push(row);
    }
    rows.extend(neighbours());
    let rows: &'static [wm_atcmd_item] = rows.leak();
    let range = rows.as_ptr_range();
    // SAFETY: the rows are never freed.
    unsafe { atcmd_set_table(range.start, range.end) };
    Ok(())
}

/// Name and handler of each row, found as the vendor's server finds them. The library gives no row a usage text.
fn guest_rows() -> Result<Vec<[u32; 2]>, Trouble> {
    let bounds = ["wm_at_table_start", "wm_at_table_end"].map(|name| core().machine().symbols().address(name));
    let [Some(start), Some(end)] = bounds else {
        return Err(Trouble::Misuse("the image has no command table".to_owned()));
    };
    (start..end).step_by(ROW_BYTES).map(|at| Ok([word(at)?, word(at.wrapping_add(4))?])).collect()
}

/// The rows of the board's own commands.
fn neighbours() -> Vec<wm_atcmd_item> {
    let library = (&raw const WM_AT_TABLE).addr();
    let library = library..library.saturating_add(size_of_val(&WM_AT_TABLE));
    let (start, end) = ((&raw const wm_at_table_start).addr(), (&raw const wm_at_table_end).addr());
    let linked = (start..end).step_by(size_of::<wm_atcmd_item>()).filter(|at| !library.contains(at));
    linked
        .map(|at| {
            // SAFETY: the linker has put rows from the one symbol to the other.
            unsafe { (&raw const wm_at_table_start).cast::<wm_atcmd_item>().byte_add(at.saturating_sub(start)).read() }
        })
        .collect()
}

/* Output */

pub fn print_raw_data([bytes, size, ..]: Words) -> Outcome {
    let bytes = memory::read(bytes, size)?;
    // SAFETY: the bytes are valid for their length.
    unsafe { bindings::wm_atcmd_print_raw_data(bytes.as_ptr().cast(), size.cast_signed()) };
    Ok(0)
}

/* Data phases of an image whose line does not pass through its library */

/// The guest's side of one; they are never freed, and there are few different ones.
struct Passthrough {
    take: u32,
    ended: u32,
    private: u32,
}

pub fn enter_passthrough([take, ended, private, timeout, ..]: Words) -> Outcome {
    let guests = Box::into_raw(Box::new(Passthrough { take, ended, private }));
    // SAFETY: the callbacks take the guest's side, which is never freed.
    status(unsafe {
        bindings::wm_atcmd_enter_passthrough(Some(take_data), Some(passthrough_ended), guests.cast(), timeout)
    })
}

pub fn exit_passthrough([reason, ..]: Words) -> Outcome {
    // SAFETY: no requirements.
    unsafe { bindings::wm_atcmd_exit_passthrough(reason) };
    Ok(0)
}

unsafe extern "C" fn take_data(bytes: *mut c_void, size: c_int, guests: *mut c_void) -> c_int {
    // SAFETY: the server gives back what `enter_passthrough` gave it, and `size` valid bytes.
    let (guests, bytes) = unsafe {
        let size = usize::try_from(size).unwrap_or(0);
        (&*guests.cast::<Passthrough>(), std::slice::from_raw_parts(bytes.cast::<u8>(), size))
    };
    or_fail(lend(&mut bytes.to_vec(), |at| call_int(guests.take, &[at, size.cast_unsigned(), guests.private])))
}

unsafe extern "C" fn passthrough_ended(reason: c_uint, guests: *mut c_void) -> c_int {
    // SAFETY: as above.
    let guests = unsafe { &*guests.cast::<Passthrough>() };
    call_int(guests.ended, &[reason, guests.private])
}

/* Credentials */

/// Copies what `--ca`, `--cert` and `--key` name to where the guest has its firmware's, if it looks at them. In the
/// main task.
pub fn load_credentials() {
    let all = [
        ("mqtt_client_tls_ca", &raw const mqtt_client_tls_ca),
        ("mqtt_client_tls_cert", &raw const mqtt_client_tls_cert),
        ("mqtt_client_tls_key", &raw const mqtt_client_tls_key),
    ];
    for (name, native) in all {
        let Some(place) = core().machine().symbols().address(name) else { continue };
        // SAFETY: the board has read its files, and nobody writes there any more.
        let bytes = unsafe { &*native };
        // In RAM or, as a product has them, in flash.
        or_fail(core().machine_mut().place_code(place, bytes).map_err(Trouble::from));
    }
}

/// `w800_mqtt_at_set_credential` of the guest's, with a copy of the data that stays.
///
/// # Safety
/// `data` is NULL or has `length` bytes.
pub unsafe extern "C" fn set_credential(link: u8, kind: c_int, data: *const c_void, length: usize) -> c_int {
    let function = core().machine().symbols().address("w800_mqtt_at_set_credential");
    let function = function.ok_or_else(|| Trouble::Misuse("the image cannot be given credentials".to_owned()));
    let copy = if data.is_null() {
        Ok(0)
    } else {
        // SAFETY: by this function's contract.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
        keep(bytes)
    };
    let (function, copy) = (or_fail(function), or_fail(copy));
    call_int(function, &[u32::from(link), kind.cast_unsigned(), copy, low(length as u64)])
}

/// The numbers that the guest's library counts of a link; `None` where it has no such link.
pub fn statistics<const FIGURES: usize>(link: u8) -> Option<[u32; FIGURES]> {
    let function = core().machine().symbols().address("w800_mqtt_at_get_statistics")?;
    let mut bytes = vec![0; size_of::<[u32; FIGURES]>()];
    let status = or_fail(lend(&mut bytes, |at| call_int(function, &[u32::from(link), at])));
    let mut figures = [0; FIGURES];
    for (figure, word) in figures.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *figure = u32::from_le_bytes(*word);
    }
    (status == 0).then_some(figures)
}

fn keep(bytes: &[u8]) -> Result<u32, Trouble> {
    let mut core = core();
    let at = core.allocate(low(bytes.len() as u64))?;
    core.write(at, bytes)?;
    Ok(at)
}
