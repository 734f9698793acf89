//! The document: every figure of the paper in our words beside what ran here.

use super::{Cells, Play, Snapshot, State};
use crate::document::Document;
use crate::oracle::default_prefix;
use crate::report::Row;
use crate::scenario::Event;
use crate::topology::{LinkKind, Topology};
use ipnetwork::Ipv4Network;

/// Topology P, ten switches besides the gateway's outside.
const RING_P: &str = r"
                         Internet host 203.0.113.1
                                   |
                          gateway 192.168.1.254
                                   |
  ============ LAN 192.168.1.0/24, virtual address .10 (VRID 10) ============
        | eth0 .1  cost 10                              | eth0 .2  cost 10
 n1 --[vr1] MASTER, priority 200                 n2 --[vr2] BACKUP, priority 100
        | eth1 .1  cost 15                              | eth1 .2  cost 15
   l51 172.16.51.0/24                              l23 172.16.23.0/24
        | eth0 .5  cost 10                              | eth0 .3  cost 10
 n5 --[vr5]                                      n3 --[vr3]
        | eth1 .5  cost 15                              | eth1 .3  cost 15
   l45 172.16.45.0/24                              l34 172.16.34.0/24
        | eth0 .4  cost 10                              | eth1 .4  cost 15
        +-------------------[vr4]-----------------------+
                              |
                             n4         nX = 10.10.X.0/24 with a virtual machine at .10
";

/// What differs in topology C.
const RING_C: &str = r"
  ============ LAN 192.168.1.0/24, passive in OSPF ==========================
        | eth0 .1                                       | eth0 .2
 n1 --[vr1] eth3 .1  cost 10 -- l12 172.16.12.0/24 -- cost 10  eth3 .2 [vr2]-- n2
        | eth1                                          | eth1
       l51, vr5, l45, vr4, l34, vr3 and l23 as above
";

pub(super) fn render(head: &[String], shown: &[Play], paper: &Play, closed: &Play) -> Document {
    let mut document = Document::new("The paper's ring, replayed", "cargo xtask paper");
    document.paragraph(
        "Reference: Naoto Matsumoto (SAKURA Internet Research Center), *Switch-less server clustering using virtual router*. \
         Five virtual routers, one on each server, are cabled in a ring instead of being joined by a fast switch; two of them touch the \
         LAN. The author ran it on Vyatta 5400 6.6R5 with OSPF and VRRP. This page plays the paper's states with Torc on real Linux \
         kernels and shows each figure's statement beside what was seen.",
    );
    document.paragraph(
        "The images of the figures and the numbers in them are lost to us; only the text of the paper is left. What follows is a \
         reconstruction: the shape of the ring, who has a default, who originates it and the two kinds of failure are the paper's; \
         addresses, the costs 10 and 15 and the timers are ours. Every expected cell was derived by hand from the costs \
         (`tests/lab/expect/`) before the routers ran. This file is written only if every cell of every table below, as the kernel \
         had it, was the expected one.",
    );
    document.list(head);
    document.list(&[
        "Timers: hello 1 s, dead 4 s, VRRPv3 adverts every 10 ms.",
        "A cell is the next router and the OSPF cost of the route; `gw` is the LAN's gateway; – is the router's own network; a default \
         learnt by OSPF has the external metric 10 (type 2). **Bold** differs from the normal state.",
        "Outages are the longest run of lost packets of the worst flow, one packet a millisecond: *inside* between networks of virtual \
         machines, *out* to the Internet, *in* from the Internet through the virtual address. One run each.",
    ]);
    patterns(shown, paper, closed, &mut document);
    design(paper, closed, &mut document);
    virtual_router(paper, &mut document);
    normal(paper, closed, &mut document);
    master(paper, closed, &mut document);
    leaf(paper, closed, &mut document);
    beyond(paper, closed, &mut document);
    growth(shown, &mut document);
    document
}

fn name(play: &Play) -> &str {
    &play.topology.name
}

