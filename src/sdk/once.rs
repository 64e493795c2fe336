//! What is set up once, before there is a lock to wait for.

use super::clock;
use super::word::Flag;
use spin::mutex::SpinMutex;

/// Gives the processor away while another task sets up what is set up once.
#[derive(Debug)]
pub struct Yield;

impl spin::RelaxStrategy for Yield {
    fn relax() {
        clock::delay_ms(clock::TICK_MS);
    }
}

/// What is set up once, by the first task that needs it, while any other that needs it sleeps: before it is done there is
/// no mutex to wait for.
#[derive(Debug)]
pub struct Once {
    setting_up: SpinMutex<(), Yield>,
    done: Flag,
}

impl Once {
    /// Not set up yet.
    pub const fn new() -> Self {
        Self { setting_up: SpinMutex::new(()), done: Flag::new(false) }
    }

    /// Sets it up, unless that was done before.
    ///
    /// # Errors
    /// What `set_up` says; it is asked again the next time.
    pub fn run<E>(&self, set_up: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        if self.done.get() { Ok(()) } else { self.set_up(set_up) }
    }

    #[cold]
    #[inline(never)]
    fn set_up<E>(&self, set_up: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let _alone = self.setting_up.lock();
        if !self.done.get() {
            set_up()?;
            self.done.set(true);
        }
        Ok(())
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::task::testing::on_task;
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    #[test]
    fn what_is_set_up_once_waits_for_who_sets_it_up() {
        static ONCE: Once = Once::new();
        static RUNS: AtomicU32 = AtomicU32::new(0);
        assert_eq!(ONCE.run(|| Err(7)), Err(7));
        let finished = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&finished);
        let second = std::thread::spawn(move || {
            on_task(move || {
                ONCE.run(|| -> Result<(), ()> {
                    RUNS.fetch_add(1, Ordering::Relaxed);
                    clock::delay_ms(30);
                    finished.store(true, Ordering::Release);
                    Ok(())
                })
                .unwrap();
            });
        });
        on_task(move || {
            while RUNS.load(Ordering::Relaxed) == 0 {
                clock::delay_ms(1);
            }
            ONCE.run(|| -> Result<(), ()> { panic!("twice") }).unwrap();
            assert!(seen.load(Ordering::Acquire));
        });
        second.join().unwrap();
    }
}
