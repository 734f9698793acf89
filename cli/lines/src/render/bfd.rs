//! `bfd`: the profiles that are in use, and the peers.

use super::{Page, millis};
use crate::commands::peer_name;
use routing_common::config::{BfdProfile, Config};
use std::collections::BTreeMap;

impl Page {
    pub(super) fn bfd(&mut self, config: &Config) {
        let on_interfaces =
            config.ospf.iter().flat_map(|o| o.interfaces.values()).filter_map(|i| i.bfd.as_ref());
        let of_peers = config.bfd_peers.values().map(|p| &p.profile);
        let profiles: BTreeMap<&str, &BfdProfile> =
            on_interfaces.chain(of_peers).map(|p| (p.name.as_str(), p)).collect();
        self.block("bfd", false, |page| {
            for profile in profiles.into_values() {
                page.profile(profile);
            }
            page.peers(config);
        });
    }

    fn profile(&mut self, profile: &BfdProfile) {
        let usual = self.usual.profile.clone();
        if *profile == usual {
            return;
        }
        self.line(1, format_args!("profile {}", profile.name));
        for (value, usual, word) in [
            (profile.transmit_interval, usual.transmit_interval, "transmit-interval"),
            (profile.receive_interval, usual.receive_interval, "receive-interval"),
        ] {
            self.line_if(value != usual, 2, format!("{word} {}", millis(value)));
        }
        let multiplier = format!("detect-multiplier {}", profile.detect_multiplier);
        self.line_if(profile.detect_multiplier != usual.detect_multiplier, 2, multiplier);
        self.line_if(profile.passive, 2, "passive-mode");
        let ttl = format!("minimum-ttl {}", profile.minimum_ttl);
        self.line_if(profile.minimum_ttl != usual.minimum_ttl, 2, ttl);
        self.line(1, "exit");
        self.line(1, "!");
    }

    fn peers(&mut self, config: &Config) {
        for (name, peer) in &config.bfd_peers {
            let mut head = format!("peer {}", peer.address);
            if peer.multihop {
                head.push_str(" multihop");
            }
            if let Some(local) = peer.local_address {
                head.push_str(&format!(" local-address {local}"));
            }
            if let Some(interface) = &peer.interface {
                head.push_str(&format!(" interface {interface}"));
            }
            let interface = peer.interface.as_ref().map(|i| i.as_str());
            if *name != peer_name(&peer.address.to_string(), interface, peer.multihop) {
                head.push_str(&format!(" name {name}"));
            }
            self.line(1, head);
            let profile = format!("profile {}", peer.profile.name);
            self.line_if(peer.profile.name != "default", 2, profile);
            self.line_if(peer.shutdown, 2, "shutdown");
            self.line(1, "exit");
            self.line(1, "!");
        }
    }
}
