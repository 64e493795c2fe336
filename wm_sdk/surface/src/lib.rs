//! Whether `wm_sdk/include` says of the WM IoT SDK what the SDK's own headers say.
//!
//! Both are read as the library reads them: by its build script (`build.rs`), which shows the chosen items to bindgen
//! with the chip's layout. Each side comes down to facts (a function's signature, a constant's value, a structure's
//! layout, an enumeration's type), one line each, and lines are compared.
//!
//! | module | what it is |
//! |---|---|
//! | [`bindings`] | runs the build script over headers |
//! | [`facts`] | bindings to facts |
//! | [`record`] | facts as text: `linker/sdk-surface.txt` holds those of the real SDK |
//! | [`compare`] | two sets of facts to differences, and which of them are allowed |

pub mod bindings;
pub mod compare;
pub mod facts;
pub mod record;

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
