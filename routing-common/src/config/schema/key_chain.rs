//! `[key-chains]`.

use super::{Fallback, Key, Kind, Table, key, table_key};

const DATE: Kind = Kind::Text("a date in Universal Time, such as `\"2027-01-31 06:30:00\"`");

pub(super) static KEY: Table = Table {
    path: "key-chains.NAME",
    text: "One key of a chain. Of those whose send lifetime has come, the one that began last signs (the lowest id of \
           those that began together). When all have ended, the last one is used on (RFC 2328 App. D.3).",
    keys: &[
        key("id", Kind::Number { min: 0, max: 255 }, Fallback::Required, "Key ID on the wire."),
        key(
            "key",
            Kind::Text("1 to 128 bytes, with `md5` 1 to 16"),
            Fallback::Required,
            "The shared secret.",
        ),
        key(
            "algorithm",
            Kind::Word(&["md5", "hmac-sha-1", "hmac-sha-256", "hmac-sha-384", "hmac-sha-512"]),
            Fallback::Required,
            "How packets are signed: keyed MD5 (RFC 2328), or the others of RFC 5709.",
        ),
        table_key("send-lifetime", Kind::Table(&SEND_LIFETIME), "When it signs; always by default."),
        table_key(
            "accept-lifetime",
            Kind::Table(&ACCEPT_LIFETIME),
            "When packets signed with it are taken; always by default. Longer than `send-lifetime` at both ends: clocks \
             differ.",
        ),
    ],
};

const LIFETIME: &[Key] = &[
    key("start", DATE, Fallback::Required, "The first second, 1993 or later."),
    key("end", DATE, Fallback::Absent("never"), "The last second."),
];

static SEND_LIFETIME: Table =
    Table { path: "key-chains.NAME.send-lifetime", text: "When a key signs.", keys: LIFETIME };

static ACCEPT_LIFETIME: Table = Table {
    path: "key-chains.NAME.accept-lifetime",
    text: "When a key is taken from others.",
    keys: LIFETIME,
};
