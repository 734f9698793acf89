//! Lines as an operator types or pastes them.

mod generator;
mod key_chain;
mod known;
mod law;
mod session;
