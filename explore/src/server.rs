//! The vendor's AT server as far as it is known: a task that asks for input and cuts it into lines, and one that runs the
//! commands of the table and prints how they ended. Beside it lwIP's task, which runs callbacks.

use xt804::operation::Access;

use crate::kernel::{Broken, NETWORK_PRIORITY, On, State};
use crate::world::{HOOK, Role, World};

const AT_STACK: u32 = 8192;
const RECEIVING_STACK: u32 = 2048;
const MAIN_STACK: u32 = 4096;
/// What the server asks for at once.
const INPUT: u32 = 512;
const FOREVER: u32 = u32::MAX;
/// `struct wm_atcmd_item`: name, handler, usage.
const ROW_BYTES: usize = 12;
/// `wm_at_type_e`
const QUERY: u32 = 0;
const EXECUTE: u32 = 2;

impl World {
    /// The main task registers the serial line.
    pub(crate) fn server_starts(&mut self) -> Result<(), Broken> {
        let main = self.add_task("main", Self::PRIORITY, MAIN_STACK, Role::Main)?;
        let functions = [self.function("uart_send")?, self.function("uart_recv")?];
        let [send, receive] = functions;
        let wrapped = self.function("__wrap_wm_atcmd_dev_register")?;
        self.server.commands = self.command_table()?;
        self.enter(main, wrapped, &[0, send, receive])
    }

    fn command_table(&self) -> Result<Vec<(Vec<u8>, u32)>, Broken> {
        let (start, end) = (self.function("wm_at_table_start")?, self.function("wm_at_table_end")?);
        let memory = self.machine.memory();
        let word = |at| memory.load(at, Access::Word).map_err(|kind| kind.to_string());
        let rows = (start..end).step_by(ROW_BYTES).map(|at| {
            let name = memory.c_string(word(at)?).map_err(|kind| kind.to_string())?.to_vec();
            Ok((name, word(at.wrapping_add(4))?))
        });
        rows.collect()
    }

    /// What a task of the server's does when what it has entered returns.
    pub(crate) fn server_returned(&mut self, value: u32) -> Result<(), Broken> {
        let current = self.kernel.current;
        match self.role(current)?.clone() {
            Role::Library => Err("a task of the library's returns".to_owned()),
            Role::Network => {
                *self.role(current)? = Role::NetworkIdle;
                Ok(())
            }
            Role::Idle | Role::NetworkIdle => Err("a task returns that does nothing".to_owned()),
            Role::Main if self.server.processing == 0 => {
                let buffer = self.take_block(INPUT.saturating_add(4))?;
                let stacks = [("at recv", RECEIVING_STACK), ("at proc", AT_STACK)];
                let [receiving, processing] =
                    stacks.map(|(name, stack)| self.add_task(name, Self::PRIORITY, stack, Role::Idle));
                (self.server.receiving, self.server.processing) = (receiving?, processing?);
                self.add_task("tcpip", NETWORK_PRIORITY, MAIN_STACK, Role::NetworkIdle)?;
                *self.role(self.server.receiving)? = Role::Receiving(buffer);
                self.ask_for_input(buffer)?;
                let set_hook = self.function("w800_mqtt_at_set_line_hook")?;
                self.enter(current, set_hook, &[HOOK, 0])
            }
            Role::Main => {
                self.end_task(current);
                self.kernel.delete(0).map(drop)
            }
            Role::Receiving(buffer) => {
                self.received(buffer, value)?;
                self.ask_for_input(buffer)
            }
            Role::Running([texts, pointers]) => {
                self.give_block_back(texts)?;
                self.give_block_back(pointers)?;
                self.print_result(value)
            }
            Role::Printing(text) => {
                self.give_block_back(text)?;
                *self.role(current)? = Role::Idle;
                Ok(())
            }
        }
    }

