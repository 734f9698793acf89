//! The BFD Control packet, and what bfdd and its clients say to each other.

use bfd_proto::message::{BfdMessage, ClientMessage};
use bfd_proto::packet::{ControlPacket, LENGTH};
use core::fmt::Debug;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The first octet says what follows. What is accepted is written and read again the same.
pub fn bfd_packet(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    match what % 4 {
        0 | 1 => packet(bytes),
        2 => message::<ClientMessage>(bytes),
        _ => message::<BfdMessage>(bytes),
    }
}

fn packet(bytes: &[u8]) {
    let Ok(packet) = ControlPacket::decode(bytes) else { return };
    assert!(packet.detect_mult > 0 && packet.my_discriminator > 0);
    let written = packet.encode();
    let plain = ControlPacket { authenticated: false, ..packet };
    assert_eq!(ControlPacket::decode(&written), Ok(plain));
    if !packet.authenticated && usize::from(bytes[3]) == LENGTH {
        assert_eq!(written, bytes[..LENGTH], "something is lost");
    }
}

fn message<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(message) = postcard::from_bytes::<T>(bytes) else { return };
    let written = postcard::to_allocvec(&message).expect("what was read can be written");
    assert_eq!(postcard::from_bytes::<T>(&written).as_ref(), Ok(&message));
}
