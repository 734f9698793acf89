//! OSPF packets (RFC 2328 App. A.3) as values, and their wire form.

mod types;

pub use types::*;
