//! A setting that was made, or was not.

/// As an `Option`, but what was not set is all zeros. An `Option` may hide its `None` in a field of `T` as a value that is
/// not zero: then a static that holds it costs its size in flash too.
#[derive(Debug)]
#[repr(u8)]
pub enum Setting<T> {
    /// It was not made.
    Unset,
    /// It was made.
    Made(T),
}

impl<T> Setting<T> {
    /// The setting, if it was made.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Unset => None,
            Self::Made(value) => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_there() {
        assert_eq!(Setting::<bool>::Unset.get(), None);
        assert_eq!(Setting::Made(false).get(), Some(&false));
    }
}
