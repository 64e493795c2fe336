//! The chip's memory as flat regions. Every access is checked: nothing outside the map, nothing misaligned, no code
//! overwritten. The host reads and writes the guest's memory through the same checks.

use crate::fault::FaultKind;
use crate::operation::Access;

/// What a region may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Code and constants: read and executed, written by the loader alone.
    Flash,
    /// Data: read and written, never executed.
    Ram,
}

/// A piece of the address space.
#[derive(Debug)]
pub struct Region {
    base: u32,
    purpose: Use,
    bytes: Vec<u8>,
}

impl Region {
    fn offset(&self, address: u32) -> Option<usize> {
        let offset = address.wrapping_sub(self.base) as usize;
        (offset < self.bytes.len()).then_some(offset)
    }

    /// The place of an aligned address among chunks of that size. The first address is a multiple of every size.
    #[inline]
    fn index<const N: usize>(&self, address: u32) -> Option<usize> {
        let offset = address.wrapping_sub(self.base) as usize;
        let (mask, shift) = const { (N.wrapping_sub(1), N.trailing_zeros()) };
        (offset & mask == 0).then_some(offset >> shift)
    }

    #[inline]
    fn chunk<const N: usize>(&self, address: u32) -> Option<&[u8; N]> {
        self.bytes.as_chunks().0.get(self.index::<N>(address)?)
    }

    #[inline]
    fn chunk_mut<const N: usize>(&mut self, address: u32) -> Option<&mut [u8; N]> {
        let index = self.index::<N>(address)?;
        self.bytes.as_chunks_mut().0.get_mut(index)
    }

