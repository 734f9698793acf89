//! The routing calculation against networks whose answer is known some other way: a slow oracle over random
//! networks, the tables of the five-router ring, and single rules of RFC 2328 §16 one by one.
#![forbid(unsafe_code)]

mod model;
mod oracle;
mod partial;
mod ring;
mod rules;
