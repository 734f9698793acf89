//! Lines as an operator types or pastes them.

mod generator;
mod law;
mod session;
