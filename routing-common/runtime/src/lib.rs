//! The only crate of the suite that touches tokio and Linux: everything a shell needs around its engine.
//!
//! A shell is a current-thread tokio program that owns sockets, timers and signals, and carries them
//! to and from one pure engine ([`routing_common::machine::Machine`]). It takes no protocol decision.
//! What is here is what more than one shell needs:
//!
//! * [`clock`] and [`deadline`]: monotonic time as the engines' `Instant`, and a timerfd to wait for it;
//! * [`daemon`], [`logging`] and [`signals`]: a process from its arguments to its exit code;
//! * [`control_server`] with [`access`], [`control_client`] and [`framed`]: operators and the supervisor on the one side, the RIB on the other;
//! * [`netlink`], [`sysctl`]: the kernel's interfaces, addresses and settings;
//! * [`raw_socket`], [`packet_socket`]: datagrams and frames; [`ready_set`]: waiting for many of them;
//! * [`udp`], [`wait`], [`real_time`]: what a real-time thread beside the runtime needs;
//! * [`memory`]: what a burst of work leaves behind;
//! * [`recorder`]: what an engine was told, on disk; [`whole_file`]: files that are never half written.
//!
//! All of it is cancel safe unless a function says otherwise, because shells `select!` over it.
//! `unsafe` is allowed in this crate alone, and confined to the private `sys` module.

pub mod access;
pub mod clock;
pub mod control_client;
pub mod control_server;
pub mod daemon;
pub mod deadline;
pub mod framed;
mod inbox;
pub mod ipv4;
mod journal;
pub mod logging;
pub mod memory;
pub mod netlink;
pub mod packet_socket;
pub mod pid_file;
pub mod raw_socket;
pub mod ready_set;
pub mod real_time;
pub mod recorder;
pub mod signals;
mod sys;
pub mod sysctl;
pub mod udp;
mod unix;
pub mod wait;
pub mod whole_file;
