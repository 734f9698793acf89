//! Lines as an operator types or pastes them.

mod session;
