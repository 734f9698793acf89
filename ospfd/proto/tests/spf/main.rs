//! The routing calculation against networks whose answer is known some other way: a slow oracle over random
//! networks, the tables of the five-router ring, and single rules of RFC 2328 §16 one by one.
#![forbid(unsafe_code)]

// `cfg(test)` always holds here; it tells clippy that the helpers are test code, too.
#[cfg(test)]
mod alternates;
#[cfg(test)]
mod model;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod partial;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod rules;
