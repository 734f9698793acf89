//! Key chains: which key signs, and which are accepted. Secrets stay here.

use super::named;
use crate::api::{KeyChainRow, KeyChainsReply, KeyRow, LifetimeRow, SigningRow};
use crate::instance::Instance;
use routing_common::config::OspfAuthentication;
use routing_common::key_chain::{KeyChain, Lifetime};
use routing_common::time::Instant;

fn lifetime(lifetime: Lifetime) -> Option<LifetimeRow> {
    let Lifetime { start, end } = lifetime;
    (lifetime != Lifetime::ALWAYS).then_some(LifetimeRow { start, end })
}

impl Instance {
    pub(super) fn show_key_chains(&self, now: Instant, name: Option<&str>) -> Result<KeyChainsReply, String> {
        let rows = named(&self.whole_config.key_chains, name, |chain| self.key_chain_row(now, chain))
            .ok_or_else(|| format!("there is no key chain {}", name.unwrap_or_default()))?;
        Ok(KeyChainsReply(rows))
    }

    fn key_chain_row(&self, now: Instant, chain: &KeyChain) -> KeyChainRow {
        let wall = self.wall_seconds(now);
        let uses =
            |a: &OspfAuthentication| matches!(a, OspfAuthentication::KeyChain(c) if c.name == chain.name);
        let users = self.config.interfaces.iter().filter(|(_, i)| uses(&i.authentication));
        let signing = chain.signing(wall);
        let keys = chain.keys.iter().map(|key| {
            let signing = signing.filter(|s| s.key.id == key.id);
            KeyRow {
                key_id: key.id,
                algorithm: key.algorithm,
                send_lifetime: lifetime(key.send),
                accept_lifetime: lifetime(key.accept),
                signs: signing.is_some(),
                accepted: chain.accepted(key.id, wall).is_some(),
                expired: signing.is_some_and(|s| s.outlived),
            }
        });
        KeyChainRow { interfaces: users.map(|(name, _)| name.clone()).collect(), keys: keys.collect() }
    }

    /// What an interface with this authentication signs with now, if it has a chain.
    pub(super) fn show_signing(
        &self,
        now: Instant,
        authentication: &OspfAuthentication,
    ) -> Option<SigningRow> {
        let OspfAuthentication::KeyChain(chain) = authentication else { return None };
        let signing = chain.signing(self.wall_seconds(now));
        Some(SigningRow {
            keychain: chain.name.clone(),
            keychain_key_id: signing.map(|s| s.key.id),
            keychain_algorithm: signing.map(|s| s.key.algorithm),
            keychain_expired: signing.is_some_and(|s| s.outlived),
        })
    }
}
