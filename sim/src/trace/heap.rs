//! The heap in use over time: the least, the most and the last in each of a bounded number of equal times.

/// Times that are kept; when there are more, two become one.
const MOST_TIMES: usize = 4000;
const FIRST_WIDTH: u64 = 1000;
const NUMBERS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    at: u64,
    least: usize,
    most: usize,
    last: usize,
}

/// The curve.
#[derive(Debug)]
pub struct Curve {
    limit: usize,
    width: u64,
    times: Vec<Time>,
}

impl Curve {
    /// An empty one for a heap of `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { limit, width: FIRST_WIDTH, times: Vec::new() }
    }

    /// So much is in use from `at`, in microseconds.
    pub fn add(&mut self, at: u64, used: usize) {
        self.join(Time { at, least: used, most: used, last: used });
        while self.times.len() > MOST_TIMES {
            self.width = self.width.saturating_mul(2);
            for time in std::mem::take(&mut self.times) {
                self.join(time);
            }
        }
    }

    fn join(&mut self, new: Time) {
        let at = new.at.checked_div(self.width).unwrap_or(0).saturating_mul(self.width);
        match self.times.last_mut() {
            Some(time) if time.at >= at => {
                time.least = time.least.min(new.least);
                time.most = time.most.max(new.most);
                time.last = new.last;
            }
            _ => self.times.push(Time { at, ..new }),
        }
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let row = |time: &Time| format!("[{},{},{},{}]", time.at, time.least, time.most, time.last);
        let rows: Vec<String> = self.times.iter().map(row).collect();
        format!(r#"{{"heap":[{}],"limit":{},"width":{}}}"#, rows.join(","), self.limit, self.width)
    }

    /// Takes up what [`Curve::json`] has written.
    pub fn go_on(&mut self, json: &str) {
        let rows = json.split("],\"limit\"").next().unwrap_or_default();
        let numbers: Vec<u64> = rows
            .split(|character: char| !character.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        for row in numbers.chunks_exact(NUMBERS) {
            if let [at, least, most, last] = *row {
                self.join(Time { at, least: size(least), most: size(most), last: size(last) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_keeps_its_extremes() {
        let mut curve = Curve::new(1000);
        for at in 0..100_000 {
            curve.add(at * 1000, if at == 77_777 { 999 } else { 5 });
        }
        assert!(curve.times.len() <= MOST_TIMES && curve.times.len() > MOST_TIMES / 4);
        assert_eq!(curve.times.iter().map(|time| time.most).max(), Some(999));
        assert_eq!(curve.times.last().map(|time| time.last), Some(5));
    }

    #[test]
    fn it_survives_a_restart() {
        let mut curve = Curve::new(1000);
        (0..10).for_each(|at| curve.add(at * 2500, 7));
        let mut next = Curve::new(1000);
        next.go_on(&curve.json());
        assert_eq!(next.times, curve.times);
    }
}
