//! Who may do what on a control socket.
//!
//! Without groups in the configuration the sockets have mode 0660 and whoever gets through may do everything. With one, they
//! are open to everybody and each request is judged by what the kernel noted of its sender when it connected: user, group
//! and further groups. Root and the user the daemon runs as are operators always.
//!
//! When the table goes again, the mode of the socket changes a moment later, and who is connected by then has not been judged
//! by it: from then on the daemon holds connections to what the mode means, its own user and group.
//!
//! A group that the host does not know has no members: nothing gets laxer by a slip.

use crate::unix;
use nix::unistd::{Group, getegid, geteuid};
use routing_common::config::{AccessConfig, UserGroup};
use tokio::sync::watch;

/// What somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Everything.
    Operator,
    /// Ask, without being told secrets.
    Reader,
    /// Nothing.
    Stranger,
}

/// The rules in force; the daemon changes them, its control socket follows.
#[derive(Debug)]
pub struct Access(watch::Sender<Rules>);

impl Access {
    /// What a configuration says. Groups the host does not know are logged.
    pub fn new(config: &AccessConfig) -> Self {
        Self(watch::Sender::new(Rules::of(config)))
    }

    /// Takes another configuration's rules into force, for open connections too.
    pub fn set(&self, config: &AccessConfig) {
        let mut rules = Rules::of(config);
        self.0.send_modify(|former| {
            rules.was_open |= former.was_open;
            *former = rules;
        });
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Rules> {
        self.0.subscribe()
    }
}

/// The groups of a configuration that this host does not have, each with a word about it.
pub(crate) fn unknown_groups(config: &AccessConfig) -> Vec<String> {
    let keys = [("operators", &config.operators), ("readers", &config.readers)];
    let unknown = keys.into_iter().filter_map(|(key, group)| {
        let group = group.as_ref()?;
        id_of(group).is_none().then(|| {
            format!("[access] {key}: this host has no group {group} (groupadd --system {group} makes one)")
        })
    });
    unknown.collect()
}

fn id_of(group: &UserGroup) -> Option<u32> {
    match group {
        UserGroup::Id(id) => Some(*id),
        UserGroup::Name(name) => Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw()),
    }
}

/// [`AccessConfig`] in this host's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Judge requests; otherwise the socket's mode has judged.
    judges: bool,
    /// The socket has been open to everybody in this process's life: its mode does not vouch for who is connected.
    was_open: bool,
    owner: u32,
    /// The socket's group.
    group: u32,
    operators: Option<u32>,
    readers: Option<u32>,
    config: AccessConfig,
}

impl Rules {
    fn of(config: &AccessConfig) -> Self {
        unknown_groups(config).iter().for_each(|why| tracing::warn!("{why}; nobody is in it"));
        let judges = *config != AccessConfig::default();
        Self {
            judges,
            was_open: judges,
            owner: geteuid().as_raw(),
            group: getegid().as_raw(),
            operators: config.operators.as_ref().and_then(id_of),
            readers: config.readers.as_ref().and_then(id_of),
            config: config.clone(),
        }
    }

    /// The mode the socket must have.
    pub(crate) fn socket_mode(&self) -> u32 {
        if self.judges { 0o666 } else { unix::MODE }
    }

    /// What a user with these groups may.
    pub(crate) fn standing(&self, uid: u32, groups: &[u32]) -> Standing {
        let within = |group: Option<u32>| group.is_some_and(|group| groups.contains(&group));
        let by_mode = !self.judges && (!self.was_open || within(Some(self.group)));
        if by_mode || uid == 0 || uid == self.owner || within(self.operators) {
            Standing::Operator
        } else if within(self.readers) {
            Standing::Reader
        } else {
            Standing::Stranger
        }
    }

    /// What somebody of this standing is told who wants more.
    pub(crate) fn refusal(&self, uid: u32, standing: Standing) -> String {
        let named = |group: &UserGroup| format!("group {group}");
        let operators = self.config.operators.as_ref().map(named);
        let readers = self.config.readers.as_ref().map(named);
        let wanted = match standing {
            Standing::Operator | Standing::Reader => operators,
            Standing::Stranger => {
                let both: Vec<_> = readers.into_iter().chain(operators).collect();
                (!both.is_empty()).then(|| both.join(" or "))
            }
        };
        let what = if standing == Standing::Reader { "change anything" } else { "talk to this router" };
        match wanted {
            Some(wanted) => format!("uid {uid} may not {what}: that takes root or a member of {wanted}"),
            None => format!("uid {uid} may not {what}: that takes root"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::of(&routing_common::config::load("", text).unwrap().config.access)
    }

    #[test]
    fn groups_decide_and_a_missing_one_has_no_members() {
        let both = rules("[access]\noperators = \"901\"\nreaders = \"902\"");
        assert_eq!(both.socket_mode(), 0o666);
        assert_eq!(both.standing(0, &[]), Standing::Operator);
        assert_eq!(both.standing(geteuid().as_raw(), &[]), Standing::Operator);
        assert_eq!(both.standing(4000, &[100, 901]), Standing::Operator);
        assert_eq!(both.standing(4000, &[902, 901]), Standing::Operator);
        assert_eq!(both.standing(4000, &[100, 902]), Standing::Reader);
        assert_eq!(both.standing(4000, &[0, 100]), Standing::Stranger);
        let nobody = rules("[access]\noperators = \"no-such-group-here\"");
        assert_eq!((nobody.socket_mode(), nobody.standing(4000, &[0])), (0o666, Standing::Stranger));
        assert_eq!(unknown_groups(&nobody.config).len(), 1);
        let closed = rules("");
        assert_eq!((closed.socket_mode(), closed.standing(4000, &[])), (0o660, Standing::Operator));
    }

    #[test]
    fn who_came_through_an_open_door_is_judged_when_it_is_closed_again() {
        let config = |text: &str| routing_common::config::load("", text).unwrap().config.access;
        let access = Access::new(&config(""));
        let standing = |access: &Access| access.follow().borrow().standing(4000, &[902]);
        assert_eq!(standing(&access), Standing::Operator, "the mode has judged");
        access.set(&config("[access]\nreaders = \"902\""));
        assert_eq!(standing(&access), Standing::Reader);
        access.set(&config(""));
        assert_eq!(standing(&access), Standing::Stranger);
        let own_group = getegid().as_raw();
        assert_eq!(access.follow().borrow().standing(4000, &[own_group]), Standing::Operator);
    }

    #[test]
    fn who_is_refused_learns_which_group_it_takes() {
        let both = rules("[access]\noperators = \"901\"\nreaders = \"902\"");
        let said = both.refusal(7, Standing::Reader);
        assert_eq!(said, "uid 7 may not change anything: that takes root or a member of group 901");
        let said = both.refusal(7, Standing::Stranger);
        assert_eq!(
            said,
            "uid 7 may not talk to this router: that takes root or a member of group 902 or group 901"
        );
        let looks = rules("[access]\nreaders = \"902\"").refusal(7, Standing::Reader);
        assert_eq!(looks, "uid 7 may not change anything: that takes root");
    }
}
