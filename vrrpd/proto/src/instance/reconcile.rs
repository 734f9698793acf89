//! Comparing what is wanted with what the kernel has, and asking for the difference.
//!
//! Runs once for all inputs of one moment that could have made a difference, never for a mere advertisement.
//! The order of its steps is the order things become possible: who is done, where to listen, who can run, who
//! should have what, what nobody wants. Listening comes before running because an owner speaks the moment it
//! can run, and speaks through the socket it listens on.

use super::SysctlFamily::{self, Ipv4, Ipv6};
use super::context::{self, RETRY_KEY};
use super::kernel::{Kernel, Wish};
use super::{DEVICE_TAG, Instance, Output};
use crate::constants::virtual_mac;
use crate::machine::{Event, State};
use crate::router::{Binding, Blocked, Cause, Service, VirtualRouter};
use ipnetwork::Ipv4Network;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::Link;
use routing_common::notice::Notice;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// Family, key and value of a kernel parameter.
type SysctlRow = (SysctlFamily, &'static str, &'static str);

/// Kernel parameters of a base interface whose VIPs live on a macvlan:
/// without them it would answer ARP for them, or ask with them, under its own MAC.
const BASE_SYSCTLS: [SysctlRow; 3] =
    [(Ipv4, "arp_ignore", "1"), (Ipv4, "arp_announce", "2"), (Ipv4, "promote_secondaries", "1")];

/// The same of the macvlan. Loose `rp_filter` rather than none: the larger of this value and that of `all` counts,
/// so 2 works on a host that sets 1 for `all`, and 0 would not. No IPv6: it would invent a link-local address
/// from the virtual MAC, the same on every router. No redirects: they would tell hosts to leave the virtual
/// router for a real one. Those of the base interface are the RIB's to switch off, with forwarding.
const DEVICE_SYSCTLS: [SysctlRow; 5] = [
    (Ipv6, "disable_ipv6", "1"),
    (Ipv4, "send_redirects", "0"),
    (Ipv4, "arp_ignore", "1"),
    (Ipv4, "arp_announce", "2"),
    (Ipv4, "rp_filter", "2"),
];

/// How long a device that serves no more stays up without carrier.
const AFTER_CARRIER: Duration = Duration::from_secs(1);

impl Instance {
    /// See the module text.
    pub(super) fn reconcile(&mut self, now: Instant) {
        for id in self.ids() {
            self.with(now, id, end_stranded_lingering);
        }
        self.forget_retired();
        self.open_and_close();
        for id in self.ids() {
            self.tune_device(id);
            self.with(now, id, rebind);
        }
        let mut again = None;
        for id in self.ids() {
            again = again.into_iter().chain(self.want_device(now, id)).min();
            self.with(now, id, |router, cx| {
                // What lingers is on its way out: what is missing then is not put back.
                if router.service == Service::On {
                    cx.serve(router);
                }
            });
        }
        self.want_nothing_else(now);
        match self.wishes.end_round().into_iter().chain(again).min() {
            Some(at) => self.timers.arm(RETRY_KEY, at),
            None => {
                self.timers.cancel(RETRY_KEY);
            }
        }
        // What the steps above changed has been compared already.
        self.dirty = false;
        if self.stopping && self.routers.is_empty() && !self.finished {
            self.finished = true;
            self.timers.cancel(RETRY_KEY);
            self.out.push_back(Output::Finished);
        }
    }

    fn forget_retired(&mut self) {
        let done = |r: &VirtualRouter| r.retired && r.service == Service::Off;
        let gone: Vec<u32> = self.routers.iter().filter(|(_, r)| done(r)).map(|(id, _)| *id).collect();
        for id in gone {
            self.routers.remove(&id);
            self.index.retain(|_, indexed| *indexed != id);
            self.timers.cancel_where(|(owner, _)| *owner == id);
        }
    }

