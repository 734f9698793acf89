//! Our own LSAs: everybody gets them, in time and not too often, whoever meddles with them.

use crate::scene::chain;
use routing_common::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_neighbor_that_restarts_while_our_change_waits_still_gets_our_lsa() {
    let mut net = chain(2);
    net.start_all();
    net.run(20 * SECOND);
    net.reconfigure(1, |c| {
        let ospf = c.ospf.as_mut().unwrap();
        ospf.interfaces.get_mut(&"eth2".parse().unwrap()).unwrap().cost = Some(17);
    });
    net.run(100 * MILLI);
    // The loss of the link waits for MinLSArrival; before that the link is back and nothing has changed.
    net.kill(0);
    net.start(0);
    net.wait(SECOND, "our LSA", |n| n.router_lsa(0, 2).is_some());
    net.wait(2 * SECOND, "routes", |n| {
        n.route(0, "10.255.0.2/32").is_some() && n.route(1, "10.255.0.1/32").is_some()
    });
    assert!(net.is_full(0, 1));
}
