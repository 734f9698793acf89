//! Rings of five with every second router of another suite, judged cell by cell on the kernels' tables; and what `tshark` thinks of
//! all that was said meanwhile.

use anyhow::{Result, ensure};
use interop_tests::capture::{Capture, PROTOCOLS, Recording, Tally};
use interop_tests::{Bench, Kind, Outcome, Port, Router, Suite, craft, dialect};
use ringlab::fabric::Cut;
use ringlab::lab::{Death, Lab, Options};
use ringlab::probe::reach;
use ringlab::scenario::{events, rehearse};
use ringlab::stack::{Profile, Stack};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

fn lab(exceptions: &[(&str, Stack)]) -> Result<Lab> {
    let mut options = Options::new("ring5-c", Stack::Torc)?;
    options.daemons = dialect::binaries();
    options.exceptions = exceptions.iter().map(|(router, stack)| ((*router).to_owned(), *stack)).collect();
    Lab::up(options)
}

/// Captures of every link on which routers talk.
fn captures(lab: &Lab) -> Result<Vec<Capture>> {
    let links = lab.topology().links.keys().filter(|link| lab.topology().routers_on(link).count() > 1);
    let capture = |link: &String| {
        let file = lab.run_dir().join(format!("{link}.pcap"));
        Capture::start(&lab.names().switch(link), PROTOCOLS, &file)
    };
    links.map(capture).collect()
}

/// Nothing malformed, no error, no wrong checksum.
fn judge(captures: Vec<Capture>) -> Result<Tally> {
    let mut all = Tally::default();
    for capture in captures {
        let recording = capture.stop()?;
        let faults = recording.faults()?;
        ensure!(faults.is_empty(), "{faults:#?}");
        all += recording.checksums()?;
    }
    Ok(all)
}

/// How long a flow may be dead though all tables are right: whoever has the virtual address may lose it for a moment to
/// advertisements of 10 ms that a busy machine delays.
const UPSET: Duration = Duration::from_secs(5);

fn converged(lab: &Lab) -> Result<Duration> {
    let took = lab.wait_converged(Profile::Ring.patience())?;
    let start = Instant::now();
    loop {
        let (tried, dead) = reach(lab)?;
        ensure!(tried >= 12, "{tried} flows");
        if dead.is_empty() {
            return Ok(took);
        }
        ensure!(start.elapsed() < UPSET, "{dead:?} of {tried} flows are dead");
    }
}

/// Normal, a leaf's death and return, a cut link.
fn mixed(peer: Stack) -> Result<()> {
    let mut lab = lab(&[("vr2", peer), ("vr4", peer)])?;
    let captures = captures(&lab)?;
    let cold = converged(&lab)?;
    lab.kill("vr5", &Death::Silent)?;
    let dead = converged(&lab)?;
    lab.heal()?;
    let back = converged(&lab)?;
    lab.cut("l23", None, Cut::Carrier)?;
    let cut = converged(&lab)?;
    let tally = judge(captures)?;
    ensure!(tally.ospf > 100 && tally.lsas > 20 && tally.vrrp > 10, "{tally:?}");
    println!("{peer:?}: cold {cold:?}, leaf dead {dead:?}, back {back:?}, link cut {cut:?}; {tally:?}");
    Ok(())
}

#[test]
fn every_second_router_is_frr() -> Outcome {
    Ok(mixed(Stack::Frr)?)
}

#[test]
fn every_second_router_is_bird() -> Outcome {
    Ok(mixed(Stack::Bird)?)
}

#[test]
fn a_whole_demo_run_holds_no_malformed_packet() -> Outcome {
    let mut lab = lab(&[])?;
    let captures = captures(&lab)?;
    converged(&lab)?;
    for event in events(lab.topology(), true) {
        for row in rehearse(&mut lab, &event, Profile::Ring.patience())? {
            // How long flows were out is measured elsewhere; here it is what was said meanwhile that counts.
            assert!(row.wrong.is_empty(), "{event:?}: {row:?}");
        }
    }
    let tally = judge(captures)?;
    println!("no fault in {tally:?}");
    assert!(tally.ospf > 100 && tally.lsas > 20 && tally.vrrp > 100, "{tally:?}");
    Ok(())
}

/// The judges do find what is wrong: otherwise their silence above would mean nothing.
#[test]
fn the_judges_of_packets_are_not_blind() -> Outcome {
    let from = Ipv4Addr::new(192, 0, 2, 100);
    let port = Port::new("lan", "192.0.2.1/24", Kind::None);
    let bench = Bench::build([Router::new(1, Suite::Torc, [port])], &[("h", "lan", from)])?;
    let hello = craft::hello(Ipv4Addr::new(10, 255, 0, 9));
    let record = |packet: &[u8]| -> Result<Recording> {
        let capture = bench.capture("lan", PROTOCOLS)?;
        craft::send(&bench.namespace("h"), from, packet)?;
        capture.stop()
    };
    let good = record(&craft::seal(hello.clone()))?;
    assert_eq!(good.faults()?, Vec::<String>::new());
    assert_eq!(good.checksums()?, Tally { ospf: 1, ..Tally::default() });
    let mut spoiled = craft::seal(hello.clone());
    spoiled[30] ^= 0x10;
    assert!(record(&spoiled)?.checksums().is_err());
    // A router-LSA in an update: the update's checksum is right, the LSA's is not.
    let mut update = hello[..24].to_vec();
    update[1] = 4;
    update.extend([
        0, 0, 0, 1, 0, 1, 2, 1, 10, 255, 0, 9, 10, 255, 0, 9, 0x80, 0, 0, 1, 0x12, 0x34, 0, 24, 0, 0, 0, 0,
    ]);
    assert!(record(&craft::seal(update.clone()))?.checksums().is_err());
    // The same cut off in the middle of the LSA.
    update.truncate(40);
    assert!(!record(&craft::seal(update))?.faults()?.is_empty());
    Ok(())
}
