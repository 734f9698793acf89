//! Configuration text.

use ospf_proto::Input as OspfInput;
use rib::Rib;
use routing_common::config::{Diagnostics, Severity, load};
use routing_common::machine::Machine;
use routing_common::time::Instant;

/// Any text: a configuration every engine takes, or errors that name a place in the file.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match load("router.toml", &text) {
        Ok(loaded) => {
            assert!(!loaded.warnings.has_errors(), "accepted with errors:\n{}", loaded.warnings);
            sound(&loaded.warnings, &text);
            let config = Box::new(loaded.config);
            let now = Instant::from_secs(1);
            let mut ospf = ospf_proto::Instance::new(&config, 1);
            ospf.handle(now, OspfInput::Reconfigure(config.clone()));
            Rib::new().handle(now, rib::Input::Reconfigure(config.clone()));
            vrrp_proto::Instance::new().handle(now, vrrp_proto::Input::Reconfigure(config));
        }
        Err(found) => {
            assert!(found.has_errors(), "refused without an error");
            sound(&found, &text);
        }
    }
}

/// Every finding points into the file and says something.
fn sound(found: &Diagnostics, text: &str) {
    let lines = text.split('\n').count();
    for d in found.iter() {
        assert!((1..=lines).contains(&d.line), "line {} of {lines}", d.line);
        assert!(d.column >= 1 && d.width >= 1 && !d.message.is_empty(), "{d:?}");
        assert!(matches!(d.severity, Severity::Error | Severity::Warning));
    }
    let shown = found.to_string();
    assert_eq!(shown.is_empty(), found.is_empty());
}
