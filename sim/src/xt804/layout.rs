//! How structures look on the chip that the host writes for the guest, or takes apart; a test asks a C compiler for the
//! chip whether they do.

use w800_mqtt_at::sdk::bindings::wm_atcmd_item;

/// `mbedtls_x509_crt` on the chip: its size, and where its key and its alternative names are.
pub const CERTIFICATE_BYTES: usize = 408;
pub const CERTIFICATE_KEY: u32 = 204;
pub const CERTIFICATE_NAMES: usize = 248;
/// `mbedtls_x509_sequence` there: tag, length, place, next.
pub const NAME_BYTES: usize = 16;
/// `struct addrinfo` on the chip, in words.
const ADDRINFO_WORDS: u32 = 8;
pub const ADDRINFO_BYTES: u32 = ADDRINFO_WORDS * 4;
pub const ADDRINFO_NEXT: u32 = ADDRINFO_BYTES - 4;
/// `struct wm_atcmd_item` on the chip: as many pointers as here.
pub const ROW_BYTES: usize = size_of::<wm_atcmd_item>() / size_of::<usize>() * 4;

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use w800_mqtt_at::sdk::bindings as sdk;

    use super::*;

    const NEWLIB: &str = "/usr/include/newlib";

    /// What the C compiler is to find true.
    fn claims() -> Vec<String> {
        let same = |name: &str, size: usize| format!("sizeof({name}) == {size}");
        let place = |name: &str, field: &str, at: usize| format!("offsetof({name}, {field}) == {at}");
        vec![
            same("mbedtls_x509_crt", CERTIFICATE_BYTES),
            place("mbedtls_x509_crt", "pk", CERTIFICATE_KEY as usize),
            place("mbedtls_x509_crt", "subject_alt_names", CERTIFICATE_NAMES),
            same("mbedtls_x509_sequence", NAME_BYTES),
            place("mbedtls_x509_sequence", "buf.tag", 0),
            place("mbedtls_x509_sequence", "buf.len", 4),
            place("mbedtls_x509_sequence", "buf.p", 8),
            place("mbedtls_x509_sequence", "next", 12),
            same("struct addrinfo", ADDRINFO_BYTES as usize),
            place("struct addrinfo", "ai_flags", 0),
            place("struct addrinfo", "ai_family", 4),
            place("struct addrinfo", "ai_socktype", 8),
            place("struct addrinfo", "ai_protocol", 12),
            place("struct addrinfo", "ai_addrlen", 16),
            place("struct addrinfo", "ai_addr", 20),
            place("struct addrinfo", "ai_canonname", 24),
            place("struct addrinfo", "ai_next", ADDRINFO_NEXT as usize),
            same("struct pollfd", size_of::<sdk::pollfd>()),
            place("struct pollfd", "revents", std::mem::offset_of!(sdk::pollfd, revents)),
            same("struct linger", size_of::<sdk::linger>()),
            same("struct sockaddr_in", size_of::<sdk::sockaddr_in>()),
            same("ip_addr_t", size_of::<sdk::ip_addr_t>()),
            same("struct wm_atcmd_item", ROW_BYTES),
            place("struct wm_atcmd_item", "cmd_handle", 4),
            place("struct wm_atcmd_item", "cmd_usg", 8),
        ]
    }

    /// The newest clang, which `scripts/setup.sh` installs for bindgen.
    fn clang() -> PathBuf {
        let folders = fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path().join("bin/clang"));
        folders.filter(|path| path.is_file()).max().expect("clang in /usr/lib/llvm-*: scripts/setup.sh installs it")
    }

    fn mbedtls(root: &Path) -> PathBuf {
        let output = Command::new("bash").arg(root.join("scripts/setup/mbedtls.sh")).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        Path::new(printed.lines().last().expect("the folder of Mbed TLS")).join("include")
    }

    #[test]
    fn structures_look_the_same_on_the_chip() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let asserts: String = claims().iter().map(|claim| format!("_Static_assert({claim}, \"{claim}\");\n")).collect();
        let source = std::env::temp_dir().join(format!("w800-sim-layout-{}.c", std::process::id()));
        fs::write(&source, format!("#include <stddef.h>\n#include \"src/sdk/wrapper.h\"\n{asserts}")).unwrap();
        let output = Command::new(clang())
            .args(["--target=csky-unknown-elf", "-mcpu=ck804ef", "-mhard-float", "-funsigned-char", "-fsyntax-only"])
            .args(["-nostdlibinc", "-D__IEEE_LITTLE_ENDIAN", "-isystem", NEWLIB, "-isystem"])
            .arg(mbedtls(&root))
            .arg("-DMBEDTLS_CONFIG_FILE=\"wm_mbedtls_config.h\"")
            .arg("-I")
            .arg(&root)
            .arg("-I")
            .arg(root.join("wm_sdk/include"))
            .arg(&source)
            .output()
            .unwrap();
        fs::remove_file(&source).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
