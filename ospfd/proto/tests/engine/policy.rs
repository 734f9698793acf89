//! Which of the RIB's routes become AS-external-LSAs, and how: distribute lists and route maps.

use crate::harness::{Net, id, net as prefix};
use crate::scene::chain;
use ospf_proto::Input;
use ospf_proto::lsa::LsaBody;
use ospf_proto::lsdb::DatabaseId;
use rib::message::{Protocol, Redistributed, RibMessage};
use routing_common::config::{Config, load};
use routing_common::rng::Rng;
use routing_common::time::Duration;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

/// Takes over what the file says of announcing routes.
fn announce(config: &mut Config, file: &str) {
    let text = format!("[ospf]\nrouter-id = \"10.255.0.1\"\n{file}");
    let said = load("r1.toml", &text).unwrap_or_else(|e| panic!("{e}")).config;
    let (ospf, said) = (config.ospf.as_mut().unwrap(), said.ospf.unwrap());
    ospf.redistribute_connected = said.redistribute_connected;
    ospf.redistribute_static = said.redistribute_static;
    ospf.distribute_connected = said.distribute_connected;
    ospf.distribute_static = said.distribute_static;
    ospf.default_information = said.default_information;
}

fn started(file: &str) -> Net {
    let mut net = chain(2);
    announce(&mut net.nodes[0].config, file);
    net.start_all();
    net.run(20 * SECOND);
    net
}

fn route(protocol: Protocol, of: &str, tag: u32) -> Redistributed {
    let next_hop = (protocol == Protocol::Static).then(|| [192, 0, 2, 1].into());
    Redistributed { protocol, prefix: prefix(of), metric: 0, tag, next_hop, interface: "eth9".parse().ok() }
}

fn tell(net: &mut Net, routes: &[Redistributed]) {
    net.input(0, Input::Rib(RibMessage::Redistribute(routes.to_vec())));
}

/// What the neighbour holds of r1's: destination, "E1 metric/tag", sequence number.
fn announced(net: &Net) -> BTreeMap<String, (String, i32)> {
    let database = net.nodes[1].engine.lsdb(DatabaseId::As).unwrap();
    let of_r1 = database.iter().filter(|(key, e)| key.advertising_router == id(1) && !e.is_max_age(net.now));
    let shown = of_r1.filter_map(|(key, entry)| {
        let LsaBody::AsExternal(body) = entry.lsa.body() else { return None };
        let length = u32::from(body.mask).count_ones();
        let kind = if body.type2 { 2 } else { 1 };
        let text = format!("E{kind} {}/{}", body.metric, body.tag);
        Some((format!("{}/{length}", key.link_state_id), (text, entry.lsa.header().sequence)))
    });
    shown.collect()
}

fn texts(net: &Net) -> Vec<String> {
    announced(net).into_iter().map(|(p, (text, _))| format!("{p} {text}")).collect()
}

const TAGGED: &str = r#"redistribute.static = { metric = 30, route-map = "OUT" }
[route-maps]
OUT = [
  { sequence = 10, action = "deny", match = { tag = 666 } },
  { sequence = 20, action = "permit", match = { tag = 7 }, set = { metric = "+5", metric-type = 1, tag = 9 } },
  { sequence = 30, action = "permit", match = { prefix-list = "HOSTS", next-hop-prefix-list = "GATES" } },
]
[prefix-lists]
HOSTS = [{ sequence = 5, action = "permit", prefix = "10.0.0.0/8", ge = 32 }]
GATES = [{ sequence = 5, action = "permit", prefix = "192.0.2.0/24", le = 32 }]
"#;

