//! VRRP versions 2 and 3 for IPv4 as a sans-IO engine (RFC 9568, RFC 5798, RFC 3768).
//!
//! The chapter to read first is [`machine`]: RFC 9568 §6.4 as a table. Around it stand
//!
//! * [`packet`]: the two wire formats and the receive checks of §7.1 in the RFC's order,
//! * [`timing`]: Skew_Time, Active_Down_Interval and the cadence of advertisements,
//! * [`announce`]: the frames we send (advertisements and gratuitous ARP), and [`arp`]: those we ask with,
//! * [`router`]: one virtual router: its state, timers, counters and what it remembers of its peers,
//! * [`instance`]: all virtual routers of this host, speaking the five verbs of [`routing_common::machine`],
//! * [`api`]: what `show vrrp` asks and answers,
//! * [`record`]: inputs in a form that can be written down.
//!
//! Words: *Active* is RFC 9568's name for what RFC 3768 and RFC 5798 call *Master*; operators see "Master",
//! as they do everywhere else.
//!
//! Deliberate deviations, each argued where it is made:
//! 1. A losing advertisement is answered at once in version 2 as well ([`machine`]).
//! 2. A stopping Active router keeps its addresses until its successor has spoken ([`instance`]).
//! 3. A restarted router that still holds its addresses listens for one interval instead of three ([`router`]).
//! 4. A router that slept through its own Active_Down_Interval listens before it speaks ([`router`]).
//! 5. Accept_Mode is always on: hosts can ping their gateway, whatever `accept` says ([`api`]).
//! 6. Without `virtual-mac` the interface's own MAC answers, which §7.2 and §8.1.2 do not know. Hosts then
//!    follow the announcements alone.
//! 7. An owner receives the advertisements of others (§7.1 has it discard them; see [`packet::examine`]).
//! 8. An owner's addresses are the interface's own besides, so the interface also answers and asks for them
//!    with its own MAC (against §8.1.2). Linux can only keep an interface from that for all of its addresses
//!    at once (`arp_ignore` 8), and if this daemon died, nobody would reach the host any more. Whoever needs
//!    one MAC in all cases chooses a virtual address nobody owns and a priority below 255.
//! 9. What OSPF knows of the others on the LAN, and what the LAN answers to ARP probes, may end a Backup's wait for the
//!    others' silence ([`router`], `accelerate`).
//!
//! Not here: IPv6, authentication (RFC 9568 §9 removed it), the mixed version mode of §8.4.
#![forbid(unsafe_code)]

pub mod announce;
pub mod api;
pub mod arp;
pub mod constants;
pub mod instance;
pub mod machine;
pub mod packet;
pub mod record;
pub mod router;
mod show;
mod throttle;
pub mod timing;

pub use instance::{Input, Instance, Output};
