//! The relay over real sockets: everything that the description of the wire promises of it.

#![allow(clippy::unwrap_used)] // what the tests share is test too

mod bench;
mod chat;
mod client;
mod life;
mod login;
mod names;
mod plain;
mod pressure;
mod protocol;
mod refusals;
mod rows;
mod session;
mod sockets;
mod timing;