#[test]
fn a_static_route_passes_by_its_tag_and_is_changed() {
    let mut net = started(TAGGED);
    let fixed = |of, tag| route(Protocol::Static, of, tag);
    let mut elsewhere = fixed("10.9.0.2/32", 0);
    elsewhere.next_hop = Some([198, 51, 100, 1].into());
    tell(
        &mut net,
        &[
            fixed("10.1.0.0/16", 7),
            fixed("10.2.0.0/16", 666),
            fixed("10.3.0.0/16", 0),
            fixed("10.9.0.1/32", 1),
            elsewhere,
        ],
    );
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["10.1.0.0/16 E1 35/9", "10.9.0.1/32 E2 30/1"]);
    assert!(net.route(1, "10.1.0.0/16").is_some() && net.route(1, "10.2.0.0/16").is_none());
    // The route's tag changes: another entry decides.
    tell(&mut net, &[fixed("10.1.0.0/16", 666), fixed("10.2.0.0/16", 7)]);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["10.2.0.0/16 E1 35/9", "10.9.0.1/32 E2 30/1"]);
}

#[test]
fn another_map_announces_changes_and_withdraws_only_what_it_judges_otherwise() {
    let map = |second: &str, list: &str| {
        format!(
            "redistribute.static = {{ route-map = \"OUT\" }}\n[route-maps]\nOUT = [\n\
             {{ sequence = 1, action = \"permit\", match = {{ tag = 1 }} }},\n{second}]\n[prefix-lists]\nP = [{list}]\n"
        )
    };
    let listed = "{ sequence = 2, action = \"permit\", match = { prefix-list = \"P\" } },\n";
    let to = |p: &str| format!("{{ sequence = 5, action = \"permit\", prefix = \"{p}\" }}");
    let mut net = started(&map(listed, &to("10.2.0.0/16")));
    let routes = [("10.1.0.0/16", 1), ("10.2.0.0/16", 2), ("10.3.0.0/16", 3)];
    tell(&mut net, &routes.map(|(p, tag)| route(Protocol::Static, p, tag)));
    net.run(10 * SECOND);
    let before = announced(&net);
    assert_eq!(before.keys().collect::<Vec<_>>(), ["10.1.0.0/16", "10.2.0.0/16"]);

    // Another list behind the same map.
    net.reconfigure(0, |c| announce(c, &map(listed, &to("10.3.0.0/16"))));
    net.run(SECOND);
    let after = announced(&net);
    assert_eq!(after.keys().collect::<Vec<_>>(), ["10.1.0.0/16", "10.3.0.0/16"], "at once");
    assert_eq!(after["10.1.0.0/16"], before["10.1.0.0/16"], "not originated again");

    // Another metric for one of them.
    let cheaper = listed.replace("} },", "}, set = { metric = 3 } },");
    net.run(10 * SECOND);
    net.reconfigure(0, |c| announce(c, &map(&cheaper, &to("10.3.0.0/16"))));
    net.run(SECOND);
    let last = announced(&net);
    assert_eq!(last["10.1.0.0/16"], before["10.1.0.0/16"]);
    assert_eq!(last["10.3.0.0/16"], ("E2 3/3".to_owned(), after["10.3.0.0/16"].1 + 1));

    // The same configuration again says nothing.
    let sent = net.capture.len();
    net.reconfigure(0, |c| announce(c, &map(&cheaper, &to("10.3.0.0/16"))));
    assert_eq!(net.capture.len(), sent);
}

#[test]
fn distribute_lists_filter_each_protocol_before_its_route_map() {
    let file = r#"distribute-list = { connected = "C", static = "S" }
redistribute = { connected = {}, static = { route-map = "ALL" } }
[access-lists]
C = [{ sequence = 1, action = "permit", prefix = "10.1.0.0/16" }]
S = [{ sequence = 1, action = "deny", prefix = "10.2.0.0/16", exact = true }, { sequence = 2, action = "permit", prefix = "any" }]
[route-maps]
ALL = [{ sequence = 1, action = "permit", set = { metric = 1 } }]
"#;
    let mut net = started(file);
    let (connected, fixed) = (Protocol::Connected, Protocol::Static);
    let routes = [
        route(connected, "10.1.1.0/24", 0),
        route(connected, "10.2.1.0/24", 0),
        route(fixed, "10.2.0.0/16", 0),
        route(fixed, "10.2.2.0/24", 0),
    ];
    tell(&mut net, &routes);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["10.1.1.0/24 E2 20/0", "10.2.2.0/24 E2 1/0"]);
}