    /// lwIP's task looks for a callback.
    pub(crate) fn network_goes_on(&mut self) -> Result<(), Broken> {
        let current = self.kernel.current;
        match self.server.callbacks.pop_front() {
            Some((function, argument)) => {
                *self.role(current)? = Role::Network;
                self.enter(current, function, &[argument])
            }
            None => {
                self.kernel.task_mut(current)?.state = State::Waiting(On::Callback);
                Ok(())
            }
        }
    }

    /// The task that runs commands looks for a line.
    pub(crate) fn server_goes_on(&mut self) -> Result<(), Broken> {
        match self.server.line.take() {
            Some(line) => self.run_line(&line),
            None => {
                let current = self.kernel.current;
                self.kernel.task_mut(current)?.state = State::Waiting(On::Line);
                Ok(())
            }
        }
    }

    fn ask_for_input(&mut self, buffer: u32) -> Result<(), Broken> {
        let [_, receive] = self.server.functions.ok_or("the library has registered no functions")?;
        let size = buffer.wrapping_add(INPUT);
        self.put_word(size, INPUT)?;
        self.enter(self.server.receiving, receive, &[buffer, size, FOREVER])
    }

    fn received(&mut self, buffer: u32, count: u32) -> Result<(), Broken> {
        if count > INPUT {
            return Err(format!("the library has {} bytes for the server", count.cast_signed()));
        }
        self.server.input.extend(self.machine.memory().bytes(buffer, count).map_err(|kind| kind.to_string())?);
        let Some(end) = self.server.input.iter().position(|byte| *byte == b'\n') else { return Ok(()) };
        let mut line: Vec<u8> = self.server.input.drain(..=end).collect();
        line.truncate(line.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(end));
        if line.is_empty() {
            return Ok(());
        }
        // The server is free before it prints how a command ended: a host may be quicker than its task.
        let runs = matches!(self.role(self.server.processing)?, Role::Running(_));
        let busy = self.server.line.is_some() || runs;
        if busy {
            return Err("the library hands over a line while a command runs".to_owned());
        }
        self.server.line = Some(line);
        Ok(())
    }

    fn run_line(&mut self, line: &[u8]) -> Result<(), Broken> {
        let mark = line.iter().position(|byte| b"?=".contains(byte)).unwrap_or(line.len());
        let (name, rest) = line.split_at(mark);
        let known = self.server.commands.iter().find(|(known, _)| known == name);
        let Some((_, handler)) = known.cloned() else {
            return Err(format!("the server is handed {:?}", String::from_utf8_lossy(line)));
        };
        let kind = if rest.first() == Some(&b'?') { QUERY } else { EXECUTE };
        let parameters = rest.strip_prefix(b"=").map(|rest| rest.split(|byte| *byte == b','));
        let parameters: Vec<&[u8]> = parameters.into_iter().flatten().collect();
        let count = u32::try_from(parameters.len()).unwrap_or(0);
        let (texts, pointers) = (self.take_block(INPUT)?, self.take_block(INPUT)?);
        let mut at = texts;
        for (place, text) in (pointers..).step_by(4).zip(&parameters) {
            self.put_word(place, at)?;
            let with_end: Vec<u8> = text.iter().copied().chain([0]).collect();
            self.put(at, &with_end)?;
            at = at.saturating_add(u32::try_from(with_end.len()).unwrap_or(0));
        }
        let current = self.kernel.current;
        *self.role(current)? = Role::Running([texts, pointers]);
        self.enter(current, handler, &[kind, count, pointers])
    }

    fn print_result(&mut self, result: u32) -> Result<(), Broken> {
        let text: &[u8] = match result {
            0 => b"\r\nOK\r\n",
            1 => b"\r\nERROR\r\n",
            2 => b"",
            other => return Err(format!("a handler returns {other}")),
        };
        let current = self.kernel.current;
        if text.is_empty() {
            *self.role(current)? = Role::Idle;
            return Ok(());
        }
        let [send, _] = self.server.functions.ok_or("the library has registered no functions")?;
        let block = self.take_block(16)?;
        self.put(block, text)?;
        *self.role(current)? = Role::Printing(block);
        self.enter(current, send, &[block, u32::try_from(text.len()).unwrap_or(0)])
    }
}
