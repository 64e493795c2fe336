//! From archives to a program: GNU ld places them in the chip's memory, and every function that they do not have
//! becomes one of the host's.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol};

/// Where flash begins.
pub const FLASH: u32 = 0x0800_0000;
/// How much flash there is.
pub const FLASH_SIZE: usize = 2 << 20;
/// Where RAM begins.
pub const RAM: u32 = 0x2000_0000;
/// How much RAM there is.
pub const RAM_SIZE: usize = 288 << 10;
/// The address of the host's first function; the others follow, four bytes each. No memory is there.
pub const IMPORTS: u32 = 0xf000_0000;
/// The return address of what the host calls: execution that comes here has returned.
pub const RETURN: u32 = 0xffff_fff0;

const _: () = assert!(RETURN > IMPORTS, "returns are told from calls by their address");

/// The placing of sections. Rust's sections are one for each function and static; unused ones are dropped.
const SCRIPT: &str = "\
SECTIONS
{
  . = @FLASH@;
  .text : { *(.text .text.*) }
  .rodata : ALIGN(8) { *(.rodata .rodata.*) }
  .wm_at_table : ALIGN(4)
  {
    wm_at_table_start = .;
    KEEP (*(.wm_at_table))
    wm_at_table_end = .;
  }
  . = @RAM@;
  .data : ALIGN(8) { *(.data .data.*) }
  .bss : ALIGN(8) { *(.bss .bss.* COMMON) }
  . = ALIGN(8);
  __ram_free_start = .;
  /DISCARD/ : { *(.eh_frame .eh_frame.* .note.*) }
}
";

/// What to link.
#[derive(Debug)]
pub struct Link<'a> {
    /// GNU ld for C-SKY.
    pub ld: &'a Path,
    /// Static libraries and objects.
    pub inputs: &'a [PathBuf],
    /// What must be in the result; all else follows from it.
    pub roots: &'a [&'a str],
    /// Where the result goes; the script and the list of symbols are put beside it.
    pub output: &'a Path,
}

impl Link<'_> {
    /// Links. The host's functions are numbered in the alphabetical order of their names.
    pub fn run(&self) -> Result<(), String> {
        let script = self.output.with_extension("ld");
        let text = SCRIPT.replace("@FLASH@", &FLASH.to_string()).replace("@RAM@", &RAM.to_string());
        fs::write(&script, text).map_err(|error| format!("{}: {error}", script.display()))?;
        let symbols = self.output.with_extension("rsp");
        fs::write(&symbols, self.definitions()?).map_err(|error| format!("{}: {error}", symbols.display()))?;

        let mut response = OsString::from("@");
        response.push(&symbols);
        let mut command = Command::new(self.ld);
        command.arg("--gc-sections").arg("-T").arg(&script).arg("-o").arg(self.output).arg(response);
        command.args(self.roots.iter().map(|root| format!("--require-defined={root}")));
        command.arg("--entry=0").arg("--start-group").args(self.inputs).arg("--end-group");
        let output = command.output().map_err(|error| format!("{}: {error}", self.ld.display()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn definitions(&self) -> Result<String, String> {
        let addresses = (IMPORTS..).step_by(4);
        let lines = undefined(self.inputs)?.into_iter().zip(addresses);
        Ok(lines.map(|(name, address)| format!("--defsym={name}={address:#x}\n")).collect())
    }
}

/// What these files need and do not have, in alphabetical order.
pub fn undefined(inputs: &[PathBuf]) -> Result<BTreeSet<String>, String> {
    let (mut needed, mut had) = (BTreeSet::new(), BTreeSet::new());
    for input in inputs {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", input.display());
        let bytes = fs::read(input).map_err(|error| failed(&error))?;
        let Ok(archive) = ArchiveFile::parse(&*bytes) else {
            collect(&bytes, &mut needed, &mut had).map_err(|error| failed(&error))?;
            continue;
        };
        for member in archive.members() {
            let data = member.and_then(|member| member.data(&*bytes)).map_err(|error| failed(&error))?;
            collect(data, &mut needed, &mut had).map_err(|error| failed(&error))?;
        }
    }
    // The script's own.
    had.extend(["wm_at_table_start", "wm_at_table_end", "__ram_free_start"].map(str::to_owned));
    Ok(needed.difference(&had).cloned().collect())
}

fn collect(bytes: &[u8], needed: &mut BTreeSet<String>, had: &mut BTreeSet<String>) -> object::Result<()> {
    for symbol in object::File::parse(bytes)?.symbols() {
        let name = symbol.name()?.to_owned();
        if symbol.is_undefined() && !name.is_empty() {
            needed.insert(name);
        } else if symbol.is_global() {
            had.insert(name);
        }
    }
    Ok(())
}
