//! The trace's file: a page that draws the lines of JSON behind it.
//!
//! The page comes first and is complete without its end, so the file can be opened at any time, also after the board was
//! killed. The first events are written as they come; of all that follow the last are kept in memory and written at the
//! end, those between are counted.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Events at the beginning and at the end that are kept.
const FIRST_EVENTS: usize = 10_000;
const LAST_EVENTS: usize = 10_000;

/// What a line of an event begins with.
const EVENT: &str = "{\"at\":";

/// The open file.
#[derive(Debug)]
pub struct TraceFile {
    file: File,
    /// Events that are written for good, and where they end.
    written: usize,
    end: u64,
    last: VecDeque<String>,
    dropped: u64,
    closed: bool,
}

impl TraceFile {
    /// A new file that begins with `page`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, page: &str) -> io::Result<Self> {
        let mut file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.write_all(page.as_bytes())?;
        let end = u64::try_from(page.len()).unwrap_or(u64::MAX);
        Ok(Self { file, written: 0, end, last: VecDeque::new(), dropped: 0, closed: false })
    }

    /// A file that [`TraceFile::leave`] has left, and the lines in it that are not events.
    ///
    /// # Errors
    /// It cannot be read, or `left` is of something else.
    pub fn go_on(mut file: File, left: &str) -> io::Result<(Self, Vec<String>)> {
        let mut numbers = left.split(',').map(str::parse::<u64>);
        let (Some(Ok(written)), Some(Ok(end)), Some(Ok(dropped))) = (numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(io::Error::other("it was left by another program"));
        };
        file.seek(SeekFrom::Start(end))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let (last, others): (Vec<String>, Vec<String>) =
            text.lines().map(str::to_owned).partition(|line| line.starts_with(EVENT));
        let written = usize::try_from(written).unwrap_or(FIRST_EVENTS);
        Ok((Self { file, written, end, last: last.into(), dropped, closed: false }, others))
    }

    /// Adds an event. When the file takes no more, says so once.
    pub fn add(&mut self, line: String) {
        if self.closed {
            return;
        }
        if self.written < FIRST_EVENTS && self.last.is_empty() {
            self.write(&line);
            return;
        }
        self.last.push_back(line);
        if self.last.len() > LAST_EVENTS {
            self.last.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    fn write(&mut self, line: &str) {
        let text = format!("{line}\n");
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(text.as_bytes()));
        if let Err(error) = written {
            eprintln!("w800-sim: --trace ends here: {error}");
            self.closed = true;
            return;
        }
        self.written = self.written.saturating_add(1);
        self.end = self.end.saturating_add(u64::try_from(text.len()).unwrap_or(0));
    }

    /// Writes what is in memory, and `more` behind it. Nothing is added any more.
    pub fn close(&mut self, more: &[String]) {
        if self.closed {
            return;
        }
        self.closed = true;
        let note = (self.dropped > 0)
            .then(|| format!(r#"{{"dropped":{},"first":{},"last":{}}}"#, self.dropped, self.written, self.last.len()));
        let text: String = note.iter().chain(&self.last).chain(more).flat_map(|line| [line.as_str(), "\n"]).collect();
        let written = self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(text.as_bytes()));
        let length = self.end.saturating_add(u64::try_from(text.len()).unwrap_or(0));
        if let Err(error) = written.and_then(|()| self.file.set_len(length)) {
            eprintln!("w800-sim: --trace is not complete: {error}");
        }
    }

    /// As [`TraceFile::close`]; what [`TraceFile::go_on`] needs, if the file still took something.
    pub fn leave(&mut self, more: &[String]) -> Option<(File, String)> {
        if self.closed {
            return None;
        }
        self.close(more);
        let file = self.file.try_clone().ok()?;
        Some((file, format!("{},{},{}", self.written, self.end, self.dropped)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(number: usize) -> String {
        format!("{EVENT}{number}}}")
    }

    #[test]
    fn it_is_bounded_and_goes_on_after_a_restart() {
        let path = std::env::temp_dir().join(format!("w800-trace-{}.html", std::process::id()));
        let mut file = TraceFile::create(&path, "page\n").unwrap();
        (0..15_000).for_each(|number| file.add(line(number)));
        let (left, place) = file.leave(&["{\"heap\":[]}".to_owned()]).unwrap();
        assert!(file.leave(&[]).is_none());
        let (mut file, others) = TraceFile::go_on(left, &place).unwrap();
        assert_eq!(others, ["{\"heap\":[]}"]);
        (15_000..30_000).for_each(|number| file.add(line(number)));
        file.close(&[]);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 20_002);
        assert_eq!(lines.first().copied(), Some("page"));
        assert_eq!(lines.get(10_000).copied(), Some(line(9_999).as_str()));
        assert_eq!(lines.get(10_001).copied(), Some(r#"{"dropped":10000,"first":10000,"last":10000}"#));
        assert_eq!(lines.get(10_002).copied(), Some(line(20_000).as_str()));
        assert_eq!(lines.last().copied(), Some(line(29_999).as_str()));
    }
}
