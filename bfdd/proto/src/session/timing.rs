//! Timer negotiation (RFC 5880 §6.8.2 to §6.8.4) and Poll Sequences (§6.5).
//!
//! An interval exists three times. *Wanted* is what clients and configuration ask for. *Announced* is what our
//! packets say: bfd.DesiredMinTxInterval and bfd.RequiredMinRxInterval. *In use* is what our own timers run by: after a
//! change that the peer must know of first (§6.8.3), the old value until the Poll Sequence has ended.
//!
//! A change that comes while a Poll Sequence runs waits for its end, and the next sequence begins only after a
//! packet without the Final bit: the third of the choices §6.8.3 gives, so that no late or doubled
//! Final answers the wrong question.

use crate::constants::SLOW_INTERVAL;
use crate::message::{Parameters, SHORTEST_INTERVAL};
use routing_common::time::Duration;

/// Where the Poll Sequence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Poll {
    /// None is running.
    Idle,
    /// One has ended; none begins before a packet without Final.
    Settling,
    /// Packets carry the Poll bit; whether one has been sent.
    Running { sent: bool },
}

/// The timing half of a session's variables, under RFC 5880 §6.8.1's names where it has them.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    /// What is asked for while the session is Up.
    wanted: (Duration, Duration),
    /// Is the session Up?
    up: bool,
    /// bfd.DesiredMinTxInterval.
    pub(crate) desired_min_tx_interval: Duration,
    /// bfd.RequiredMinRxInterval.
    pub(crate) required_min_rx_interval: Duration,
    /// bfd.RemoteMinRxInterval; zero: nothing periodic.
    pub(crate) remote_min_rx_interval: Duration,
    /// The last received Desired Min TX Interval.
    pub(crate) remote_desired_min_tx: Duration,
    /// The last received Detect Mult.
    pub(crate) remote_detect_mult: u8,
    /// bfd.DetectMult.
    pub(crate) detect_mult: u8,
    transmit_in_use: Duration,
    receive_in_use: Duration,
    poll: Poll,
}

/// An interval that fits the wire and our own bound, in whole microseconds.
fn clamped(interval: Duration) -> Duration {
    let micros = u32::try_from(interval.as_micros()).unwrap_or(u32::MAX);
    Duration::from_micros(u64::from(micros)).max(SHORTEST_INTERVAL)
}

/// An interval as the wire counts it.
pub(crate) fn micros(interval: Duration) -> u32 {
    u32::try_from(interval.as_micros()).unwrap_or(u32::MAX)
}

