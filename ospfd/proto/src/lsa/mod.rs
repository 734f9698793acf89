//! Link state advertisements (RFC 2328 §12 and App. A.4).
//!
//! An [`Lsa`] is immutable and shared by `Arc`: database, retransmission lists and show commands hold
//! the same one. `raw` is canonical and flooded byte for byte with only the LS age patched (age is
//! outside the checksum); `body` is its decoded form, decoded exactly once at the border. Self-originated
//! LSAs go body → raw → the same constructor, so there is one way to be an LSA.
//!
//! Deviations, all on the side of tolerance:
//! * TOS metrics (removed by RFC 2328, still legal on the wire) are skipped, never sent.
//! * A router-LSA link of an unknown type is not decoded; the LSA is still stored and flooded whole.
//! * DoNotAge (RFC 1793) is not supported, which this router says by never setting the DC bit. A correct
//!   area therefore holds no DoNotAge LSA while we are in it (RFC 1793 §2.5). One that comes all the same
//!   has an age far above MaxAge and is read as MaxAge, what RFC 1793 §2.5 expects of such routers.

mod body;
mod header;
mod instance;
mod ls_type;
mod types;

pub use instance::{LsaSpec, MAX_LSA_LENGTH};
pub use ls_type::Scope;
pub use types::*;

#[cfg(test)]
pub(crate) mod strategy;
#[cfg(test)]
mod tests;
