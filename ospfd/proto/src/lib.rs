//! OSPF version 2 (RFC 2328) as a sans-IO engine.
#![forbid(unsafe_code)]

pub mod constants;
pub mod lsa;
pub mod packet;
pub mod route;
pub mod spf;
