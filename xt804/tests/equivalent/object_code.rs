//! An object file's functions: each in a section of its own, with what its relocations name.

use std::collections::{BTreeMap, BTreeSet};

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex, SymbolIndex};
use xt804::instruction::Instruction;
use xt804::operation::{JumpTarget, Op};

type Elf<'data> = object::read::elf::ElfFile32<'data>;

/// What an address stands for: a place in a section, or a name that another file has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub name: String,
    pub offset: i64,
}

/// A section: its bytes, and what stands for its addresses.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub bytes: Vec<u8>,
    pub relocations: BTreeMap<u32, Place>,
}

/// An object's code and data by section, and the section of each function.
pub struct Code {
    pub sections: BTreeMap<String, Section>,
    pub functions: BTreeMap<String, String>,
}

impl Code {
    pub fn read(bytes: &[u8]) -> Self {
        let elf = Elf::parse(bytes).unwrap();
        let wanted =
            |name: &str| [".text.", ".rodata", ".data", ".bss", ".wm_at"].iter().any(|start| name.starts_with(start));
        let sections = elf.sections().filter(|section| wanted(section.name().unwrap()));
        let sections = sections.map(|section| (section.name().unwrap().to_owned(), read_section(&elf, &section)));
        let mut all = BTreeMap::new();
        for (name, section) in sections {
            assert!(all.insert(name.clone(), section).is_none(), "{name} is there twice");
        }
        let functions =
            elf.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.is_definition());
        let functions = functions.filter(|symbol| symbol.size() > 0).map(|symbol| {
            assert_eq!(symbol.address(), 0, "a section of its own");
            (symbol.name().unwrap().to_owned(), section_name(&elf, symbol.section_index().unwrap()))
        });
        let functions = functions.collect();
        Self { sections: all, functions }
    }

    pub fn function(&self, name: &str) -> &Section {
        &self.sections[&self.functions[name]]
    }
}

fn read_section<'data>(elf: &Elf<'data>, section: &impl ObjectSection<'data>) -> Section {
    let relocations = section.relocations().map(|(at, relocation)| {
        let RelocationTarget::Symbol(index) = relocation.target() else { panic!("a relocation without a symbol") };
        (u32::try_from(at).unwrap(), place(elf, index, relocation.addend()))
    });
    Section { bytes: section.data().unwrap().to_vec(), relocations: relocations.collect() }
}

fn place(elf: &Elf<'_>, index: SymbolIndex, addend: i64) -> Place {
    let symbol = elf.symbol_by_index(index).unwrap();
    match symbol.section_index() {
        Some(section) if !symbol.is_undefined() => {
            let offset = i64::try_from(symbol.address()).unwrap() + addend;
            Place { name: section_name(elf, section), offset }
        }
        _ => Place { name: symbol.name().unwrap().to_owned(), offset: addend },
    }
}

fn section_name(elf: &Elf<'_>, index: SectionIndex) -> String {
    elf.section_by_index(index).unwrap().name().unwrap().to_owned()
}

impl Section {
    fn half(&self, at: u32) -> Option<u16> {
        let at = at as usize;
        Some(u16::from_le_bytes(self.bytes.get(at..at + 2)?.try_into().unwrap()))
    }

    pub fn word(&self, at: u32) -> u32 {
        let at = at as usize;
        u32::from_le_bytes(self.bytes[at..at + 4].try_into().unwrap())
    }

    pub fn decode(&self, at: u32) -> Instruction {
        let found = self.half(at).and_then(|first| Instruction::decode(first, self.half(at + 2)));
        found.unwrap_or_else(|| panic!("no instruction at {at:#x}"))
    }

    /// The instructions by their places. Literals, of which an instruction before them tells, are none.
    pub fn instructions(&self) -> BTreeMap<u32, Instruction> {
        let mut found = BTreeMap::new();
        let mut literals = BTreeSet::new();
        let (mut at, end) = (0, u32::try_from(self.bytes.len()).unwrap());
        while at < end {
            if literals.contains(&at) {
                at += 4;
                continue;
            }
            let instruction = self.decode(at);
            literals.extend(pool_of(at, &instruction));
            found.insert(at, instruction);
            at += u32::from(instruction.length);
        }
        found
    }
}

/// Where the instruction takes a word from.
pub fn pool_of(at: u32, instruction: &Instruction) -> Option<u32> {
    let takes = matches!(instruction.op, Op::LoadPool | Op::Jump(JumpTarget::Pool) | Op::Call(JumpTarget::Pool));
    takes.then(|| at.wrapping_add(instruction.immediate) & !3)
}