/// Columns: the default, then the networks of virtual machines in the plan's order.
fn columns(topology: &Topology) -> Vec<(Ipv4Network, String)> {
    let networks = topology.links.iter().filter(|(_, link)| link.kind == LinkKind::Vm);
    let default = (default_prefix(), "default".to_owned());
    std::iter::once(default).chain(networks.map(|(name, link)| (link.network, name.clone()))).collect()
}

fn tables(topology: &Topology, cells: &Cells, normal: &Cells, document: &mut Document) {
    let columns = columns(topology);
    let mut head = vec!["at"];
    head.extend(columns.iter().map(|(_, name)| name.as_str()));
    let rows: Vec<Vec<String>> = cells
        .iter()
        .map(|(router, row)| {
            let cell = |(prefix, _): &(Ipv4Network, String)| match row.get(prefix) {
                None => "–".to_owned(),
                Some(text) if normal.get(router).and_then(|row| row.get(prefix)) == Some(text) => {
                    text.clone()
                }
                Some(text) => format!("**{text}**"),
            };
            std::iter::once(router.clone()).chain(columns.iter().map(cell)).collect()
        })
        .collect();
    document.table(&head, &rows);
}

fn milliseconds(row: &Row) -> Vec<String> {
    let outages = row.outages.iter();
    outages.map(|o| o.map_or("–".to_owned(), |o| format!("{} ms", o.longest.as_millis()))).collect()
}

fn flows(row: &Row) -> String {
    format!("{} of {}", row.reach.0 - row.reach.1.len(), row.reach.0)
}

