//! Sorting, searching, closures, trait objects, and collections with and without a heap.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BinaryHeap, VecDeque};
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

struct Numbers(u32);

impl Iterator for Numbers {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0 = self.0.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        Some(self.0 >> 8)
    }
}

pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    sorting(out)?;
    heap(out)?;
    heapless(out)?;
    objects(out)
}

fn sorting(out: &mut dyn Write) -> fmt::Result {
    for size in [0, 1, 2, 3, 17, 64, 300] {
        let mut numbers: Vec<u32> = Numbers(size).take(size as usize).map(|number| number % 1000).collect();
        let mut by_text = numbers.clone();
        numbers.sort_unstable();
        by_text.sort_by_key(ToString::to_string);
        writeln!(out, "sorted {size}: {numbers:?}")?;
        writeln!(out, "by text {size}: {by_text:?}")?;
        writeln!(out, "found {:?} {}", numbers.binary_search(&500), numbers.partition_point(|number| *number < 250))?;
        numbers.dedup();
        writeln!(out, "{} {:?}", numbers.len(), numbers.iter().rev().step_by(7).max())?;
    }
    Ok(())
}

fn heap(out: &mut dyn Write) -> fmt::Result {
    let mut map = BTreeMap::new();
    let mut queue = VecDeque::new();
    let mut heap = BinaryHeap::new();
    for number in Numbers(7).take(200) {
        *map.entry(number % 61).or_insert(0_u64) += u64::from(number);
        queue.push_back(number);
        if queue.len() > 13 {
            heap.push(queue.pop_front());
        }
    }
    map.retain(|key, _| key % 3 != 0);
    writeln!(out, "map {map:?}")?;
    writeln!(out, "range {:?}", map.range(10..20).collect::<Vec<_>>())?;
    writeln!(out, "queue {queue:?}")?;
    writeln!(out, "heap {:?}", heap.into_sorted_vec())?;
    let words: Vec<String> = (1..9).map(|count| "ab".repeat(count)).collect();
    writeln!(out, "{}", words.join("-"))
}

fn heapless(out: &mut dyn Write) -> fmt::Result {
    let mut vector: heapless::Vec<u16, 8> = heapless::Vec::new();
    for number in Numbers(99) {
        if let Err(number) = vector.push(number as u16) {
            writeln!(out, "full at {number}: {vector:?}")?;
            break;
        }
    }
    let mut text: heapless::String<16> = heapless::String::new();
    for piece in ["heap", "less", " text", " too long"] {
        writeln!(out, "{piece:?} {:?} {text}", text.push_str(piece))?;
    }
    let mut map: heapless::LinearMap<&str, i32, 4> = heapless::LinearMap::new();
    for (number, key) in ["a", "b", "a", "c", "d", "e"].into_iter().enumerate() {
        writeln!(out, "{key} {:?}", map.insert(key, number as i32))?;
    }
    let mut ring: heapless::Deque<u8, 4> = heapless::Deque::new();
    for number in 0..6 {
        writeln!(out, "{:?} {:?}", ring.push_back(number), ring.front())?;
    }
    Ok(())
}

trait Shape {
    fn area(&self) -> u64;
}

struct Square(u32);
struct Named(Rc<str>, u16);

impl Shape for Square {
    fn area(&self) -> u64 {
        u64::from(self.0) * u64::from(self.0)
    }
}

impl Shape for Named {
    fn area(&self) -> u64 {
        self.0.len() as u64 * u64::from(self.1)
    }
}

fn objects(out: &mut dyn Write) -> fmt::Result {
    let name: Rc<str> = "rectangle".into();
    let shapes: [Box<dyn Shape>; 3] =
        [Box::new(Square(100_000)), Box::new(Named(name.clone(), 77)), Box::new(Named(name, u16::MAX))];
    let total: u64 = shapes.iter().map(|shape| shape.area()).sum();
    let functions: [fn(u64) -> u64; 3] = [|area| area / 3, |area| area.wrapping_pow(2), |area| !area];
    let results: Vec<u64> = functions.iter().map(|function| function(total)).collect();
    writeln!(out, "areas {total}: {results:?}")
}
