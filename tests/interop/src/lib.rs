//! The workbench of the interoperation tests: this suite beside FRR, BIRD and keepalived as Debian packages them.
//!
//! The lab ([`ringlab`]) knows whole rings; here a test describes a handful of routers with everything a protocol lets an operator
//! say ([`router`]), each of any suite. One description is written in the dialect of every suite ([`dialect`]), so *both roles* is a
//! test with two names swapped. [`bench`] brings it to life in the lab's namespaces and switches, [`ask`] reads what daemons
//! and kernels hold, [`capture`] lets `tshark` judge what was on the wire, [`craft`] sends what no sane daemon would.
//!
//! A missing program is a failure that names what to install or build; nothing is ever skipped.
#![forbid(unsafe_code)]

pub mod ask;
pub mod bench;
pub mod capture;
pub mod craft;
pub mod dialect;
pub mod router;

pub use bench::{Bench, eventually};
pub use router::{Algorithm, Authentication, Bfd, ChainKey, External, Kind, Port, Router, Suite, Vrrp};

/// Why a test failed: prints as the text an operator would want to read, never as a backtrace of this workbench.
pub struct Failure(String);

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", self.0)
    }
}

/// What a test gives back.
pub type Outcome = Result<(), Failure>;
