//! `[vrrp]` and what is below it.

use super::{Fallback, Kind, NO_BFD, Table, always, key, millis, seconds, table_key};
use std::time::Duration;

pub(in crate::config) static VRRP: Table = Table {
    path: "vrrp",
    text: "Virtual Router Redundancy Protocol.",
    keys: &[
        table_key(
            "groups",
            Kind::Named(&VRRP_GROUP),
            "Virtual routers by a name of your choice: up to 32 letters, digits, `-`, `_` or `.`.",
        ),
        table_key("bfd", Kind::Refused(NO_BFD), "Not part of this version."),
    ],
};

static VRRP_GROUP: Table = Table {
    path: "vrrp.groups.NAME",
    text: "One virtual router (RFC 9568; version 2: RFC 3768).",
    keys: &[
        key("interface", Kind::Text("interface name"), Fallback::Required, "The interface on the LAN."),
        key(
            "vrid",
            Kind::Number { min: 1, max: 255 },
            Fallback::Required,
            "Virtual router id: the same on all its routers, used once per interface.",
        ),
        key("version", Kind::Number { min: 2, max: 3 }, Fallback::Number(3), "Protocol version."),
        key(
            "priority",
            Kind::Number { min: 1, max: 255 },
            Fallback::Number(100),
            "The highest becomes Master. 255 is for the owner of the addresses and for no one else.",
        ),
        key(
            "advertisement-interval",
            Kind::Time { min: millis(10), max: seconds(255), step: millis(10) },
            Fallback::Time { traditional: seconds(1), ring: millis(10) },
            "Time between advertisements. Version 3: 10ms to 40.95s in steps of 10ms. Version 2: 1s to \
             255s in whole seconds, default always 1s.",
        ),
        key(
            "virtual-addresses",
            Kind::List("1 to 20 IPv4 addresses, with or without prefix length"),
            Fallback::Required,
            "The addresses hosts use as gateway. Without a prefix length they take that of the \
             interface's subnet.",
        ),
        key("preempt", Kind::Boolean, Fallback::Boolean(true), "Take over from a Master of lower priority."),
        key(
            "preempt-delay",
            Kind::Time { min: Duration::ZERO, max: seconds(3600), step: millis(1) },
            always(Duration::ZERO),
            "Wait before doing so.",
        ),
        key(
            "preempt-routes-wait",
            Kind::Time { min: Duration::ZERO, max: seconds(3600), step: millis(1) },
            always(seconds(60)),
            "Before it takes over from a Master that works, a router waits until OSPF has brought its routes and the \
             kernel has them, but no longer than this. Without `[ospf]`, and with \"0s\", it does not wait.",
        ),
        key(
            "accelerate",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Do not always wait for silence. Take over as soon as the ring says that nobody else is left on the LAN: at once \
             when the others' OSPF withdrew the interface's subnet; when they cannot be reached any more and nobody answers \
             ARP probes for the virtual address. That needs `[ospf]` with the interface passive, here and there, and a way to \
             the others besides it. And at the start: when ARP was heard about the address, wait one interval and a skew for an \
             advertisement or an answer to ARP probes, not three.",
        ),
        key(
            "accept",
            Kind::Boolean,
            Fallback::Boolean(true),
            "As Master, accept packets to the virtual addresses (so that they answer to ping) though \
             not their owner (Accept_Mode). Only `true` in this version.",
        ),
        key(
            "virtual-mac",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Use the virtual router's MAC address; otherwise the interface's own and gratuitous ARP.",
        ),
        key(
            "checksum",
            Kind::Word(&["rfc5798", "rfc9568"]),
            Fallback::Word("rfc5798"),
            "Checksum sent in version 3: with a pseudo-header (`rfc5798`) or without. Both are accepted.",
        ),
        key("bfd", Kind::Refused(NO_BFD), Fallback::Absent(""), "Not part of this version."),
    ],
};
