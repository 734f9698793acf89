//! One decoder each.

pub(crate) mod bfd;
pub(crate) mod commands;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod ipv4;
pub(crate) mod lines;
pub(crate) mod netlink;
pub(crate) mod ospf;
pub(crate) mod requests;
pub(crate) mod rib;
pub(crate) mod vrrp;
