//! `[bfd]` and what is below it.

use super::{Fallback, Kind, Table, key, millis, seconds, table_key};
use std::time::Duration;

/// The protocol counts microseconds (RFC 5880 §4.1); below 3 ms a general-purpose kernel keeps no promise.
const INTERVAL: Kind = Kind::Time { min: millis(3), max: seconds(60), step: Duration::from_micros(1) };
const USUAL: Fallback = Fallback::Time { traditional: millis(300), ring: millis(10) };

pub(in crate::config) static BFD: Table = Table {
    path: "bfd",
    text: "Bidirectional Forwarding Detection (RFC 5880, RFC 5881, RFC 5883).",
    keys: &[
        table_key(
            "profiles",
            Kind::Named(&PROFILE),
            "How sessions behave, by a name of your choice: up to 32 letters, digits, `-`, `_` or `.`. The one \
             called `default` is used where none is named.",
        ),
        table_key(
            "peers",
            Kind::Named(&PEER),
            "Sessions nobody else asks for, by a name of your choice of the same form.",
        ),
    ],
};

static PROFILE: Table = Table {
    path: "bfd.profiles.NAME",
    text: "How sessions behave. Without a profile `default`, the defaults below are that profile.",
    keys: &[
        key(
            "transmit-interval",
            INTERVAL,
            USUAL,
            "Time between packets sent, unless the peer wants fewer. Once a second while a session is not up.",
        ),
        key(
            "receive-interval",
            INTERVAL,
            USUAL,
            "Shortest time between packets received. A silence of the peer's multiplier times the slower of this \
             and the peer's transmit interval is a failure.",
        ),
        key(
            "detect-multiplier",
            Kind::Number { min: 2, max: 255 },
            Fallback::Number(3),
            "Packets in a row that may be lost before the peer takes us for gone.",
        ),
        key(
            "passive",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Say nothing before the peer has spoken. Not on both ends.",
        ),
        key(
            "minimum-ttl",
            Kind::Number { min: 1, max: 254 },
            Fallback::Number(254),
            "Over several hops: drop packets with a smaller TTL. On a single hop it is always 255.",
        ),
    ],
};

static PEER: Table = Table {
    path: "bfd.peers.NAME",
    text: "One session.",
    keys: &[
        key("address", Kind::Text("IPv4 address"), Fallback::Required, "The neighbour's address."),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("the one with the subnet of `address`"),
            "The interface the neighbour is on. Not with `multihop`.",
        ),
        key(
            "local-address",
            Kind::Text("IPv4 address"),
            Fallback::Absent("by interface or route"),
            "The source address of our packets.",
        ),
        key(
            "multihop",
            Kind::Boolean,
            Fallback::Boolean(false),
            "The neighbour may be several hops away (RFC 5883).",
        ),
        key(
            "profile",
            Kind::Text("the name of a table in `bfd.profiles`"),
            Fallback::Word("default"),
            "How the session behaves.",
        ),
        key(
            "shutdown",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Hold the session down on purpose (AdminDown).",
        ),
    ],
};
