//! The words `vrf NAME` in a show. Torc has the default one only; scripts and exporters written for FRR name it, or ask for
//! all, which changes the shape of JSON.

use crate::commands::is_show;
use anyhow::{Result, bail};
use serde_json::{Value, json};

/// What was said about VRFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vrf {
    /// Nothing, or the default one.
    Default,
    /// All of them: JSON is an object by VRF.
    All,
}

/// Takes the two words out of a show.
///
/// # Errors
/// For a VRF that does not exist.
pub(crate) fn taken_out(mut words: Vec<&str>) -> Result<(Vec<&str>, Vrf)> {
    let at = words.iter().position(|word| *word == "vrf");
    let Some(at) = at.filter(|at| *at > 0 && is_show(words.first().copied())) else {
        return Ok((words, Vrf::Default));
    };
    let vrf = match words.get(at + 1) {
        Some(&"all") => Vrf::All,
        Some(&"default") => Vrf::Default,
        Some(other) => bail!("% VRF {other} not found"),
        None => bail!("% Command incomplete: {}", words.join(" ")),
    };
    words.drain(at..at + 2);
    Ok((words, vrf))
}

impl Vrf {
    /// A JSON answer in the shape that was asked for.
    pub(crate) fn wrap(self, value: Value) -> Value {
        match (self, value) {
            (Self::All, Value::Object(members)) => {
                let mut inner = serde_json::Map::new();
                inner.insert("vrfName".into(), "default".into());
                inner.insert("vrfId".into(), 0.into());
                inner.extend(members);
                json!({ "default": inner })
            }
            (_, value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_vrf_is_the_only_one() {
        let words = |line: &'static str| taken_out(line.split(' ').collect());
        assert_eq!(
            words("show ip ospf vrf all interface json").unwrap(),
            (vec!["show", "ip", "ospf", "interface", "json"], Vrf::All)
        );
        assert_eq!(words("sh ip route vrf default").unwrap(), (vec!["sh", "ip", "route"], Vrf::Default));
        assert_eq!(words("show ip route").unwrap().1, Vrf::Default);
        assert_eq!(words("show ip route vrf red").unwrap_err().to_string(), "% VRF red not found");
        assert!(words("show ip route vrf").is_err());
        let wrapped = Vrf::All.wrap(json!({"interfaces": {}}));
        assert_eq!(wrapped, json!({"default": {"vrfName": "default", "vrfId": 0, "interfaces": {}}}));
    }
}
