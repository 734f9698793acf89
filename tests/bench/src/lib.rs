//! A large area made of one process: what a routing suite costs when it learns it and when it changes.
//!
//! The suite under test runs in a network namespace. The far ends of its links are in a second one, where this process plays the routers
//! at the edge of a synthetic area: [`area`] makes the LSAs and, by a calculation of its own, the routes that follow from them;
//! [`neighbor`] speaks OSPF; [`kernel`] hears every change of the suite's kernel table and knows at each moment how many routes are still
//! wrong. [`bed`] turns all of it in one loop on one thread, so that a time is a time and nothing waits for a lock. [`suite`] says how to
//! start each suite, [`rows`] what is measured, [`report`] how it is written down.
//! [`seat`] measures on the same bed what an operator waits for.
//!
//! The process under test must be the bottleneck: LSAs are built before the clock starts, packets are full, answers
//! leave in the turn in which the question came.
#![forbid(unsafe_code)]

pub mod area;
pub mod bed;
pub mod kernel;
pub mod neighbor;
pub mod report;
pub mod rows;
pub mod seat;
pub mod suite;