impl Timing {
    /// A session that is Down and knows nothing of its peer.
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let wanted = (clamped(parameters.transmit_interval), clamped(parameters.receive_interval));
        let mut timing = Self {
            wanted,
            up: false,
            desired_min_tx_interval: Duration::ZERO,
            required_min_rx_interval: Duration::ZERO,
            remote_min_rx_interval: Duration::ZERO,
            remote_desired_min_tx: Duration::ZERO,
            remote_detect_mult: 0,
            detect_mult: parameters.detect_multiplier.max(1),
            transmit_in_use: Duration::ZERO,
            receive_in_use: Duration::ZERO,
            poll: Poll::Idle,
        };
        timing.forget_remote();
        timing.announce();
        timing.apply();
        timing
    }

    /// The peer is unknown (again): its values are what §6.8.1 starts with.
    pub(crate) fn forget_remote(&mut self) {
        self.remote_min_rx_interval = Duration::from_micros(1);
        self.remote_desired_min_tx = Duration::ZERO;
        self.remote_detect_mult = 0;
    }

    /// Other parameters are wanted. Says whether what our packets say has changed.
    pub(crate) fn want(&mut self, parameters: &Parameters) -> bool {
        let before = (self.detect_mult, self.desired_min_tx_interval, self.required_min_rx_interval);
        self.detect_mult = parameters.detect_multiplier.max(1);
        self.wanted = (clamped(parameters.transmit_interval), clamped(parameters.receive_interval));
        self.begin_what_is_due();
        before != (self.detect_mult, self.desired_min_tx_interval, self.required_min_rx_interval)
    }

    /// The session came Up, or left it.
    pub(crate) fn set_up(&mut self, up: bool) {
        self.up = up;
        // A change of state begins anew: what an old sequence asked is of no interest any more.
        self.poll = Poll::Idle;
        if up {
            self.announce();
            self.poll = Poll::Running { sent: false };
        } else {
            self.announce();
            self.apply();
        }
    }

    /// A packet that was not discarded came in; whether it had the Final bit.
    pub(crate) fn received(&mut self, final_: bool) {
        match self.poll {
            Poll::Running { sent: true } if final_ => {
                self.apply();
                self.poll = Poll::Settling;
            }
            Poll::Settling if !final_ => self.poll = Poll::Idle,
            _ => {}
        }
        self.begin_what_is_due();
    }

    /// Is a Poll Sequence being transmitted?
    pub(crate) fn is_polling(&self) -> bool {
        matches!(self.poll, Poll::Running { .. })
    }

    /// A packet with the Poll bit was sent.
    pub(crate) fn poll_sent(&mut self) {
        self.poll = Poll::Running { sent: true };
    }

    /// What our packets are to say: §6.8.3 keeps a session that is not Up slow.
    fn target(&self) -> (Duration, Duration) {
        let (transmit, receive) = self.wanted;
        (if self.up { transmit } else { transmit.max(SLOW_INTERVAL) }, receive)
    }

    fn begin_what_is_due(&mut self) {
        if self.poll != Poll::Idle || self.target() == self.announced() {
            return;
        }
        self.announce();
        if self.up {
            self.poll = Poll::Running { sent: false };
        } else {
            self.apply();
        }
    }

    fn announced(&self) -> (Duration, Duration) {
        (self.desired_min_tx_interval, self.required_min_rx_interval)
    }

    /// Changes what packets say, and what is in use as far as §6.8.3 lets it change at once.
    fn announce(&mut self) {
        let (transmit, receive) = self.target();
        self.desired_min_tx_interval = transmit;
        self.required_min_rx_interval = receive;
        self.transmit_in_use = self.transmit_in_use.min(transmit);
        self.receive_in_use = self.receive_in_use.max(receive);
    }

    /// Everything announced is in use.
    fn apply(&mut self) {
        (self.transmit_in_use, self.receive_in_use) = self.announced();
    }

    /// Between packets sent, before jitter: the slower of what we want and what the peer bears (§6.8.2).
    pub(crate) fn transmit_interval(&self) -> Duration {
        self.transmit_in_use.max(self.remote_min_rx_interval)
    }

    /// Silence after which the peer is gone (§6.8.4); zero before the peer has been heard.
    pub(crate) fn detection_time(&self) -> Duration {
        self.receive_in_use.max(self.remote_desired_min_tx) * u32::from(self.remote_detect_mult)
    }

    /// Silence after which we are gone for the peer, as far as we know.
    pub(crate) fn remote_detection_time(&self) -> Duration {
        self.transmit_interval() * u32::from(self.detect_mult)
    }

    /// `interval` less its jitter; `random` is uniform (§6.8.7: by 0 to 25 %, with a Detect Mult of 1 by 10 to 25 %).
    pub(crate) fn jittered(&self, interval: Duration, random: u64) -> Duration {
        let (least, span) = if self.detect_mult == 1 { (750_000, 150_001) } else { (750_000, 250_001) };
        let millionths = least + random % span;
        let nanos = interval.as_nanos() * u128::from(millionths) / 1_000_000;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn parameters(transmit: u64, receive: u64, detect_multiplier: u8) -> Parameters {
        Parameters {
            transmit_interval: ms(transmit),
            receive_interval: ms(receive),
            detect_multiplier,
            passive: false,
            minimum_ttl: 254,
        }
    }

    /// Up with a peer that says 3 × 20 ms and bears 5 ms; the first Poll Sequence is over.
    fn up(transmit: u64, receive: u64) -> Timing {
        let mut t = Timing::new(&parameters(transmit, receive, 3));
        t.remote_min_rx_interval = ms(5);
        t.remote_desired_min_tx = ms(20);
        t.remote_detect_mult = 3;
        t.set_up(true);
        assert!(t.is_polling());
        t.poll_sent();
        t.received(true);
        t.received(false);
        assert!(!t.is_polling());
        t
    }

    #[test]
    fn a_session_that_is_not_up_is_slow_and_one_that_comes_up_fast_at_once() {
        let mut t = Timing::new(&parameters(10, 10, 3));
        assert_eq!((t.desired_min_tx_interval, t.transmit_interval()), (ms(1000), ms(1000)));
        assert_eq!(Timing::new(&parameters(5000, 10, 3)).desired_min_tx_interval, ms(5000));
        t.set_up(true);
        assert_eq!((t.desired_min_tx_interval, t.transmit_interval()), (ms(10), ms(10)));
        assert!(t.is_polling());
        t.set_up(false);
        assert_eq!((t.desired_min_tx_interval, t.transmit_interval()), (ms(1000), ms(1000)));
        assert!(!t.is_polling());
    }

    #[test]
    fn the_slower_side_decides() {
        let mut t = up(10, 10);
        assert_eq!((t.transmit_interval(), t.detection_time()), (ms(10), ms(60)));
        t.remote_min_rx_interval = ms(50);
        t.remote_desired_min_tx = ms(1);
        assert_eq!((t.transmit_interval(), t.detection_time()), (ms(50), ms(30)));
        assert_eq!(t.remote_detection_time(), ms(150));
    }

    #[test]
    fn what_the_peer_must_know_first_waits_for_the_final() {
        let mut t = up(10, 100);
        assert!(t.want(&parameters(300, 10, 5)));
        assert_eq!((t.desired_min_tx_interval, t.required_min_rx_interval), (ms(300), ms(10)));
        assert_eq!((t.transmit_interval(), t.detection_time(), t.detect_mult), (ms(10), ms(300), 5));
        t.received(true);
        assert_eq!(t.transmit_interval(), ms(10), "a Final before our Poll answers an older one");
        t.poll_sent();
        t.received(false);
        assert_eq!(t.transmit_interval(), ms(10));
        t.received(true);
        assert_eq!((t.transmit_interval(), t.detection_time()), (ms(300), ms(60)));
    }

    #[test]
    fn what_need_not_wait_does_not() {
        let mut t = up(300, 10);
        t.want(&parameters(10, 100, 3));
        assert_eq!((t.transmit_interval(), t.detection_time()), (ms(10), ms(300)));
        assert!(t.is_polling());
    }

    #[test]
    fn a_second_change_has_a_sequence_of_its_own_after_a_packet_without_final() {
        let mut t = up(10, 10);
        t.want(&parameters(100, 10, 3));
        t.poll_sent();
        assert!(!t.want(&parameters(300, 10, 3)), "not announced while the first one runs");
        assert_eq!(t.desired_min_tx_interval, ms(100));
        t.received(true);
        assert_eq!((t.transmit_interval(), t.is_polling()), (ms(100), false));
        t.received(true);
        assert!(!t.is_polling(), "a doubled Final");
        t.received(false);
        assert_eq!((t.desired_min_tx_interval, t.is_polling()), (ms(300), true));
        t.poll_sent();
        t.received(true);
        assert_eq!(t.transmit_interval(), ms(300));
    }

    #[test]
    fn jitter_is_a_quarter_and_less_for_a_multiplier_of_one() {
        let mut t = up(10, 10);
        let range = |t: &Timing| {
            let all = (0..1_000_000).step_by(97).map(|r| t.jittered(ms(1000), r));
            (all.clone().min().unwrap(), all.max().unwrap())
        };
        let (least, most) = range(&t);
        assert!(
            least >= ms(750) && least < ms(751) && most <= ms(1000) && most > ms(999),
            "{least:?} {most:?}"
        );
        t.detect_mult = 1;
        let (least, most) = range(&t);
        assert!(least >= ms(750) && most <= ms(900) && most > ms(899), "{least:?} {most:?}");
    }

    #[test]
    fn intervals_fit_the_wire() {
        assert_eq!(clamped(Duration::from_secs(1_000_000)), Duration::from_micros(u64::from(u32::MAX)));
        assert_eq!(clamped(Duration::ZERO), SHORTEST_INTERVAL);
        assert_eq!(micros(Duration::MAX), u32::MAX);
    }
}
