//! Everything a ring says while it breaks and mends, as a protocol analyser reads it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ringlab::lab::{Lab, Options};
use ringlab::netns;
use ringlab::pcap::Capture;
use ringlab::probe::reach;
use ringlab::scenario::events;
use ringlab::stack::{Profile, Stack};
use ringlab::topology::LinkKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What no packet of ours may be. An address that two stations claim is only a warning to tshark, but never to a LAN.
const FAULTS: &str = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == Bad \
    || vrrp.checksum.status == Bad || arp.duplicate-address-detected";

/// The lines tshark prints for a display filter.
fn tshark(file: &Path, filter: &str) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(["-o", "ip.check_checksum:TRUE", "-Y", filter]);
    let output = command.output().expect("tshark (Debian's package tshark) cannot be started");
    netns::checked(&output, || format!("tshark -Y {filter:?}")).unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn an_analyser_finds_nothing_wrong_with_a_whole_rehearsal() {
    let dir = tempfile::tempdir().unwrap();
    let mut lab = Lab::up(Options::new("ring5-c", Stack::Torc).unwrap()).unwrap();
    let links = lab.topology().links.iter().filter(|(_, link)| link.kind != LinkKind::Outside);
    let captures: Vec<_> = links
        .map(|(name, link)| {
            let file = dir.path().join(format!("{name}.pcap"));
            (name.clone(), link.kind, Capture::start(&lab, name, &file).unwrap(), file)
        })
        .collect();
    let patience = Profile::Ring.patience();
    lab.wait_converged(patience).unwrap();
    // Packets of users, so that routers and hosts ask for each other.
    assert_eq!(reach(&lab).unwrap().1, []);
    for event in events(lab.topology(), true) {
        event.strike(&mut lab).unwrap();
        lab.wait_converged(patience).unwrap();
        lab.heal().unwrap();
        lab.wait_converged(patience).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    let mut exchanges = 0;
    for (name, kind, capture, file) in captures {
        drop(capture);
        assert_eq!(tshark(&file, FAULTS), Vec::<String>::new(), "{name}");
        // The check above would pass on an empty file.
        let wanted: &[&str] = match kind {
            LinkKind::Ring => &["ospf.msg == 1", "ospf.msg == 4", "ospf.msg == 5"],
            LinkKind::Lan => &["vrrp", "arp.isgratuitous == 1", "arp.dst.proto_ipv4 == 192.168.1.254"],
            LinkKind::Vm | LinkKind::Outside => &[],
        };
        for filter in wanted {
            assert!(!tshark(&file, filter).is_empty(), "{name}: nothing fits {filter:?}");
        }
        exchanges += tshark(&file, "ospf.msg == 2 || ospf.msg == 3").len();
        // Where no router is a neighbor, OSPF says nothing: guests could listen, or answer.
        if kind != LinkKind::Ring {
            assert_eq!(tshark(&file, "ospf"), Vec::<String>::new(), "{name}: OSPF where it is passive");
        }
    }
    assert!(exchanges >= 20, "{exchanges} packets of database exchange in five new adjacencies");
}