#[test]
fn the_default_route_must_pass_its_map_unless_it_is_always_announced() {
    let file = |always: bool| {
        format!(
            "default-information = {{ always = {always}, route-map = \"D\" }}\n[route-maps]\n\
             D = [{{ sequence = 1, action = \"permit\", match = {{ tag = 5 }}, set = {{ metric = \"-4\", tag = 6 }} }}]\n"
        )
    };
    let mut net = started(&file(false));
    let default = |tag| route(Protocol::Static, "0.0.0.0/0", tag);
    tell(&mut net, &[default(0)]);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), Vec::<String>::new());
    tell(&mut net, &[default(5)]);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["0.0.0.0/0 E2 6/6"]);
    tell(&mut net, &[default(0)]);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), Vec::<String>::new());
    net.reconfigure(0, |c| announce(c, &file(true)));
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["0.0.0.0/0 E2 10/0"], "unchanged where the map does not fit");
    tell(&mut net, &[default(5)]);
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["0.0.0.0/0 E2 6/6"]);
    net.input(0, Input::Rib(RibMessage::Unredistribute(vec![(Protocol::Static, prefix("0.0.0.0/0"))])));
    net.run(10 * SECOND);
    assert_eq!(texts(&net), ["0.0.0.0/0 E2 10/0"]);
}

/// A configuration of announcing, at random.
fn any_file(rng: &mut Rng) -> String {
    let mut pick = |of: &[&str]| of[usize::try_from(rng.below(of.len() as u64)).unwrap()].to_owned();
    let mut entry = |n: usize| {
        let action = pick(&["permit", "permit", "deny"]);
        let condition =
            pick(&["", "tag = 1", "tag = 2", "prefix-list = \"P\"", "access-list = \"A\", tag = 1"]);
        let change = pick(&["", "metric = 7", "metric = \"+1\"", "metric-type = 1", "tag = 4"]);
        format!(
            "{{ sequence = {n}, action = \"{action}\", match = {{ {condition} }}, set = {{ {change} }} }},\n"
        )
    };
    let map = entry(1) + &entry(2) + &entry(3);
    let mut text = String::new();
    text += &pick(&[
        "",
        "redistribute.static = { route-map = \"M\" }\n",
        "redistribute.static = { metric = 9 }\n",
    ]);
    text += &pick(&["", "distribute-list.static = \"A\"\n"]);
    text += &pick(&[
        "",
        "default-information.route-map = \"M\"\n",
        "default-information = { always = true, route-map = \"M\" }\n",
    ]);
    let length = pick(&["16", "18", "24"]);
    text += &format!("[route-maps]\nM = [{map}]\n[prefix-lists]\n");
    text +=
        &format!("P = [{{ sequence = 1, action = \"permit\", prefix = \"10.0.0.0/8\", le = {length} }}]\n");
    let length = pick(&["8", "11", "15"]);
    text += &format!(
        "[access-lists]\nA = [{{ sequence = 1, action = \"permit\", prefix = \"10.0.0.0/{length}\" }}]\n"
    );
    text
}

#[test]
fn whatever_was_configured_before_the_last_configuration_alone_counts() {
    let mut rng = Rng::new(77);
    let mut seen = 0;
    for _ in 0..12 {
        let mut net = started(&any_file(&mut rng));
        let mut routes: BTreeMap<String, Redistributed> = BTreeMap::new();
        let mut file = String::new();
        for _ in 0..6 {
            for of in ["0.0.0.0/0", "10.1.0.0/16", "10.16.0.0/18", "10.32.1.0/24"] {
                let told = route(Protocol::Static, of, u32::try_from(rng.below(3)).unwrap());
                routes.insert(of.to_owned(), told.clone());
                tell(&mut net, &[told]);
            }
            file = any_file(&mut rng);
            net.reconfigure(0, |c| announce(c, &file));
            net.run(Duration::from_millis(rng.below(3000)));
        }
        net.run(30 * SECOND);
        let mut fresh = started(&file);
        tell(&mut fresh, &routes.into_values().collect::<Vec<_>>());
        fresh.run(30 * SECOND);
        assert_eq!(texts(&net), texts(&fresh), "{file}");
        seen += texts(&net).len();
    }
    assert!(seen > 12, "{seen}");
}
