//! What a router's processes cost: memory, processor time, time since they were started.
//!
//! Everything comes from `/proc` and concerns all processes of a router's namespace, whatever suite they are of.

use crate::lab::Lab;
use crate::netns;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc/PID/stat`; Linux shows 100 to user space everywhere.
const USER_HZ: f64 = 100.0;
/// Pause between two looks while a cold start settles.
const GLANCE: Duration = Duration::from_millis(10);

/// A router at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Processes in its namespace.
    pub processes: usize,
    /// Resident memory in KiB; what processes share counts for each of them.
    pub rss: u64,
    /// Proportional memory in KiB; what processes share (also with other routers on this machine) is divided among them.
    pub pss: u64,
    /// Memory in KiB that belongs to no file: heap, stacks, written pages.
    pub anonymous: u64,
    /// Processor time while it was watched.
    pub cpu: Duration,
}

/// Watches routers at rest for `time`.
///
/// # Errors
/// `/proc` cannot be read, or a process ends meanwhile.
pub fn at_rest(lab: &Lab, routers: &[&str], time: Duration) -> Result<Vec<Usage>> {
    let start = Instant::now();
    let look = |router: &&str| -> Result<(Vec<i32>, Times)> {
        let pids = netns::pids(&lab.names().node(router))?;
        let times = processor_times(&pids)?;
        Ok((pids, times))
    };
    let before: Vec<_> = routers.iter().map(look).collect::<Result<_>>()?;
    std::thread::sleep(time.saturating_sub(start.elapsed()));
    let mut usages = Vec::new();
    for (router, (pids, earlier)) in routers.iter().zip(before) {
        let (now, later) = look(router)?;
        if now.len() != pids.len() {
            bail!("{router}: {} processes became {} while it was at rest", pids.len(), now.len());
        }
        // A thread that ended meanwhile is not in the second look; a new one counts whole.
        let spent = later.iter().map(|(id, ns)| ns.saturating_sub(earlier.get(id).copied().unwrap_or(0)));
        let mut usage = Usage {
            processes: now.len(),
            rss: 0,
            pss: 0,
            anonymous: 0,
            cpu: Duration::from_nanos(spent.sum()),
        };
        for pid in now {
            let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
                .with_context(|| format!("memory of {}", netns::name_of(pid)))?;
            usage.rss += kilobytes(&text, "Rss:")?;
            usage.pss += kilobytes(&text, "Pss:")?;
            usage.anonymous += kilobytes(&text, "Anonymous:")?;
        }
        usages.push(usage);
    }
    Ok(usages)
}

fn kilobytes(text: &str, key: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Nanoseconds on a processor by process and thread.
type Times = BTreeMap<(i32, String), u64>;

fn processor_times(pids: &[i32]) -> Result<Times> {
    let mut times = Times::new();
    for &pid in pids {
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?;
            // A thread may end between the listing and the look.
            let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
            let nanoseconds = text.split_whitespace().next().unwrap_or_default().parse()?;
            times.insert((pid, task.file_name().to_string_lossy().into_owned()), nanoseconds);
        }
    }
    Ok(times)
}

/// Waits until a lab that has just been built is right, and gives the time since its first routing process was started.
///
/// # Errors
/// What is still wrong after `patience`.
pub fn cold_start(lab: &Lab, patience: Duration) -> Result<Duration> {
    let mut first = f64::MAX;
    for router in lab.living_routers() {
        for pid in netns::pids(&lab.names().node(router))? {
            first = first.min(started(pid)?);
        }
    }
    let deadline = Instant::now() + patience;
    loop {
        let uptime = std::fs::read_to_string("/proc/uptime")?;
        let wrong = lab.judge()?;
        if wrong.is_empty() {
            let now: f64 = uptime.split_whitespace().next().unwrap_or_default().parse()?;
            return Ok(Duration::from_secs_f64((now - first).max(0.0)));
        }
        if Instant::now() > deadline {
            bail!("not converged after {patience:?}:\n  {}", wrong.join("\n  "));
        }
        std::thread::sleep(GLANCE);
    }
}

/// Seconds between the machine's start and the process's.
fn started(pid: i32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Field 22; the name in field 2 may hold anything, a closing parenthesis ends it.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().nth(19).context("no start time")?.parse()?;
    Ok(ticks / USER_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_younger_than_the_machine() {
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        let started = started(own).unwrap_or(-1.0);
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
        let uptime: f64 = uptime.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0);
        assert!(started > 0.0 && started <= uptime + 0.02, "{started} of {uptime}");
    }

    #[test]
    fn memory_is_read_by_its_key() {
        let text = "Rss:                4532 kB\nPss:                1085 kB\nPss_Dirty:           560 kB\n";
        assert_eq!(kilobytes(text, "Pss:").ok(), Some(1085));
        assert!(kilobytes(text, "Anonymous:").is_err());
    }
}
