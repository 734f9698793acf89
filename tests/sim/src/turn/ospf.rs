//! What ospfd's shell does.

use crate::checker::Cause;
use crate::frame::{Datagram, Frame, OSPF};
use crate::kernel;
use crate::node::{Client, ToClient, ToServer};
use crate::scenario::Daemon;
use crate::segment::End;
use crate::world::{Event, World};

impl World {
    pub(super) fn process_ospf(&mut self, router: usize, event: Event) {
        use ospf_proto::{Clear, Input, Instance, Received};
        match event {
            Event::Arrive { to, at, frame, nature } => {
                let Some(Datagram { source, destination, ttl, payload, .. }) = frame.datagram() else {
                    return;
                };
                let ifindex = kernel::ifindex(to.port);
                let received = Received { ifindex, source, destination, ttl, payload };
                let cause = Cause::Frame { port: to.port, frame: &frame, nature, at };
                self.give::<Instance>(router, cause, Input::Packet(received));
            }
            Event::Links { event, .. } => {
                self.give::<Instance>(router, Cause::Link(&event), Input::Link(event.clone()))
            }
            Event::Connected { number, .. } => {
                let input = match Client::of(number) {
                    Client::OspfBfd => Input::BfdConnected,
                    _ => Input::RibConnected,
                };
                self.give::<Instance>(router, Cause::Rib, input);
            }
            Event::ToClient { message, .. } => {
                let input = match message {
                    ToClient::Rib(message) => Input::Rib(message),
                    ToClient::Bfd(message) => Input::Bfd(message),
                };
                self.give::<Instance>(router, Cause::Rib, input);
            }
            Event::ServerLost { number, .. } => {
                let input = match Client::of(number) {
                    Client::OspfBfd => Input::BfdLost,
                    _ => Input::RibLost,
                };
                self.give::<Instance>(router, Cause::Rib, input);
            }
            Event::Reload { .. } => {
                let config = self.file(router);
                self.give::<Instance>(router, Cause::Reconfigured, Input::Reconfigure(config));
            }
            Event::Terminate { .. } => self.give::<Instance>(router, Cause::Other, Input::Shutdown),
            Event::WallClock { .. } => {
                let seconds = self.nodes[router].clock.wall(self.now);
                self.give::<Instance>(router, Cause::Other, Input::WallClock(seconds));
            }
            Event::PrepareRestart { .. } => {
                self.give::<Instance>(router, Cause::Other, Input::PrepareRestart)
            }
            Event::Clear { .. } => self.give::<Instance>(router, Cause::Other, Input::Clear(Clear::Process)),
            _ => {}
        }
    }

    pub(super) fn drain_ospf(&mut self, router: usize) -> usize {
        use ospf_proto::{Instance, Output};
        let mut count = 0;
        while let Some(output) = self.next_output::<Instance>(router) {
            count += 1;
            let node = &mut self.nodes[router];
            match output {
                Output::Transmit { ifindex, source, destination, payload } => {
                    let datagram =
                        Datagram { source, destination, ttl: 1, protocol: OSPF, payload: &payload };
                    if node.ospf_sockets.contains_key(&ifindex)
                        && let Some(port) = kernel::port(ifindex)
                    {
                        let frame = Frame::ip(kernel::mac(router, port), datagram);
                        self.transmit(End { router, port }, frame);
                    }
                }
                Output::OpenInterface { ifindex, .. } => {
                    node.ospf_sockets.insert(ifindex, Default::default());
                }
                Output::CloseInterface { ifindex } => {
                    node.ospf_sockets.remove(&ifindex);
                }
                Output::JoinGroup { ifindex, group } => {
                    if let Some(groups) = node.ospf_sockets.get_mut(&ifindex) {
                        groups.insert(group);
                    }
                }
                Output::LeaveGroup { ifindex, group } => {
                    if let Some(groups) = node.ospf_sockets.get_mut(&ifindex) {
                        groups.remove(&group);
                    }
                }
                Output::Rib(message) => self.say_to_rib(router, Client::Ospf, message),
                Output::Bfd(message) => {
                    self.say_to_server(router, Client::OspfBfd, ToServer::Bfd(message));
                }
                Output::Persist(saved) => node.saved = Some(saved),
                Output::Notice(notice) => self.tell(router, Daemon::Ospf, notice),
                Output::Finished => self.end_process(router, Daemon::Ospf),
            }
        }
        count
    }
}
