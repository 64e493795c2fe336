//! Compiles the C code of the product that the virtual board runs (`src/product.c`), and passes the AT command table's
//! section to the linker, how the serial line is registered, the functions that the trace watches (`src/trace/edge.rs`), the cfg `tls` where the library has
//! TLS, and the sanitizers where `W800_SIM_SANITIZE=1` asks for them.
#![allow(clippy::expect_used, reason = "a build script may stop at an error")]

const WATCHED: [&str; 7] = [
    "lwip_send",
    "lwip_recv",
    "lwip_close",
    "mbedtls_ssl_handshake",
    "mbedtls_ssl_read",
    "mbedtls_ssl_write",
    "mbedtls_ssl_close_notify",
];

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let table = format!("{root}/../wm_sdk/host/at_table.ld");
    println!("cargo::rerun-if-changed={table}");
    println!("cargo::rerun-if-env-changed=W800_SIM_SANITIZE");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{table}");
    println!("cargo::rerun-if-env-changed=W800_SIM_UNWRAPPED");
    println!("cargo::rustc-link-arg-bins={}", registration(&root));
    for function in WATCHED {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap={function}");
    }
    println!("cargo::rustc-check-cfg=cfg(tls)");
    if std::env::var_os("DEP_W800_MQTT_AT_TLS").is_some() {
        println!("cargo::rustc-cfg=tls");
    }
    compile_product();
    if std::env::var("W800_SIM_SANITIZE").is_ok_and(|value| value == "1") {
        // rustc links without the C compiler's default libraries, and the runtime has to come before the C library.
        for argument in ["-Wl,--whole-archive", "-l:libasan.a", "-Wl,--no-whole-archive", "-l:libubsan.a", "-lstdc++"] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
        println!("cargo::rustc-link-arg-bins=-rdynamic");
    }
}

/// By whom the serial line is registered: through the library, unless that was built to do without, or the firmware was
/// linked without the wrap (`W800_SIM_UNWRAPPED=1`).
fn registration(root: &str) -> String {
    let through_library = std::env::var_os("DEP_W800_MQTT_AT_ARGV_LINE").is_some();
    if through_library && std::env::var("W800_SIM_UNWRAPPED").map_or(true, |value| value != "1") {
        return "-Wl,--wrap=wm_atcmd_dev_register".to_owned();
    }
    format!("-Wl,{root}/../linker/no_wrap.ld")
}

fn compile_product() {
    for path in ["src/product.c", "../include", "../wm_sdk/include"] {
        println!("cargo::rerun-if-changed={path}");
    }
    cc::Build::new()
        .std("c11")
        .includes(["../include", "../wm_sdk/include"])
        .file("src/product.c")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("w800_product");
}
