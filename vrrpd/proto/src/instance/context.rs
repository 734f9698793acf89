//! What one virtual router may touch while it acts.

use super::kernel::{Kernel, Wish, Wishes};
use super::output::Output;
use crate::router::VirtualRouter;
use routing_common::id::IfIndex;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use routing_common::timer::TimerQueue;
use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

/// A virtual router's timers, and one of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKind {
    /// RFC 9568 §6.2 Adver_Timer.
    Adver,
    /// RFC 9568 §6.2 Active_Down_Timer.
    ActiveDown,
    /// The next gratuitous ARP.
    Announce,
    /// The addresses' lifetimes are half over.
    Refresh,
    /// A stopping router's addresses go.
    Linger,
    /// The next ARP probe, or the end of a round of them.
    Probe,
    /// The instance: compare with the kernel again.
    Retry,
}

/// Which address a virtual router wants to hear ARP packets about, by interface and router.
pub(crate) type Listening = BTreeMap<(IfIndex, u32), Ipv4Addr>;

/// Whose timer, and which.
pub(crate) type TimerKey = (u32, TimerKind);

/// The instance's own key; routers count from 1.
pub(crate) const RETRY_KEY: TimerKey = (0, TimerKind::Retry);

/// See the module text.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) id: u32,
    pub(crate) kernel: &'a Kernel,
    /// [`super::Input::RoutesStand`].
    pub(crate) routes_stand: bool,
    pub(crate) wishes: &'a mut Wishes,
    pub(crate) listening: &'a mut Listening,
    pub(crate) timers: &'a mut TimerQueue<TimerKey>,
    pub(crate) out: &'a mut VecDeque<Output>,
    pub(crate) dirty: &'a mut bool,
}

impl Context<'_> {
    /// Emits one output.
    pub(crate) fn output(&mut self, output: Output) {
        self.out.push_back(output);
    }

    /// Tells the operator.
    pub(crate) fn notice(&mut self, notice: Notice) {
        self.output(Output::Notice(notice));
    }

    /// Sets one of this router's timers.
    pub(crate) fn arm(&mut self, kind: TimerKind, at: Instant) {
        self.timers.arm((self.id, kind), at);
    }

    /// Stops one of this router's timers.
    pub(crate) fn cancel(&mut self, kind: TimerKind) {
        self.timers.cancel((self.id, kind));
    }

    /// When one of this router's timers fires, if it runs.
    pub(crate) fn deadline(&self, kind: TimerKind) -> Option<Instant> {
        self.timers.deadline((self.id, kind))
    }

    /// Wants to hear ARP packets about an address, or no more.
    pub(crate) fn listen(&mut self, ifindex: IfIndex, address: Option<Ipv4Addr>) {
        let place = (ifindex, self.id);
        let before = match address {
            Some(address) => self.listening.insert(place, address),
            None => self.listening.remove(&place),
        };
        if before != address {
            let of_interface = self.listening.range((ifindex, 0)..=(ifindex, u32::MAX));
            let addresses = of_interface.map(|(_, address)| *address).collect();
            self.output(Output::ListenArp { ifindex, addresses });
        }
    }

    /// Wants a comparison with the kernel before the input is done.
    pub(crate) fn touch(&mut self) {
        *self.dirty = true;
    }

    /// The interface the router's addresses belong on, if it exists.
    pub(crate) fn service_interface(&self, router: &VirtualRouter) -> Option<IfIndex> {
        service_interface(self.kernel, router)
    }

    /// Asks for everything an Active router needs and the kernel does not have: device first, so that no
    /// address is ever reachable by the wrong MAC.
    pub(crate) fn serve(&mut self, router: &VirtualRouter) {
        let Some(ifindex) = self.service_interface(router) else { return };
        if router.group.virtual_mac {
            let down = self.kernel.is_admin_up(ifindex) == Some(false);
            if down && self.wishes.ask(self.now, Wish::Set(ifindex, true)) {
                self.output(Output::SetDevice { ifindex, up: true });
            }
        }
        let lifetime = router.address_lifetime();
        for address in router.hosts() {
            let there = self.kernel.has(ifindex, address);
            if !there && self.wishes.ask(self.now, Wish::Install(ifindex, address)) {
                self.output(Output::InstallAddress { ifindex, address, lifetime });
            }
        }
    }
}

/// The interface a router's addresses belong on: its macvlan, or the base with the real MAC.
pub(crate) fn service_interface(kernel: &Kernel, router: &VirtualRouter) -> Option<IfIndex> {
    match router.device_name() {
        Some(name) => kernel.named(&name).map(|l| l.ifindex),
        None => router.binding.map(|b| b.ifindex),
    }
}