    /// Listens where a virtual router is configured and the interface exists, even while it is down.
    fn open_and_close(&mut self) {
        let mut wanted: BTreeMap<IfIndex, InterfaceName> = BTreeMap::new();
        for router in self.routers.values() {
            if let Some(link) = self.kernel.named(&router.group.interface) {
                wanted.insert(link.ifindex, link.name.clone());
            }
        }
        let gone: Vec<IfIndex> =
            self.open.iter().filter(|(i, n)| wanted.get(i) != Some(n)).map(|(i, _)| *i).collect();
        for ifindex in gone {
            if let Some(interface) = self.open.remove(&ifindex) {
                self.tuned.remove(&ifindex);
                // With it goes what was listened for; who asked there is about to stop.
                self.listening.retain(|(on, _), _| *on != ifindex);
                self.out.push_back(Output::CloseInterface { ifindex });
                self.out.push_back(Output::RestoreSysctls { interface });
            }
        }
        for (ifindex, name) in wanted {
            if self.open.insert(ifindex, name.clone()).is_none() {
                self.out.push_back(Output::OpenInterface { ifindex, name: name.clone() });
            }
            // The first virtual MAC of an interface may come with a later configuration than the interface.
            let with_device = |r: &VirtualRouter| r.group.interface == name && r.group.virtual_mac;
            if self.routers.values().any(with_device) && self.tuned.insert(ifindex) {
                self.tune(&name, &BASE_SYSCTLS);
            }
        }
    }

    fn tune(&mut self, interface: &InterfaceName, rows: &[SysctlRow]) {
        for (family, key, value) in rows {
            self.out.push_back(Output::SetSysctl {
                interface: interface.clone(),
                family: *family,
                key,
                value,
            });
        }
    }

    /// A macvlan found rather than made is tuned as well: whoever made it may not have come that far.
    fn tune_device(&mut self, id: u32) {
        let Some(router) = self.routers.get(&id) else { return };
        let Some(name) = router.device_name() else { return };
        let base = self.kernel.named(&router.group.interface).map(|l| l.ifindex);
        let ours = |l: &&Link| base.is_some_and(|base| is_ours(l, base, router));
        let Some(ifindex) = self.kernel.named(&name).filter(ours).map(|l| l.ifindex) else { return };
        if self.tuned.insert(ifindex) {
            self.tune(&name, &DEVICE_SYSCTLS);
        }
    }

    /// The macvlan exists from configuration to retirement and is up exactly while it serves: a Backup with
    /// an up device would receive and forward frames to the virtual MAC that a switch floods. Without carrier there
    /// are none, and to take a device down the kernel waits for ten milliseconds with a lock that the RIB
    /// needs for the routes that are to lead around the loss: then it has time. Says when to look again.
    fn want_device(&mut self, now: Instant, id: u32) -> Option<Instant> {
        let router = self.routers.get(&id)?;
        let name = router.device_name()?;
        let (base, carries) = self.kernel.named(&router.group.interface).map(|l| (l.ifindex, l.running))?;
        match self.kernel.named(&name) {
            None => {
                if self.wishes.ask(now, Wish::Create(name.clone())) {
                    let mac = virtual_mac(router.group.vrid);
                    let create =
                        Output::CreateDevice { name: name.clone(), parent: base, mac, alias: DEVICE_TAG };
                    self.out.push_back(create);
                    // Up or down alike: these count from the first frame on.
                    self.tune(&name, &DEVICE_SYSCTLS);
                }
            }
            Some(link) if router.service == Service::Off && link.admin_up && is_ours(link, base, router) => {
                let (ifindex, at) = (link.ifindex, router.service_since + AFTER_CARRIER);
                if !carries && now < at {
                    return Some(at);
                }
                if self.wishes.ask(now, Wish::Set(ifindex, false)) {
                    self.out.push_back(Output::SetDevice { ifindex, up: false });
                }
            }
            Some(_) => {}
        }
        None
    }

    /// Is a virtual router's device what it should be? One of the right name on another interface, as after
    /// two interfaces exchanged their names, is only in the way.
    fn is_wanted(&self, device: &Link) -> bool {
        self.routers.values().any(|r| {
            let base = self.kernel.named(&r.group.interface);
            r.device_name().as_ref() == Some(&device.name)
                && base.is_some_and(|base| is_ours(device, base.ifindex, r))
        })
    }

    /// Removes addresses and devices with our mark that no virtual router wants where they are.
    fn want_nothing_else(&mut self, now: Instant) {
        let devices: BTreeMap<IfIndex, InterfaceName> = self
            .kernel
            .links()
            .filter(|l| l.alias.as_deref() == Some(DEVICE_TAG) && !self.is_wanted(l))
            .map(|l| (l.ifindex, l.name.clone()))
            .collect();
        let in_service: BTreeSet<(IfIndex, Ipv4Network)> = self
            .routers
            .values()
            .filter(|r| r.service != Service::Off)
            .filter_map(|r| context::service_interface(&self.kernel, r).map(|ifindex| (r, ifindex)))
            .flat_map(|(r, ifindex)| r.hosts().map(move |host| (ifindex, host)))
            .collect();
        let addresses: Vec<(IfIndex, Ipv4Network)> = self
            .kernel
            .tagged()
            .map(|a| (a.ifindex, a.network))
            .filter(|place| !devices.contains_key(&place.0) && !in_service.contains(place))
            .collect();
        for (ifindex, address) in addresses {
            if self.wishes.ask(now, Wish::Uninstall(ifindex, address)) {
                self.out.push_back(Output::RemoveAddress { ifindex, address });
            }
        }
        for (ifindex, name) in devices {
            if self.wishes.ask(now, Wish::Remove(ifindex)) {
                self.out.push_back(Output::RemoveDevice { ifindex, name });
            }
        }
    }
}

