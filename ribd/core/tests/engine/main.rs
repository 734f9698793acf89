//! The engine against a model of the kernel.

mod fib;
mod properties;
mod resolution;
mod sessions;
mod world;
