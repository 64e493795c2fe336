//! The SDK's C API as `build.rs` generates it, and nothing else: wrappers live beside this file.
//!
//! Not taken from the headers: the heap. `wm_heap_caps_alloc` is a function or a macro over
//! another one, as the firmware's configuration has it (`CONFIG_HEAP_USE_TRACING`), and an
//! archive must link with either. The SDK defines `malloc` and `free` over the same heap in
//! both, so those are what the chip gets; the virtual board counts its heap behind
//! `wm_heap_caps_alloc_tracing`.
//!
//! Never call: anything that takes a `struct timeval` or reads `errno`. The width of the
//! first and the place of the second differ between the vendor's two compilers. Ask
//! `lwip_poll` for time-outs and `SO_ERROR` for causes.
#![allow(
    unsafe_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    dead_code,
    clippy::all,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::undocumented_unsafe_blocks
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// Where addresses have no family, the other name is a macro over this.
#[cfg(not(lwip_ipv6))]
pub use self::ip4addr_ntoa_r as ipaddr_ntoa_r;

#[cfg(target_arch = "csky")]
unsafe extern "C" {
    #[link_name = "malloc"]
    pub fn heap_alloc(size: usize) -> *mut core::ffi::c_void;
    #[link_name = "malloc"]
    pub fn heap_alloc_for_mbedtls(size: usize) -> *mut core::ffi::c_void;
    #[link_name = "free"]
    pub fn heap_free(block: *mut core::ffi::c_void);
}

#[cfg(not(target_arch = "csky"))]
unsafe extern "C" {
    fn wm_heap_caps_alloc_tracing(
        size: usize,
        caps: core::ffi::c_uint,
        file: *const core::ffi::c_char,
        line: core::ffi::c_int,
    ) -> *mut core::ffi::c_void;
    #[link_name = "wm_heap_caps_free"]
    pub fn heap_free(block: *mut core::ffi::c_void);
}

#[cfg(not(target_arch = "csky"))]
pub unsafe fn heap_alloc(size: usize) -> *mut core::ffi::c_void {
    // SAFETY: as the caller has it.
    unsafe { heap_alloc_for(c"w800-mqtt-at", size) }
}

/// For a context of Mbed TLS's: the virtual board counts it with what Mbed TLS allocates itself.
#[cfg(not(target_arch = "csky"))]
pub unsafe fn heap_alloc_for_mbedtls(size: usize) -> *mut core::ffi::c_void {
    // SAFETY: as the caller has it.
    unsafe { heap_alloc_for(c"mbedtls/context", size) }
}

#[cfg(not(target_arch = "csky"))]
unsafe fn heap_alloc_for(owner: &'static core::ffi::CStr, size: usize) -> *mut core::ffi::c_void {
    const WM_HEAP_CAP_DEFAULT: core::ffi::c_uint = 1;
    // SAFETY: any size may be asked for; the answer is NULL or a block of that size.
    unsafe { wm_heap_caps_alloc_tracing(size, WM_HEAP_CAP_DEFAULT, owner.as_ptr(), 0) }
}
