//! The modes of configuration: which block the lines belong to.

use routing_common::id::InterfaceName;

/// Where the next line belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The top.
    Config,
    /// `interface NAME`.
    Interface(InterfaceName),
    /// `router ospf`.
    RouterOspf,
    /// `route-map NAME permit|deny SEQUENCE`: one entry of a route map.
    RouteMap {
        /// The map's name.
        name: String,
        /// The entry's place.
        sequence: u16,
    },
    /// `key chain NAME`.
    KeyChain(String),
    /// `key ID` below `key chain`: one key of a chain.
    Key {
        /// The chain's name.
        chain: String,
        /// The key's id.
        id: u8,
    },
    /// `bfd`.
    Bfd,
    /// `peer …` below `bfd`, by its name in the file.
    BfdPeer(String),
    /// `profile NAME` below `bfd`.
    BfdProfile(String),
}

/// A mode without its name: what its commands depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Config,
    Interface,
    RouterOspf,
    RouteMap,
    KeyChain,
    Key,
    Bfd,
    BfdPeer,
    BfdProfile,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Config,
        Self::Interface,
        Self::RouterOspf,
        Self::RouteMap,
        Self::KeyChain,
        Self::Key,
        Self::Bfd,
        Self::BfdPeer,
        Self::BfdProfile,
    ];
}

impl Mode {
    /// What stands in the prompt behind the router's name.
    pub fn prompt(&self) -> &'static str {
        match self {
            Self::Config => "(config)",
            Self::Interface(_) => "(config-if)",
            Self::RouterOspf => "(config-router)",
            Self::RouteMap { .. } => "(config-route-map)",
            Self::KeyChain(_) => "(config-keychain)",
            Self::Key { .. } => "(config-keychain-key)",
            Self::Bfd => "(config-bfd)",
            Self::BfdPeer(_) => "(config-bfd-peer)",
            Self::BfdProfile(_) => "(config-bfd-profile)",
        }
    }

    /// The mode around this one; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Config => None,
            Self::Interface(_) | Self::RouterOspf | Self::RouteMap { .. } | Self::KeyChain(_) | Self::Bfd => {
                Some(Self::Config)
            }
            Self::Key { chain, .. } => Some(Self::KeyChain(chain.clone())),
            Self::BfdPeer(_) | Self::BfdProfile(_) => Some(Self::Bfd),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Config => Kind::Config,
            Self::Interface(_) => Kind::Interface,
            Self::RouterOspf => Kind::RouterOspf,
            Self::RouteMap { .. } => Kind::RouteMap,
            Self::KeyChain(_) => Kind::KeyChain,
            Self::Key { .. } => Kind::Key,
            Self::Bfd => Kind::Bfd,
            Self::BfdPeer(_) => Kind::BfdPeer,
            Self::BfdProfile(_) => Kind::BfdProfile,
        }
    }
}
