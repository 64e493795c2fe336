//! The part of the WM IoT SDK that `w800-mqtt-at` calls, implemented in C for a PC: tasks, heap, log, AT server, serial
//! line and network of the virtual W800. This crate only carries the compiled code; `include/` and `host/` hold it.
//!
//! Whoever links it passes `host/at_table.ld` to the linker: the AT server finds its commands by that table's ends.
#![no_std]
