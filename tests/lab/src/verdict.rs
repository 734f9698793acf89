//! Is everything as it must be?
//!
//! The lab knows what it broke, the plan and the oracle know what follows; here the kernels are asked. A verdict is a list of lines,
//! one for everything that is wrong, and empty when nothing is.

use crate::lab::Lab;
use crate::netns;
use crate::oracle::{Oracle, Tables};
use crate::stack::Stack;
use crate::table::{self, KernelTable, Mismatch};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Pause between two looks at the kernel's tables.
const POLL: Duration = Duration::from_millis(100);

impl Lab {
    /// What every router's table must hold now.
    ///
    /// # Errors
    /// The written tables do not parse.
    pub fn expected(&self) -> Result<Tables> {
        crate::expect::tables(self.topology(), &self.failures())
    }

    /// Every living router's kernel table.
    ///
    /// # Errors
    /// What `ip` complains about.
    pub fn tables(&self) -> Result<BTreeMap<String, KernelTable>> {
        let read = |router: &str| Ok((router.to_owned(), table::read(&self.names().node(router))?));
        self.living_routers().map(read).collect()
    }

    /// Routers whose kernel answers for the virtual address now.
    ///
    /// # Errors
    /// What `ip` complains about.
    pub fn vip_owners(&self) -> Result<BTreeSet<String>> {
        let mut owners = BTreeSet::new();
        let Some(vrrp) = &self.topology().vrrp else { return Ok(owners) };
        let address = vrrp.address.ip().to_string();
        for router in
            self.living_routers().filter(|router| self.topology().routers[*router].vrrp_priority.is_some())
        {
            let links = netns::ip_json(&self.names().node(router), &["-4", "addr", "show"])?;
            let has = |link: &&serde_json::Value| {
                let mut addresses = link["addr_info"].as_array().into_iter().flatten();
                let mut flags = link["flags"].as_array().into_iter().flatten();
                addresses.any(|a| a["local"] == *address) && flags.any(|flag| flag == "LOWER_UP")
            };
            if links.as_array().into_iter().flatten().any(|link| has(&link)) {
                owners.insert(router.to_owned());
            }
        }
        Ok(owners)
    }

    /// Everything that is not as it must be now: kernel tables, the owner of the virtual address, costs inside OSPF.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn judge(&self) -> Result<Vec<String>> {
        let expected = self.expected()?;
        let wrong = table::judge(self.topology(), &expected, &self.tables()?);
        let mut lines: Vec<String> = wrong.iter().map(Mismatch::to_string).collect();
        let failures = self.failures();
        let master: BTreeSet<String> =
            Oracle::new(self.topology(), &failures).master().map(str::to_owned).into_iter().collect();
        let owners = self.vip_owners()?;
        if owners != master {
            lines.push(format!("virtual address: must be at {master:?}, is at {owners:?}"));
        }
        if lines.is_empty() && self.topology().runs_ospf() {
            lines = self.judge_costs(&expected);
        }
        Ok(lines)
    }

    fn judge_costs(&self, expected: &Tables) -> Vec<String> {
        let mut lines = Vec::new();
        for router in expected.keys() {
            match self.with_site(router, |site| self.stack(router).ospf_costs(site)) {
                Ok(Some(costs)) => {
                    lines
                        .extend(table::judge_costs(router, expected, &costs).iter().map(Mismatch::to_string));
                }
                Ok(None) => {}
                Err(fault) => lines.push(format!("{router}: {fault:#}")),
            }
        }
        lines
    }

    /// Waits until nothing is wrong any more and tells how long it took.
    ///
    /// # Errors
    /// What is still wrong after `patience`, line by line.
    pub fn wait_converged(&self, patience: Duration) -> Result<Duration> {
        let start = Instant::now();
        loop {
            let wrong = self.judge()?;
            if wrong.is_empty() {
                return Ok(start.elapsed());
            }
            if start.elapsed() > patience {
                bail!("not converged after {patience:?}:\n  {}", wrong.join("\n  "));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks a router of any stack a show command that ends in `json`.
    ///
    /// # Errors
    /// The router does not answer, or not in JSON.
    pub fn show(&self, router: &str, words: &[&str]) -> Result<serde_json::Value> {
        self.with_site(router, |site| self.stack(router).show(site, words))
    }

    /// Asks a router of this project's stack a show command (`["show", "ip", "ospf", "neighbor", "json"]`).
    ///
    /// # Errors
    /// The router does not answer, or not in JSON.
    pub fn torc_show(&self, router: &str, words: &[&str]) -> Result<serde_json::Value> {
        self.with_site(router, |site| Stack::Torc.show(site, words))
    }
}
