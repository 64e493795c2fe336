//! A timeline of what happens on the board, as one page that opens in a browser (`--trace`).
//!
//! | what is seen | where it is read |
//! |---|---|
//! | lines and data on the serial port | [`serial`], with [`secrets`] hiding passwords before anything is kept |
//! | MQTT packets, WebSocket, TLS | [`edge`] at the library's calls of lwIP and Mbed TLS, [`connection`] and the layers |
//! | TCP | [`tcp`], on the virtual wire |
//! | the heap in use | [`heap`] |
//!
//! [`event`] is what all of them make; [`timeline`] has what is known at a moment and tells it to the [`file`];
//! `page.html` with its style and script draws it.

mod connection;
mod edge;
mod event;
mod file;
mod heap;
mod mqtt;
mod secrets;
mod serial;
mod tcp;
mod timeline;
mod tls;
mod websocket;

pub use edge::on_secrets;
pub use serial::Serial;
pub use tcp::first_byte;
pub use timeline::{close, create, fault, frame, go_on, heap, leave, serial};
