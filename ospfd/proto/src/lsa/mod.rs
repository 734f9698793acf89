//! Link state advertisements (RFC 2328 §12 and App. A.4).
//!
//! An [`Lsa`] is immutable and shared by `Arc`: database, retransmission lists and show commands hold
//! the same one. `raw` is canonical and flooded byte for byte with only the LS age patched (age is
//! outside the checksum); `body` is its decoded form, decoded exactly once at the border. Self-originated
//! LSAs go body → raw → the same constructor, so there is one way to be an LSA.

mod types;

pub use types::*;
