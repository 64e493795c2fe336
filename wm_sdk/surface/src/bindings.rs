//! Runs the library's build script over headers, as cargo does for the chip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;
use crate::facts::{self, Facts};

/// Whose headers are read.
#[derive(Clone, Copy, Debug)]
pub enum Headers<'p> {
    /// `wm_sdk/include`, behind a folder of configuration headers.
    Own {
        /// Comes first on the include path.
        configuration: &'p Path,
    },
    /// Those of a WM IoT SDK, with the `wmsdk_config.h` in a folder.
    Sdk {
        /// The SDK.
        path: &'p Path,
        /// The folder.
        configuration: &'p Path,
    },
}

/// A folder of this process's own, gone when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Folder> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sdk-surface-{}-{count}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The library's build script as a program, and the word that it runs by (`build.rs`).
const SCRIPT: &str = env!("SDK_BINDINGS");
const RUN: &str = "bindings";

/// The facts that the library's build script finds in `headers`.
///
/// # Errors
/// The script fails, or its output cannot be read.
pub fn facts(headers: Headers<'_>) -> Result<Facts> {
    let out = Folder::new()?;
    let mut command = Command::new(SCRIPT);
    command
        .arg(RUN)
        .env("CARGO_MANIFEST_DIR", root())
        .env("CARGO_CFG_TARGET_ARCH", "csky")
        .env("CARGO_CFG_TARGET_OS", "none")
        .env("TARGET", "csky-w800-none-elfabiv2")
        .env("RUSTC", std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .env("OUT_DIR", out.path());
    for variable in ["WM_IOT_SDK_PATH", "WM_IOT_SDK_CONFIG", "W800_SIM_CONFIG"] {
        command.env_remove(variable);
    }
    match headers {
        Headers::Own { configuration } => command.env("W800_SIM_CONFIG", configuration),
        Headers::Sdk { path, configuration } => {
            command.env("WM_IOT_SDK_PATH", path).env("WM_IOT_SDK_CONFIG", configuration)
        }
    };
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("bindings of {headers:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    facts::read(&fs::read_to_string(out.path().join("bindings.rs"))?)
}
