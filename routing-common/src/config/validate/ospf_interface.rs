//! `[ospf.interfaces.NAME]`: one OSPF interface.

use super::authentication;
use super::bfd::OspfDefault;
use super::key_chain::KeyChains;
use crate::config::duration::format_duration;
use crate::config::model::{NetworkType, OspfInterfaceConfig};
use crate::config::reader::{At, Origin, Section};
use crate::config::schema::NETWORK_TYPES_REFUSED;
use crate::id::AreaId;
use std::time::Duration;

/// Reads one interface; the area comes with its place, for the comparison with its siblings.
pub(super) fn read(
    section: &Section<'_>,
    bfd: &OspfDefault<'_>,
    chains: &KeyChains,
) -> (OspfInterfaceConfig, At<AreaId>) {
    let area = section.parsed::<AreaId>("area").map(|a| a.unwrap_or(AreaId::BACKBONE));
    let (hello_interval, dead_interval) = intervals(section);
    let cost = section.optional_number("cost").value;
    let network_type = network_type(section);
    let passive = section.boolean("passive").value;
    let config = OspfInterfaceConfig {
        area: area.value,
        network_type,
        cost: cost.map(|c| u16::try_from(c).unwrap_or(u16::MAX)),
        hello_interval,
        dead_interval,
        retransmit_interval: section.time("retransmit-interval").value,
        transmit_delay: section.time("transmit-delay").value,
        priority: u8::try_from(section.number("priority").value).unwrap_or(u8::MAX),
        passive,
        mtu_ignore: section.boolean("mtu-ignore").value,
        authentication: authentication::read(section, chains),
        bfd: bfd.on_interface(section, passive),
    };
    (config, area)
}

fn network_type(section: &Section<'_>) -> NetworkType {
    let reason = "this version runs `broadcast` and `point-to-point` networks; a partial mesh can be built \
                  of point-to-point links";
    match section.word_with("network-type", NETWORK_TYPES_REFUSED, reason).value {
        "point-to-point" => NetworkType::PointToPoint,
        _ => NetworkType::Broadcast,
    }
}

/// HelloInterval and RouterDeadInterval. A dead interval that is not given is four Hellos long, at most
/// what its 16-bit relative on the wire allows.
fn intervals(section: &Section<'_>) -> (Duration, Duration) {
    let hello = section.time("hello-interval");
    let longest = Duration::from_secs(65_535);
    let multiplier = section.optional_number("hello-multiplier");
    if let Some(multiplier) = multiplier.value {
        return fast_intervals(section, &hello, multiplier);
    }
    let dead = section.time_or("dead-interval", (hello.value * 4).min(longest));
    if multiplier.sound() && hello.sound() && dead.sound() && dead.value <= hello.value {
        let message = format!(
            "`dead-interval` {} is not longer than `hello-interval` {}",
            format_duration(dead.value),
            format_duration(hello.value)
        );
        let hint =
            format!("four times the hello interval is usual: \"{}\"", format_duration(hello.value * 4));
        section.sink().error(dead.span, message, hint);
    }
    (hello.value, dead.value)
}

/// RouterDeadInterval is one second, and so many Hellos are sent in it; who says otherwise beside that means something
/// else.
fn fast_intervals(section: &Section<'_>, hello: &At<Duration>, multiplier: u32) -> (Duration, Duration) {
    let second = Duration::from_secs(1);
    let dead = section.time_or("dead-interval", second);
    if hello.origin == Origin::File {
        let hint = format!(
            "`hello-multiplier` = {multiplier} makes {multiplier} Hellos a second: remove one of them"
        );
        section.sink().error(hello.span.clone(), "`hello-interval` contradicts `hello-multiplier`", hint);
    }
    if dead.sound() && dead.value != second {
        let message =
            format!("`dead-interval` {} contradicts `hello-multiplier`", format_duration(dead.value));
        section.sink().error(dead.span, message, "with `hello-multiplier` it is 1s: remove one of them");
    }
    (second / multiplier, second)
}