fn settled(row: &Row) -> String {
    row.converged.map_or("never".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
}

const OUTAGES: [&str; 7] = ["topology", "event", "inside", "out", "in", "tables right after", "flows alive"];

fn outage_rows(play: &Play, state: &State) -> [Vec<String>; 2] {
    [(&state.broken, state.broken.event.clone()), (&state.back, "and back".to_owned())].map(|(row, event)| {
        let head = vec![name(play).to_owned(), event];
        [head, milliseconds(row), vec![settled(row), flows(row)]].concat()
    })
}

/// Who owns the virtual address and whose default is in force.
fn facts(snapshot: &Snapshot) -> String {
    let owner = snapshot.owner.as_deref().unwrap_or("nobody");
    let origins: Vec<String> =
        snapshot.origins.iter().map(|(r, metric)| format!("{r} (E2, {metric})")).collect();
    let mut text =
        format!("Virtual address at **{owner}**; default originated by **{}**", origins.join("** and **"));
    for stale in &snapshot.stale {
        text += &format!(
            "; {stale}'s LSA still ages in the databases, but nobody reaches {stale}, so nobody uses it"
        );
    }
    text + "."
}

fn state(play: &Play, state: &State, document: &mut Document) {
    document.paragraph(&format!("**{}: {}.** {}", name(play), state.broken.event, facts(&state.snapshot)));
    tables(&play.topology, &state.snapshot.cells, &play.normal.cells, document);
}

fn chosen(play: &Play, wanted: impl Fn(&Event) -> bool) -> Vec<&State> {
    play.states.iter().filter(|state| wanted(&state.event)).collect()
}

/// The states of both rings that fit: outages of all, then the tables of all.
fn section(plays: [&Play; 2], wanted: impl Fn(&Event) -> bool, document: &mut Document) {
    let rows =
        plays.iter().flat_map(|play| chosen(play, &wanted).into_iter().flat_map(|s| outage_rows(play, s)));
    document.table(&OUTAGES, &rows.collect::<Vec<_>>());
    for play in plays {
        for one in chosen(play, &wanted) {
            state(play, one, document);
        }
    }
}

fn patterns(shown: &[Play], paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Figures 1 to 3: the idea and its patterns");
    document.paragraph(
        "Figures 1 and 2 are the concept (servers, their virtual machines and a virtual router on each) and its abstraction; nothing \
         in them can be measured. Figure 3 shows the patterns: a trunk without redundancy, with static routes only, and rings of \
         three, four and five routers with dynamic routing. All of them ran here; `ring7` is added as a step of figure 14. Time is \
         from the start of the first process of the routers, which start together, until every table was right; on the LAN of `ring5-p` \
         OSPF waits 4 s for a Designated Router first (RFC 2328 §9.4), the other rings consist of point-to-point links.",
    );
    let mut rows = Vec::new();
    for play in shown.iter().chain([paper, closed]) {
        rows.push(vec![
            format!("`{}`", name(play)),
            play.topology.description.clone(),
            format!("{:.2} s", play.cold.as_secs_f64()),
            format!("{0} of {0}", play.flows),
        ]);
    }
    document.table(&["topology", "what it is", "cold start", "flows alive"], &rows);
    for play in shown.iter().filter(|play| play.topology.routers.len() <= 4) {
        document.paragraph(&format!("**{}: {}.** {}", name(play), play.topology.description, owner(play)));
        tables(&play.topology, &play.normal.cells, &play.normal.cells, document);
    }
    document.paragraph(
        "The trunk has neither OSPF nor VRRP: what lies behind a dead router is cut off, as the paper says. Networks without a \
         route of their own lie towards the default. Its last router drops what is sent to unused networks instead of sending it back.",
    );
}

fn owner(play: &Play) -> String {
    play.normal.owner.as_ref().map_or_else(String::new, |owner| format!("Virtual address at {owner}."))
}

fn design(paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Figures 4 to 8: the routing design");
    document.paragraph(
        "The paper's ring, `ring5-p`: ten switches, the LAN itself closes the ring between vr1 and vr2.",
    );
    document.drawing(RING_P);
    document.paragraph(
        "`ring5-c` is what we recommend: an eleventh switch (or cable) between vr1 and vr2 closes the ring and OSPF is passive on the \
         LAN. Costs and tables are the same, with link l12 in the place of the LAN.",
    );
    document.drawing(RING_C);
    document.list(&[
        format!(
            "Figure 4, default gateways: only the two routers on the LAN have a static default, to 192.168.1.254. Seen: the kernel \
             default of vr1 and vr2 leads to `gw`; {} static defaults in {} routers.",
            paper.topology.routers.values().filter(|router| router.static_default().is_some()).count(),
            paper.topology.routers.len()
        ),
        format!(
            "Figure 5, `default-information originate`: only those two announce it. Seen in the database of vr3: {}.",
            paper.normal.origins.iter().map(|(r, m)| format!("{r} (type 2, metric {m})")).collect::<Vec<_>>().join(" and ")
        ),
        "Figures 6 and 7, costs: every router has an upstream interface and a dearer backup interface, so that the two defaults are in an \
         order everywhere. Seen: the table below, read from the running OSPF; *upstream* is where the kernel's default leaves."
            .to_owned(),
        "Figure 8, networks: every router announces the networks of the virtual machines it manages, without adjacencies on them. \
         Seen: the passive interfaces below, and a route to every network at every router in figure 11."
            .to_owned(),
    ]);
    for play in [paper, closed] {
        document.paragraph(&format!("Interfaces of `{}`:", name(play)));
        let rows = play.ports.iter().map(|port| {
            let kind = play.topology.links[&port.link].kind;
            let role = match kind {
                _ if port.is_upstream => "upstream",
                LinkKind::Ring if port.link == "l12" => "closes the ring",
                LinkKind::Ring | LinkKind::Lan => "backup",
                LinkKind::Vm | LinkKind::Outside => "virtual machines",
            };
            let adjacencies =
                port.adjacencies.map_or("passive".to_owned(), |number| format!("{number} adjacent"));
            vec![
                port.router.clone(),
                port.interface.clone(),
                port.link.clone(),
                port.cost.to_string(),
                adjacencies,
                role.to_owned(),
            ]
        });
        document.table(&["router", "interface", "link", "cost", "OSPF", "role"], &rows.collect::<Vec<_>>());
    }
}

fn virtual_router(paper: &Play, document: &mut Document) {
    document.heading(2, "Figures 9 and 10: VRRP");
    document.paragraph(
        "The two routers on the LAN share one address as MASTER and BACKUP; to the LAN they are one router. The LAN's gateway sends all \
         networks of the ring to that address.",
    );
    let rows = paper.members.iter().map(|member| {
        vec![member.router.clone(), member.priority.to_string(), member.status.clone(), member.mac.clone()]
    });
    document.table(&["router", "priority", "state", "virtual MAC"], &rows.collect::<Vec<_>>());
    let summaries: Vec<String> = paper.summaries.iter().map(ToString::to_string).collect();
    document.paragraph(&format!(
        "The gateway's kernel sends {} to 192.168.1.10, and nothing there has to change when a router or a network is added.",
        summaries.join(", ")
    ));
}

fn normal(paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Figure 11: the normal state");
    document.paragraph(
        "The paper: routes follow the interfaces that the costs prefer. Seen: every pair of networks takes the shortest way, there and \
         back over the same links, and every default leaves by the upstream interface.",
    );
    for play in [paper, closed] {
        document.paragraph(&format!(
            "**{}.** {} {} flows alive.",
            name(play),
            facts(&play.normal),
            play.flows
        ));
        tables(&play.topology, &play.normal.cells, &play.normal.cells, document);
    }
}

fn master(paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Figure 12: the MASTER stops, or its cable is cut");
    document.paragraph(
        "The paper: when the MASTER stops or its server's cable is cut, the BACKUP is promoted, and the default originated by the \
         MASTER gives way to that of the BACKUP. Seen: so it is. *vr1 dies* is a silent power cut behind a switch: neighbours keep their \
         carrier. BFD tells them, on the broadcast links of `ring5-p` as on the cables of `ring5-c`; without it they would learn of it by \
         the dead interval of 4 s, and so would what vr2 receives for networks beyond vr1. *Loses its lan plug*: vr1 withdraws its \
         default at once and takes that of vr2 by way of the ring. In the original a recursive static default could keep vr1's \
         default alive in `ring5-p` and loop; Torc resolves a next hop inside a connected network only on that network.",
    );
    section([paper, closed], |event| concerns_exit(event, "vr1"), document);
}

fn concerns_exit(event: &Event, exit: &str) -> bool {
    matches!(event, Event::RouterDies(router) | Event::PlugPulled { router, .. } if router == exit)
}

fn is_leaf(topology: &Topology, event: &Event) -> bool {
    matches!(event, Event::RouterDies(router) if topology.routers[router].vrrp_priority.is_none())
}

fn leaf(paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Figure 13: a leaf fails");
    document.paragraph(
        "The paper: when a router that is not on the LAN stops, its neighbours become the way round, and the two defaults change along \
         the path of the router that stopped. Seen: only routes that led through the dead router change; what is left of the ring is \
         a chain. When vr5 dies, vr4's default turns from vr5 to vr3.",
    );
    section([paper, closed], |event| is_leaf(&paper.topology, event), document);
}

fn beyond(paper: &Play, closed: &Play, document: &mut Document) {
    document.heading(2, "Beyond the figures: the BACKUP, its cable, every link");
    document.paragraph(
        "The paper promises that any one failure is survived. These are the remaining single failures of routers, LAN cables and ring \
         links (both ends of a cut link lose their carrier).",
    );
    let rest = |event: &Event| !concerns_exit(event, "vr1") && !is_leaf(&paper.topology, event);
    section([paper, closed], rest, document);
}

fn growth(shown: &[Play], document: &mut Document) {
    document.heading(2, "Figure 14: growth");
    document.paragraph(
        "The paper expects the ring to be extended step by step; how the figure drew it is not known. A ring grows by opening one link \
         and putting a router in: only the two routers beside it are touched, costs elsewhere stay, and the gateway's routes already \
         cover the new network. The rings of three, four and five routers above and this one of seven follow the same rule of costs.",
    );
    for play in shown.iter().filter(|play| play.topology.routers.len() > 5) {
        document.paragraph(&format!(
            "**{}: {}.** {}",
            name(play),
            play.topology.description,
            facts(&play.normal)
        ));
        tables(&play.topology, &play.normal.cells, &play.normal.cells, document);
    }
    document.paragraph(
        "The limit is the paper's too: a ring survives any one failure and, in general, not two at a time.",
    );
}
