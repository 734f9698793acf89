//! What a command's row says is done, and the small steps most of them are made of.

use crate::document::Document;
use crate::mode::Mode;
use crate::outcome::LineError;
use crate::session::Session;
use crate::text::unquoted;
use routing_common::config::format_duration;
use routing_common::grammar::Args;
use std::time::Duration;
use toml_edit::Value;

/// What a command stands for.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// One key of the table the mode stands for.
    Key(Place, &'static [&'static str], Form),
    /// Anything else.
    Call(fn(&mut Call<'_>) -> Result<(), Stop>),
    /// `exit` and `quit`.
    Exit,
    /// `end`.
    End,
}

/// The table a key stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The top of the file.
    Root,
    /// `[ospf.interfaces.NAME]` of the mode's interface.
    OspfInterface,
    /// `[vrrp.groups.NAME]` of the mode's interface and the line's `vrid`.
    Group,
    /// The profile or the peer's own profile of the mode.
    Profile,
    /// `[bfd.peers.NAME]` of the mode.
    Peer,
}

/// How the line's argument `value` becomes the key's value.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A number stays one.
    Number,
    /// A word becomes a string.
    Text,
    /// A number of seconds, or a span with its unit in the argument `time`.
    Seconds,
    /// A number of milliseconds, or a span with its unit.
    Millis,
    /// The line is `true`, its `no` is the default.
    On,
    /// The line is the default, its `no` is `false`.
    Off,
}

/// Why a command's work stopped before anything was changed.
pub(crate) enum Stop {
    Error(LineError),
    /// The line must wait for the one named here.
    Wait(String),
}

impl From<LineError> for Stop {
    fn from(e: LineError) -> Self {
        Self::Error(e)
    }
}

/// A refusal with this reason.
pub(crate) fn refused<T>(reason: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(LineError::Refused(reason.into())))
}

/// Torc has no counterpart, for this reason.
pub(crate) fn without_counterpart<T>(reason: impl Into<String>) -> Result<T, Stop> {
    let reason = reason.into();
    Err(Stop::Error(LineError::NoCounterpart { reason, harmless: false, opens_block: false }))
}

/// One command being carried out.
pub(crate) struct Call<'a> {
    pub(crate) session: &'a mut Session,
    /// The mode whose command it is: the session's or one around it.
    pub(crate) mode: Mode,
    pub(crate) args: &'a Args,
    /// The line without blanks around it.
    pub(crate) raw: &'a str,
    pub(crate) notes: Vec<String>,
}

impl Call<'_> {
    /// Is it the command's `no`?
    pub(crate) fn no(&self) -> bool {
        self.args.has("no")
    }

    pub(crate) fn document(&mut self) -> &mut Document {
        &mut self.session.document
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The argument `name`; its absence is an incomplete line.
    pub(crate) fn arg(&self, name: &str) -> Result<&str, Stop> {
        self.args.get(name).map_or_else(|| refused(format!("the line lacks its {name}")), Ok)
    }

    /// The argument `name` as a number of its type.
    pub(crate) fn number<T: core::str::FromStr>(&self, name: &str) -> Result<T, Stop> {
        self.arg(name)?.parse().or_else(|_| refused(format!("{name} is no number that fits")))
    }

    /// What stands behind the line's first word. The words of a LINE are joined by single blanks; a free text keeps
    /// its own.
    pub(crate) fn free_text(&self) -> String {
        let text = self.raw.split_once(|c: char| c.is_ascii_whitespace()).map_or("", |(_, rest)| rest);
        unquoted(text.trim_start_matches(|c: char| c.is_ascii_whitespace())).to_owned()
    }

    /// The mode's interface.
    pub(crate) fn interface(&self) -> String {
        match &self.mode {
            Mode::Interface(name) => name.as_str().to_owned(),
            _ => String::new(),
        }
    }

    /// The value the line gives a key.
    pub(crate) fn value(&self, form: Form) -> Result<Value, Stop> {
        let span = |unit: u64| -> Result<Value, Stop> {
            if let Some(written) = self.args.get("time") {
                return Ok(written.into());
            }
            let millis = self.number::<u64>("value")?.saturating_mul(unit);
            Ok(format_duration(Duration::from_millis(millis)).into())
        };
        match form {
            Form::Number => Ok(self.number::<i64>("value")?.into()),
            Form::Text => Ok(self.arg("value")?.into()),
            Form::Seconds => span(1000),
            Form::Millis => span(1),
            Form::On => Ok(true.into()),
            Form::Off => Ok(false.into()),
        }
    }

    /// Sets or removes one key.
    pub(crate) fn key(&mut self, place: Place, key: &[&str], form: Form) -> Result<(), Stop> {
        let value = match (form, self.no()) {
            (Form::Off, true) => Some(false.into()),
            (Form::Off, false) | (_, true) => None,
            (_, false) => Some(self.value(form)?),
        };
        let Some(mut path) = self.place(place, value.is_some())? else {
            self.session.forget(&self.mode, self.raw);
            return Ok(());
        };
        path.extend(key.iter().map(|k| (*k).to_owned()));
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match value {
            Some(value) => self.document().set(&path, value),
            None => {
                self.document().remove(&path);
            }
        }
        Ok(())
    }

    /// The path of a place's table. `None`: it does not exist and `wanted` does not ask for it.
    fn place(&mut self, place: Place, wanted: bool) -> Result<Option<Vec<String>>, Stop> {
        let owned = |path: &[&str]| Some(path.iter().map(|s| (*s).to_owned()).collect());
        let interface = self.interface();
        Ok(match (place, &self.mode) {
            (Place::Root, _) => Some(Vec::new()),
            (Place::OspfInterface, _) => {
                let path = ["ospf", "interfaces", interface.as_str()];
                match self.session.document.has(&path) {
                    true => owned(&path),
                    false if wanted => return Err(self.wait_for_area()),
                    false => None,
                }
            }
            (Place::Group, _) => {
                self.group(wanted)?.and_then(|name| owned(&["vrrp", "groups", name.as_str()]))
            }
            (Place::Profile, Mode::BfdPeer(peer)) => {
                let peer = peer.clone();
                let own = self.session.own_profile(&peer, wanted);
                own.and_then(|name| owned(&["bfd", "profiles", name.as_str()]))
            }
            (Place::Profile | Place::Peer, Mode::BfdProfile(name)) => owned(&["bfd", "profiles", name]),
            (Place::Peer, Mode::BfdPeer(name)) => owned(&["bfd", "peers", name]),
            (Place::Profile | Place::Peer, _) => None,
        })
    }

    /// The path of the mode's OSPF interface; the line waits if there is none.
    pub(crate) fn ospf_interface(&self) -> Result<[&'static str; 2], Stop> {
        let path = ["ospf", "interfaces"];
        let running = self.session.document.has(&[path[0], path[1], &self.interface()]);
        if running { Ok(path) } else { Err(self.wait_for_area()) }
    }

    /// Settings of an OSPF interface have no place before OSPF runs there.
    pub(crate) fn wait_for_area(&self) -> Stop {
        Stop::Wait(format!("`ip ospf area` on {}, or a `network` line with its address", self.interface()))
    }
}
