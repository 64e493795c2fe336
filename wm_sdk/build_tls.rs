// Builds Mbed TLS from its source as the board's firmware has it: with the SDK's options, on the SDK's heap.
//
// `build.rs` includes this file and calls `add_tls`. Build dependency: cc.

/// The files' names as the heap sees them: by these it knows Mbed TLS's blocks (HEAP_MBEDTLS_FILES in host/heap.h).
const TLS_FILES_AS: &str = "mbedtls";

/// Compiles Mbed TLS beside the board and tells the tests where its headers are.
fn add_tls(variant: Option<&std::path::Path>) {
    let root = manifest_dir();
    let source = third_party_source(&root, "mbedtls.sh");
    let includes: Vec<_> =
        variant.map(Into::into).into_iter().chain([root.join("include"), source.join("include")]).collect();

    cc::Build::new()
        .includes(&includes)
        .include(source.join("library"))
        .define("MBEDTLS_CONFIG_FILE", "\"wm_mbedtls_config.h\"")
        .flag(format!("-fmacro-prefix-map={}={TLS_FILES_AS}", source.display()))
        .std("gnu11")
        .opt_level(2)
        .warnings(false)
        .files(tls_files(&source.join("library")))
        .compile("w800_mbedtls");

    let includes = std::env::join_paths(&includes).expect("no folder's name has a colon");
    println!("cargo::rustc-env=W800_TLS_INCLUDES={}", includes.display());
    println!("cargo::rustc-env=W800_TLS_LIBRARY={}", std::env::var("OUT_DIR").expect("set by cargo"));
}

/// Mbed TLS leaves out by itself what the configuration does not have.
fn tls_files(library: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = library
        .read_dir()
        .expect("Mbed TLS's source is complete")
        .map(|entry| entry.expect("Mbed TLS's source is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files
}
