//! What vrrpd's shell does: refusals go back to the engine as faults.

use crate::checker::Cause;
use crate::frame::{Datagram, Frame};
use crate::kernel;
use crate::node::{Client, ToClient};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::world::{Event, World};
use rib::message::{ClientMessage, RibMessage, Subscription};
use routing_common::id::IfIndex;
use routing_common::time::Instant;

impl World {
    pub(super) fn process_vrrp(&mut self, router: usize, event: Event) {
        use vrrp_proto::packet::Received;
        use vrrp_proto::{Input, Instance};
        match event {
            Event::Arrive { to, at, frame, nature } if frame.arp().is_some() => {
                let cause = Cause::Frame { port: to.port, frame: &frame, nature, at };
                let ifindex = kernel::ifindex(to.port);
                self.give::<Instance>(router, cause, Input::Arp { ifindex, message: frame.arp_message() });
            }
            Event::Arrive { to, at, frame, nature } => {
                let Some(Datagram { source, destination, ttl, payload, .. }) = frame.datagram() else {
                    return;
                };
                let packet = Received { source, destination, ttl, payload };
                let ifindex = kernel::ifindex(to.port);
                let cause = Cause::Frame { port: to.port, frame: &frame, nature, at };
                self.give::<Instance>(router, cause, Input::Packet { ifindex, packet });
            }
            Event::Links { event, .. } => {
                self.give::<Instance>(router, Cause::Link(&event), Input::Link(event.clone()))
            }
            Event::Reload { .. } => {
                let config = self.file(router);
                self.give::<Instance>(router, Cause::Reconfigured, Input::Reconfigure(config));
            }
            Event::Terminate { .. } => self.give::<Instance>(router, Cause::Other, Input::Shutdown),
            Event::Connected { .. } => {
                let subscription =
                    Subscription { routes_stand: true, attachments: true, ..Subscription::default() };
                for message in ClientMessage::listen("vrrpd", subscription) {
                    self.say_to_rib(router, Client::Vrrp, message);
                }
            }
            Event::ToClient { message: ToClient::Rib(RibMessage::RoutesStand(stand)), .. } => {
                self.give::<Instance>(router, Cause::Rib, Input::RoutesStand(stand));
            }
            Event::ToClient { message: ToClient::Rib(RibMessage::Attached(attachments)), .. } => {
                self.give::<Instance>(router, Cause::Rib, Input::Attached(attachments));
            }
            Event::ServerLost { .. } => {
                self.give::<Instance>(router, Cause::Rib, Input::RoutesStand(false));
                self.give::<Instance>(router, Cause::Rib, Input::Attached(Vec::new()));
            }
            _ => {}
        }
    }

    pub(super) fn drain_vrrp(&mut self, router: usize, local: Instant) -> usize {
        use vrrp_proto::{Input, Instance, Output};
        let mut count = 0;
        while let Some(output) = self.next_output::<Instance>(router) {
            count += 1;
            let node = &mut self.nodes[router];
            let outcome = match &output {
                Output::OpenInterface { ifindex, .. } => {
                    node.vrrp_sockets.insert(*ifindex);
                    node.vrrp_arp.remove(ifindex);
                    Ok(())
                }
                Output::CloseInterface { ifindex } => {
                    node.vrrp_sockets.remove(ifindex);
                    node.vrrp_arp.remove(ifindex);
                    Ok(())
                }
                Output::ListenArp { ifindex, addresses } => {
                    node.vrrp_arp.insert(*ifindex, addresses.clone());
                    Ok(())
                }
                Output::Transmit { ifindex, frame, .. } => self.transmit_vrrp(router, *ifindex, frame),
                Output::Notice(notice) => {
                    self.tell(router, Daemon::Vrrp, notice.clone());
                    Ok(())
                }
                Output::Finished => {
                    self.end_process(router, Daemon::Vrrp);
                    Ok(())
                }
                other => {
                    let now = self.now;
                    // Lifetimes count in the kernel's time, which is the router's own.
                    node.kernel.vrrp(other, |lifetime| node.clock.to_true(node.clock.local(now) + lifetime))
                }
            };
            if let Err(text) = outcome {
                let ifindex = match output {
                    Output::OpenInterface { ifindex, .. } => Some(ifindex),
                    _ => None,
                };
                self.answer::<Instance>(router, local, Input::Fault { ifindex, text });
            }
        }
        count
    }

    fn transmit_vrrp(&mut self, router: usize, ifindex: IfIndex, octets: &[u8]) -> Result<(), String> {
        if !self.nodes[router].vrrp_sockets.contains(&ifindex) {
            return Err(format!("no socket on interface {ifindex}"));
        }
        let port = kernel::port(ifindex).ok_or("not a port")?;
        self.transmit(End { router, port }, Frame::new(octets.to_vec()));
        Ok(())
    }
}
