// Builds the virtual board's network: lwIP from its source, the port, the radio, and the test of them all.
//
// `build.rs` includes this file and calls `add_net`. Build dependencies: cc, pkg-config. System packages: libslirp-dev.
// The test in C is part of the library and costs nothing where it is not called; host/net/tests/net.rs calls it:
//     [[test]]
//     name = "net"
//     path = "host/net/tests/net.rs"

/// Adds the network beside `build`, which gets the folder of `net.h` on its include path.
fn add_net(build: &mut cc::Build, variant: Option<&std::path::Path>) {
    let root = manifest_dir();
    let net = root.join("host/net");
    let lwip = third_party_source(&root, "lwip.sh");
    let slirp = pkg_config::Config::new().atleast_version("4.7").probe("slirp").expect("libslirp-dev is installed");

    // The order matters: lwIP's own headers come before include/lwip, which declares the same things for bindgen.
    let mut base = cc::Build::new();
    base.includes(variant)
        .include(lwip.join("src/include"))
        .include(net.join("port"))
        .include(&net)
        .include(root.join("include"))
        .include(root.join("host"))
        .std("gnu11");

    base.clone().warnings(false).files(lwip_files(&lwip.join("src"))).compile("w800_lwip");

    let mut strict = base;
    strict.warnings(true).extra_warnings(true).warnings_into_errors(true);
    strict
        .clone()
        .includes(&slirp.include_paths)
        .files(["net.c", "interface.c", "addresses.c", "sntp.c", "ping.c", "radio.c", "hosts.c", "gate.c", "impair.c", "virtual_servers.c", "abi_check.c"].map(|file| net.join(file)))
        .file(net.join("port/sys_arch.c"))
        .compile("w800_net");
    strict.files(["net_test.c", "gate_test.c", "impair_test.c", "peer.c"].map(|file| net.join("tests").join(file))).compile("w800_net_test");

    // This one sees our declarations, so lwIP's headers are not on its path.
    cc::Build::new()
        .includes(variant)
        .include(root.join("include"))
        .std("gnu11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .file(net.join("abi_declared.c"))
        .compile("w800_net_declared");

    build.include(&net);
    for path in ["host/net", "include"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
}

/// What the SDK compiles of lwIP, as far as this board has it.
fn lwip_files(source: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = ["core", "core/ipv4", "core/ipv6", "api"]
        .iter()
        .flat_map(|folder| source.join(folder).read_dir().expect("lwIP's source is complete"))
        .map(|entry| entry.expect("lwIP's source is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files.push(source.join("netif/ethernet.c"));
    files.push(source.join("apps/sntp/sntp.c"));
    files
}