/// A macvlan with our MAC on our interface is ours to use, tagged or not; only tagged ones are ever removed.
fn is_ours(link: &Link, base: IfIndex, router: &VirtualRouter) -> bool {
    link.kind.as_deref() == Some("macvlan")
        && link.parent == Some(base)
        && link.mac == Some(virtual_mac(router.group.vrid))
}

/// Finds what a virtual router runs on, or what is missing.
fn bind(kernel: &Kernel, router: &VirtualRouter) -> Result<Binding, Blocked> {
    let link = kernel.named(&router.group.interface).ok_or(Blocked::NoInterface)?;
    if !link.admin_up || !link.running {
        return Err(Blocked::InterfaceDown);
    }
    let mac = link.mac.ok_or(Blocked::NoHardwareAddress)?;
    let primary = kernel
        .primary(link.ifindex, &router.group.virtual_addresses, router.is_owner())
        .ok_or(Blocked::NoAddress)?;
    if let Some(name) = router.device_name() {
        match kernel.named(&name) {
            Some(device) if is_ours(device, link.ifindex, router) => {}
            Some(_) => return Err(Blocked::DeviceNameTaken),
            // A running router whose device is stolen stays what it is while the device is made anew.
            None if router.state == State::Initialize => return Err(Blocked::NoDevice),
            None => {}
        }
    }
    Ok(Binding { ifindex: link.ifindex, mac, primary })
}

/// A stopping router speaks no more; it only lingers as long as its interface carries frames.
fn end_stranded_lingering(router: &mut VirtualRouter, cx: &mut context::Context<'_>) {
    let alive = cx.kernel.named(&router.group.interface).is_some_and(|l| l.running);
    if router.retired && router.service != Service::Off && !alive {
        router.withdraw(cx);
    }
}

/// Starts, moves or stops a router according to what there is to run on.
fn rebind(router: &mut VirtualRouter, cx: &mut context::Context<'_>) {
    if router.retired {
        return;
    }
    let found = bind(cx.kernel, router);
    router.blocked = found.err();
    let moved = router.binding.is_some_and(|old| found.is_ok_and(|new| new.ifindex != old.ifindex));
    if router.state != State::Initialize && (found.is_err() || moved) {
        router.step(cx, Event::InterfaceDown, Cause::Link, None);
    }
    let Ok(binding) = found else { return };
    router.binding = Some(binding);
    warn_of_ownership(router, cx, binding.ifindex);
    if router.state == State::Initialize {
        let resumed = std::mem::take(&mut router.fresh) && left_in_service(cx.kernel, router);
        let (event, cause) =
            if resumed { (Event::Resume, Cause::Resumed) } else { (Event::Startup, Cause::Startup) };
        router.step(cx, event, cause, None);
    }
}

/// Who has the address for his own must have priority 255 (RFC 9568 §5.2.4): as a Backup he answers for it all
/// the same. The configuration is checked for this, but it need not tell all addresses there are.
fn warn_of_ownership(router: &mut VirtualRouter, cx: &mut context::Context<'_>, ifindex: IfIndex) {
    if router.is_owner() {
        return;
    }
    let own = router.group.virtual_addresses.iter().map(|a| a.ip()).find(|a| cx.kernel.owns(ifindex, *a));
    let Some(own) = own else { return };
    if router.told.due(cx.now, "vrrp-own-address") {
        let text = format!(
            "vrrp {} ({}): {own} is an address of {} itself, which answers for it in every state; take it off, \
             or set priority 255",
            router.name, router.group.vrid, router.group.interface
        );
        cx.notice(Notice::warning("vrrp-own-address", text));
    }
}

/// Did an earlier run leave this router's addresses in service?
fn left_in_service(kernel: &Kernel, router: &VirtualRouter) -> bool {
    let Some(ifindex) = context::service_interface(kernel, router) else { return false };
    let up = kernel.is_admin_up(ifindex) == Some(true);
    up && router.hosts().any(|address| kernel.is_tagged(ifindex, address))
}
