//! What ribd's shell does: the requests of a turn are executed in rounds.

use crate::checker::Cause;
use crate::node::{ToClient, ToServer};
use crate::scenario::Daemon;
use crate::trace::Happening;
use crate::world::{Event, World};
use rib::fib::{FibFailure, FibRequest, FibResults};
use rib::system::SystemOp;
use rib::{ClientId, Rib};
use routing_common::time::Instant;

impl World {
    pub(super) fn process_rib(&mut self, router: usize, event: Event) {
        use rib::Input;
        let stops = matches!(event, Event::Terminate { .. });
        let (cause, input) = match &event {
            Event::Links { event, .. } => (Cause::Link(event), Input::Link(event.clone())),
            Event::ClientConnected { number, .. } => (Cause::Rib, Input::ClientConnected(ClientId(*number))),
            Event::ToServer { number, message: ToServer::Rib(message), .. } => {
                (Cause::Rib, Input::ClientMessage(ClientId(*number), message.clone()))
            }
            Event::ClientGone { number, .. } => (Cause::Rib, Input::ClientGone(ClientId(*number))),
            Event::Reload { .. } => (Cause::Reconfigured, Input::Reconfigure(self.file(router))),
            Event::Disturbed { prefix, .. } => (Cause::Other, Input::RouteDisturbed(*prefix)),
            Event::Terminate { .. } => (Cause::Other, Input::Shutdown),
            _ => return,
        };
        self.give::<Rib>(router, cause, input);
        if stops {
            self.end_process(router, Daemon::Rib);
        }
    }

    pub(super) fn drain_rib(&mut self, router: usize, local: Instant) -> usize {
        use rib::{Input, Output};
        let mut count = 0;
        loop {
            let mut requests: Vec<FibRequest> = Vec::new();
            let mut system: Vec<SystemOp> = Vec::new();
            let mut ended: Vec<ClientId> = Vec::new();
            while let Some(output) = self.next_output::<Rib>(router) {
                count += 1;
                match output {
                    Output::Fib(request) => requests.push(request),
                    Output::System(op) => system.push(op),
                    Output::ToClient(ClientId(number), message) => {
                        self.say_to_client(router, number, ToClient::Rib(message));
                    }
                    Output::Disconnect(id) => ended.push(id),
                    Output::Notice(notice) => self.tell(router, Daemon::Rib, notice),
                }
            }
            if requests.is_empty() && system.is_empty() && ended.is_empty() {
                return count;
            }
            if !requests.is_empty() {
                let results = self.execute(router, &requests);
                self.answer::<Rib>(router, local, Input::FibResults(results));
            }
            for id in ended {
                self.disconnect(router, id.0);
                self.answer::<Rib>(router, local, Input::ClientGone(id));
            }
            for op in system {
                self.nodes[router].kernel.system(&op);
                self.answer::<Rib>(router, local, Input::SystemResult(op, Ok(())));
            }
        }
    }

    fn execute(&mut self, router: usize, requests: &[FibRequest]) -> FibResults {
        let mut results = FibResults { up_to: 0, failures: Vec::new() };
        for request in requests {
            let refuse = u64::from(self.nodes[router].kernel.refuse_permille);
            let outcome = match refuse > 0 && self.rng.below(1000) < refuse {
                true => Err((rib::fib::FibErrorKind::Refused, "out of memory")),
                false => self.nodes[router].kernel.fib(&request.op),
            };
            let (op, done) = (request.op.clone(), outcome.is_ok());
            self.transcript.record(self.now, Happening::Fib { router, op, done });
            results.up_to = request.token;
            if let Err((kind, text)) = outcome {
                results.failures.push(FibFailure { token: request.token, kind, text: text.to_owned() });
            }
        }
        results
    }
}
