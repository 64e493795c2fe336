//! A command's result as the server takes it.

use crate::client::answer::ServerResult;
use crate::sdk::bindings;
use core::ffi::c_int;

/// What a handler returns.
pub const fn result(closing: ServerResult) -> c_int {
    let result = match closing {
        ServerResult::Ok => bindings::WM_AT_RESULT_OK,
        ServerResult::Error => bindings::WM_AT_RESULT_FAIL,
        ServerResult::Nothing => bindings::WM_AT_RESULT_NULL,
    };
    result as c_int
}
