//! VRRP version 2 (RFC 3768) and version 3 (RFC 5798, RFC 9568) for IPv4 as a sans-IO engine.
#![forbid(unsafe_code)]
