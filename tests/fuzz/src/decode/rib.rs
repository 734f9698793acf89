//! What ribd and its clients say to each other.

use rib::message::{ClientMessage, RibMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first octet's lowest bit chooses the direction; the rest is the message.
pub fn rib_messages(data: &[u8]) {
    let Some((direction, message)) = data.split_first() else { return };
    match direction & 1 {
        0 => again::<ClientMessage>(message),
        _ => again::<RibMessage>(message),
    }
}

fn again<T: Serialize + DeserializeOwned + PartialEq + core::fmt::Debug>(bytes: &[u8]) {
    let Ok(message) = postcard::from_bytes::<T>(bytes) else { return };
    let written = postcard::to_allocvec(&message).expect("a message that was read can be written");
    let read: T = postcard::from_bytes(&written).expect("own message refused");
    assert_eq!(read, message);
}
