//! Lines as an operator types or pastes them.

mod generator;
mod known;
mod law;
mod session;
