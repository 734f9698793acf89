//! Which key of an interface's chain signs, for the operator: told when it changes (RFC 2328 App. D.3).
//!
//! Looked at whenever a packet leaves, so a key takes over with the first packet of its time, and no timer is needed.

use super::Interface;
use routing_common::config::OspfAuthentication;
use routing_common::notice::Notice;

/// The key of a chain that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyInUse {
    /// This one, in its time.
    Valid(u8),
    /// This one, though its time is over, for want of another.
    Outlived(u8),
    /// None has begun: nothing is sent.
    Missing,
}

impl KeyInUse {
    /// That of a configuration at `wall` seconds since 1970; `None` without a chain.
    fn of(authentication: &OspfAuthentication, wall: u64) -> Option<Self> {
        let OspfAuthentication::KeyChain(chain) = authentication else { return None };
        Some(match chain.signing(wall) {
            Some(signing) if signing.outlived => Self::Outlived(signing.key.id),
            Some(signing) => Self::Valid(signing.key.id),
            None => Self::Missing,
        })
    }
}

impl Interface {
    /// Looks which key signs now; says so if it is another one than before.
    pub(crate) fn note_key_in_use(&mut self, wall: u64) -> Option<Notice> {
        let now = KeyInUse::of(&self.config.authentication, wall);
        let before = core::mem::replace(&mut self.key_in_use, now);
        let (Some(now), OspfAuthentication::KeyChain(chain)) = (now, &self.config.authentication) else {
            return None;
        };
        if before == Some(now) {
            return None;
        }
        let (name, chain) = (&self.name, &chain.name);
        Some(match now {
            KeyInUse::Valid(id) => {
                Notice::info("key-in-use", format!("{name}: key {id} of key chain {chain} signs from now on"))
            }
            KeyInUse::Outlived(id) => Notice::warning(
                "key-expired",
                format!(
                    "{name}: no key of key chain {chain} is meant to sign now; key {id}, whose lifetime has ended, is used on"
                ),
            ),
            KeyInUse::Missing => Notice::warning(
                "key-missing",
                format!("{name}: no lifetime of key chain {chain} has begun; nothing is sent or accepted"),
            ),
        })
    }
}