    /// The first address.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The address after the last.
    pub fn end(&self) -> u32 {
        self.base.wrapping_add(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}

/// All regions, one for each use.
#[derive(Debug)]
pub struct Memory {
    ram: Region,
    flash: Region,
}

impl Memory {
    /// Memory full of zeros, as first address (a multiple of 4) and size in bytes.
    pub fn new(flash: (u32, usize), ram: (u32, usize)) -> Self {
        let region = |(base, size), purpose| Region { base: base & !3, purpose, bytes: vec![0; size] };
        Self { ram: region(ram, Use::Ram), flash: region(flash, Use::Flash) }
    }

    /// The region of code and constants.
    pub fn flash(&self) -> &Region {
        &self.flash
    }

    /// The region of data.
    pub fn ram(&self) -> &Region {
        &self.ram
    }

    fn region(&self, address: u32) -> Option<(&Region, usize)> {
        [&self.ram, &self.flash].into_iter().find_map(|region| Some((region, region.offset(address)?)))
    }

    /// Bytes from an address on, to the end of its region.
    fn from(&self, address: u32) -> Option<&[u8]> {
        let (region, offset) = self.region(address)?;
        region.bytes.get(offset..)
    }

    #[inline]
    fn chunk<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        self.ram.chunk(address).or_else(|| self.flash.chunk(address)).copied()
    }

    /// What a load of this kind leaves in a register; nothing where it may not be done.
    #[inline]
    pub(crate) fn peek(&self, address: u32, access: Access) -> Option<u32> {
        Some(match access {
            Access::Word => u32::from_le_bytes(self.chunk(address)?),
            Access::Byte => u32::from(u8::from_le_bytes(self.chunk(address)?)),
            Access::Half => u32::from(u16::from_le_bytes(self.chunk(address)?)),
            Access::SignedByte => i32::from(i8::from_le_bytes(self.chunk(address)?)).cast_unsigned(),
            Access::SignedHalf => i32::from(i16::from_le_bytes(self.chunk(address)?)).cast_unsigned(),
        })
    }

    /// Puts a register's low bytes into memory, or nothing where that may not be done.
    #[inline]
    pub(crate) fn poke(&mut self, address: u32, access: Access, value: u32) -> Option<()> {
        let [a, b, c, d] = value.to_le_bytes();
        match access {
            Access::Word => *self.ram.chunk_mut(address)? = [a, b, c, d],
            Access::Half | Access::SignedHalf => *self.ram.chunk_mut(address)? = [a, b],
            Access::Byte | Access::SignedByte => *self.ram.chunk_mut(address)? = [a],
        }
        Some(())
    }

    /// So many words of RAM.
    #[inline]
    pub(crate) fn words(&self, address: u32, count: u32) -> Option<&[[u8; 4]]> {
        let first = self.ram.index::<4>(address)?;
        self.ram.bytes.as_chunks().0.get(first..)?.get(..count as usize)
    }

    /// The same, to change.
    #[inline]
    pub(crate) fn words_mut(&mut self, address: u32, count: u32) -> Option<&mut [[u8; 4]]> {
        let first = self.ram.index::<4>(address)?;
        self.ram.bytes.as_chunks_mut().0.get_mut(first..)?.get_mut(..count as usize)
    }

    #[cold]
    fn unreadable(&self, address: u32, bytes: u32) -> FaultKind {
        if address & bytes.wrapping_sub(1) != 0 {
            return FaultKind::Misaligned { address, bytes };
        }
        FaultKind::Unmapped { address, bytes }
    }

    #[cold]
    fn unwritable(&self, address: u32, bytes: u32) -> FaultKind {
        match self.region(address) {
            Some((region, _)) if region.purpose == Use::Flash && address & bytes.wrapping_sub(1) == 0 => {
                FaultKind::WritesCode { address, bytes }
            }
            _ => self.unreadable(address, bytes),
        }
    }

    /// What a load of this kind leaves in a register.
    #[inline]
    pub fn load(&self, address: u32, access: Access) -> Result<u32, FaultKind> {
        self.peek(address, access).ok_or_else(|| self.unreadable(address, access.bytes()))
    }

    /// Puts a register's low bytes into memory.
    #[inline]
    pub fn store(&mut self, address: u32, access: Access, value: u32) -> Result<(), FaultKind> {
        self.poke(address, access, value).ok_or_else(|| self.unwritable(address, access.bytes()))
    }

    /// A half-word of code.
    pub fn code(&self, address: u32) -> Option<u16> {
        let offset = self.flash.offset(address)?;
        self.flash.bytes.get(offset..)?.first_chunk().copied().map(u16::from_le_bytes)
    }

    /// The guest's bytes, for the host. No alignment is asked for.
    pub fn bytes(&self, address: u32, size: u32) -> Result<&[u8], FaultKind> {
        let missing = FaultKind::Unmapped { address, bytes: size };
        if size == 0 {
            return Ok(&[]);
        }
        self.from(address).and_then(|from| from.get(..size as usize)).ok_or(missing)
    }

    /// The guest's bytes, for the host to change; RAM only.
    pub fn bytes_mut(&mut self, address: u32, size: u32) -> Result<&mut [u8], FaultKind> {
        if size == 0 {
            return Ok(&mut []);
        }
        let Some(offset) = self.ram.offset(address) else { return Err(self.unwritable(address, size)) };
        let from = self.ram.bytes.get_mut(offset..).and_then(|from| from.get_mut(..size as usize));
        from.ok_or(FaultKind::Unmapped { address, bytes: size })
    }

    /// Copies into the guest's RAM.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), FaultKind> {
        let size = u32::try_from(bytes.len()).map_err(|_| FaultKind::Unmapped { address, bytes: u32::MAX })?;
        self.bytes_mut(address, size)?.copy_from_slice(bytes);
        Ok(())
    }

    /// The bytes of a C string, without its NUL.
    pub fn c_string(&self, address: u32) -> Result<&[u8], FaultKind> {
        let missing = FaultKind::Unmapped { address, bytes: 1 };
        let from = self.from(address).ok_or(missing.clone())?;
        let end = from.iter().position(|byte| *byte == 0).ok_or(missing)?;
        Ok(from.get(..end).unwrap_or_default())
    }

    /// Puts an image's bytes in place, in flash too.
    pub(crate) fn place(&mut self, address: u32, bytes: &[u8]) -> Result<(), FaultKind> {
        let missing = || FaultKind::Unmapped { address, bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX) };
        let region = if self.ram.offset(address).is_some() { &mut self.ram } else { &mut self.flash };
        let offset = region.offset(address).ok_or_else(missing)?;
        let to = region.bytes.get_mut(offset..).and_then(|from| from.get_mut(..bytes.len())).ok_or_else(missing)?;
        to.copy_from_slice(bytes);
        Ok(())
    }
}
