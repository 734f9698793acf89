//! What bfdd's shell does. The kernel stamps packets as they come, so one that waited is as old as it is.

use crate::checker::Cause;
use crate::frame::{Frame, UdpDatagram};
use crate::kernel;
use crate::node::{BfdWay, ToClient, ToServer};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::world::{Event, World};
use bfd_proto::{ClientId, Input, Instance, Output, Received};
use routing_common::time::Instant;

/// RFC 5881 §4: where Control packets go.
pub(crate) const PORT: u16 = 3784;
/// RFC 5881 §4: the first port they may come from.
const SOURCE_PORT: u16 = 49_152;

impl World {
    pub(super) fn process_bfd(&mut self, router: usize, event: Event) {
        match event {
            Event::Arrive { to, at, frame, nature } => {
                let (Some(ip), Some(udp)) = (frame.datagram(), frame.udp()) else { return };
                let received = Received {
                    interface: kernel::ifindex(to.port),
                    source: ip.source,
                    destination: ip.destination,
                    ttl: ip.ttl,
                    multihop: false,
                    payload: udp.payload,
                    received: self.nodes[router].clock.local(at),
                };
                let cause = Cause::Frame { port: to.port, frame: &frame, nature, at };
                self.give::<Instance>(router, cause, Input::Packet(received));
            }
            Event::Links { event, .. } => {
                self.give::<Instance>(router, Cause::Link(&event), Input::Link(event.clone()))
            }
            Event::ClientConnected { number, .. } => {
                self.give::<Instance>(router, Cause::Other, Input::ClientConnected(ClientId(number)));
            }
            Event::ToServer { number, message: ToServer::Bfd(message), .. } => {
                self.give::<Instance>(router, Cause::Other, Input::ClientMessage(ClientId(number), message));
            }
            Event::ClientGone { number, .. } => {
                self.give::<Instance>(router, Cause::Other, Input::ClientGone(ClientId(number)));
            }
            Event::Reload { .. } => {
                let config = self.file(router);
                self.give::<Instance>(router, Cause::Reconfigured, Input::Reconfigure(config));
            }
            Event::Terminate { .. } => self.give::<Instance>(router, Cause::Other, Input::Shutdown),
            _ => {}
        }
    }

    pub(super) fn drain_bfd(&mut self, router: usize, local: Instant) -> usize {
        let mut count = 0;
        while let Some(output) = self.next_output::<Instance>(router) {
            count += 1;
            let node = &mut self.nodes[router];
            match output {
                // Sessions over several hops are not simulated: nobody here asks for one.
                Output::Listen(interface) => node.bfd_sockets.extend(interface),
                Output::StopListening(interface) => {
                    interface.map(|i| node.bfd_sockets.remove(&i));
                }
                Output::Open { session, peer, local, interface } => {
                    if let (Some(local), Some(interface)) = (local, interface) {
                        node.bfd_ways.insert(session, BfdWay { peer, local, interface });
                    }
                }
                Output::Close(session) => _ = node.bfd_ways.remove(&session),
                Output::Transmit { session, packet } => {
                    if !self.transmit_bfd(router, session, &packet) {
                        self.answer::<Instance>(router, local, Input::TransmitFailed(session));
                    }
                }
                Output::ToClient(ClientId(number), message) => {
                    self.say_to_client(router, number, ToClient::Bfd(message));
                }
                Output::Disconnect(ClientId(number)) => {
                    self.disconnect(router, number);
                    self.answer::<Instance>(router, local, Input::ClientGone(ClientId(number)));
                }
                Output::Notice(notice) => self.tell(router, Daemon::Bfd, notice),
                Output::Finished => self.end_process(router, Daemon::Bfd),
            }
        }
        count
    }

    /// Sends from the session's socket; `false` if the kernel would not.
    fn transmit_bfd(&mut self, router: usize, session: u32, payload: &[u8]) -> bool {
        let node = &self.nodes[router];
        let Some(BfdWay { peer, local, interface }) = node.bfd_ways.get(&session).copied() else {
            return false;
        };
        let has_address = node.kernel.has_on(interface, local);
        let Some(port) = kernel::port(interface).filter(|_| has_address) else { return false };
        let udp = UdpDatagram { source_port: SOURCE_PORT, destination_port: PORT, payload };
        let frame = Frame::udp_of(kernel::mac(router, port), local, peer, 255, udp);
        self.transmit(End { router, port }, frame);
        true
    }
}
