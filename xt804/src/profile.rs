//! Instructions by the calls they were executed in, as folded stacks for a flame graph.

use std::io::{self, Write};

use crate::image::Symbols;

#[derive(Debug)]
struct Node {
    function: u32,
    parent: usize,
    children: Vec<usize>,
    instructions: u64,
}

/// A tree of calls. The root is the task.
#[derive(Debug)]
pub struct Profile {
    nodes: Vec<Node>,
    current: usize,
    since: u64,
}

impl Profile {
    pub(crate) fn new(now: u64) -> Self {
        let root = Node { function: 0, parent: 0, children: Vec::new(), instructions: 0 };
        Self { nodes: vec![root], current: 0, since: now }
    }

    pub(crate) fn charge(&mut self, now: u64) {
        let spent = now.wrapping_sub(self.since);
        if let Some(node) = self.nodes.get_mut(self.current) {
            node.instructions = node.instructions.wrapping_add(spent);
        }
        self.since = now;
    }

    pub(crate) fn enter(&mut self, function: u32, now: u64) {
        self.charge(now);
        let Some(node) = self.nodes.get(self.current) else { return };
        let known = |child: &&usize| self.nodes.get(**child).is_some_and(|node| node.function == function);
        self.current = match node.children.iter().find(known) {
            Some(child) => *child,
            None => self.add(function),
        };
    }

    fn add(&mut self, function: u32) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node { function, parent: self.current, children: Vec::new(), instructions: 0 });
        if let Some(node) = self.nodes.get_mut(self.current) {
            node.children.push(index);
        }
        index
    }

    pub(crate) fn leave(&mut self, now: u64) {
        self.charge(now);
        self.current = self.nodes.get(self.current).map_or(0, |node| node.parent);
    }

    /// One line for each stack: `task;outer;inner count`.
    pub fn write_folded(&self, task: &str, symbols: &Symbols, mut to: impl Write) -> io::Result<()> {
        for index in 0..self.nodes.len() {
            let count = self.nodes.get(index).map_or(0, |node| node.instructions);
            if count > 0 {
                writeln!(to, "{} {count}", self.path(index, task, symbols))?;
            }
        }
        Ok(())
    }

    fn path(&self, mut index: usize, task: &str, symbols: &Symbols) -> String {
        let mut names = Vec::new();
        while index != 0 {
            let Some(node) = self.nodes.get(index) else { break };
            names.push(symbols.name(node.function));
            index = node.parent;
        }
        names.push(task.to_owned());
        names.reverse();
        names.join(";")
    }
}
