//! A linked program as the machine takes it: bytes with addresses, symbols, and what it wants of the host.

use std::collections::BTreeMap;

use object::read::elf::{ElfFile32, ProgramHeader};
use object::{Object, ObjectSymbol, SymbolKind};

use crate::link::{IMPORTS, RETURN};

/// More of the host's functions than any program has: beyond, an absolute symbol is something else.
const MAX_IMPORTS: usize = 0x1_0000;

/// ELF's number for C-SKY.
const EM_CSKY: u16 = 252;

/// A linked program.
#[derive(Debug, Default)]
pub struct Image {
    pub(crate) segments: Vec<(u32, Vec<u8>)>,
    pub(crate) symbols: Symbols,
}

impl Image {
    /// Reads an executable ELF file for C-SKY.
    pub fn parse(elf: &[u8]) -> Result<Self, String> {
        let file: ElfFile32<'_> = ElfFile32::parse(elf).map_err(|error| error.to_string())?;
        let machine = file.elf_header().e_machine.get(file.endian());
        if machine != EM_CSKY {
            return Err(format!("an ELF file for machine {machine}, not for C-SKY ({EM_CSKY})"));
        }
        Ok(Self { segments: segments(&file)?, symbols: Symbols::read(&file) })
    }

    /// What has a name in it.
    pub fn symbols(&self) -> &Symbols {
        &self.symbols
    }
}

fn segments(file: &ElfFile32<'_>) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let endian = file.endian();
    let loaded = file.elf_program_headers().iter().filter(|header| header.p_type(endian) == object::elf::PT_LOAD);
    loaded
        .map(|header| {
            let data = header.data(endian, file.data()).map_err(|()| "a segment beyond the file's end".to_owned())?;
            Ok((header.p_vaddr(endian), data.to_vec()))
        })
        .collect()
}

#[derive(Debug)]
struct Function {
    address: u32,
    size: u32,
    name: String,
}

/// Names and addresses.
#[derive(Debug, Default)]
pub struct Symbols {
    /// By address.
    functions: Vec<Function>,
    addresses: BTreeMap<String, u32>,
    /// By number.
    imports: Vec<String>,
}

impl Symbols {
    fn read(file: &ElfFile32<'_>) -> Self {
        let mut symbols = Self::default();
        for symbol in file.symbols() {
            let (Ok(name), Ok(address)) = (symbol.name(), u32::try_from(symbol.address())) else { continue };
            if name.is_empty() || name.starts_with('$') || symbol.is_undefined() {
                continue;
            }
            symbols.addresses.insert(name.to_owned(), address);
            if symbol.kind() == SymbolKind::Text {
                let size = u32::try_from(symbol.size()).unwrap_or(0);
                symbols.functions.push(Function { address, size, name: demangle(name) });
            }
        }
        symbols.functions.sort_by_key(|function| function.address);
        symbols.imports = imports(&symbols.addresses);
        symbols
    }

    /// Where a symbol lies, by its name in the file.
    pub fn address(&self, name: &str) -> Option<u32> {
        self.addresses.get(name).copied()
    }

    /// The host's functions, in the order of their numbers.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The host's function of a number.
    pub fn import(&self, number: usize) -> Option<&str> {
        self.imports.get(number).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The function around an address, and the distance from its begin.
    pub fn function(&self, address: u32) -> Option<(&str, u32)> {
        if let Some(import) = import_number(address).and_then(|number| self.import(number)) {
            return Some((import, 0));
        }
        let after = self.functions.partition_point(|function| function.address <= address);
        let function = self.functions.get(after.checked_sub(1)?)?;
        let offset = address.wrapping_sub(function.address);
        (offset < function.size.max(1)).then_some((&function.name, offset))
    }

    /// A function's name, or its address.
    pub fn name(&self, address: u32) -> String {
        self.function(address).map_or_else(|| format!("{address:#010x}"), |(name, _)| name.to_owned())
    }
}

/// Without the hash that makes it unique.
fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Which of the host's functions an address stands for.
pub(crate) fn import_number(address: u32) -> Option<usize> {
    let offset = address.checked_sub(IMPORTS)?;
    (address != RETURN).then_some((offset >> 2) as usize)
}

/// A number that no symbol has leaves an empty name.
fn imports(addresses: &BTreeMap<String, u32>) -> Vec<String> {
    let numbered: BTreeMap<usize, &String> =
        addresses.iter().filter_map(|(name, address)| Some((import_number(*address)?, name))).collect();
    let count = numbered.last_key_value().map_or(0, |(last, _)| last.saturating_add(1)).min(MAX_IMPORTS);
    (0..count).map(|number| numbered.get(&number).map_or_else(String::new, |name| (*name).clone())).collect()
}
