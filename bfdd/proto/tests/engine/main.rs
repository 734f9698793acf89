//! The engine in virtual time: two of them over a link that loses, delays and doubles, and one against the world.
#![allow(clippy::unwrap_used)]

mod clients;
mod detection;
mod hostile;
mod negotiation;
mod one;
mod pair;
mod properties;
