//! What was asked of this suite, and whether it was met.

use super::Sample;
use super::steps::{self, Step};
use crate::stack::Profile;
use crate::statistics::Summary;
use std::time::Duration;

/// A target is about so long a rest.
const REST: Duration = Duration::from_secs(30);

/// What is compared with a target.
#[derive(Debug)]
enum Measure {
    Cold,
    ColdTraditional,
    /// The longest outage of the worst flow.
    Outage(Step),
    /// Packets lost by all flows together.
    Lost(Step),
    /// Packets lost by all flows together over all returns of a turn.
    Returns,
    /// Processor time of a watched router.
    Processor(usize),
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Target {
    /// What happens.
    pub event: String,
    /// In what it is measured.
    pub unit: &'static str,
    /// What the median may be.
    pub median: f64,
    /// What the worst may be.
    pub worst: Option<f64>,
    measure: Measure,
}

impl Target {
    /// Milliseconds.
    fn time(event: &str, measure: Measure, median: f64, worst: Option<f64>) -> Self {
        Self { event: event.to_owned(), unit: "ms", median, worst, measure }
    }

    /// Not a packet.
    fn nothing(event: impl Into<String>, measure: Measure) -> Self {
        Self { event: event.into(), unit: "packets lost", median: 0.0, worst: Some(0.0), measure }
    }

    /// What a turn gave, where it was played.
    pub(super) fn value(&self, sample: &Sample) -> Option<f64> {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let packets = |lost: usize| u32::try_from(lost).map_or(f64::INFINITY, f64::from);
        match &self.measure {
            Measure::Cold => sample.cold.map(millis),
            Measure::ColdTraditional => sample.traditional.map(millis),
            Measure::Outage(step) => sample.played(step)?.longest().map(millis),
            Measure::Lost(step) => sample.played(step)?.lost().map(packets),
            Measure::Returns => {
                let returns: Vec<usize> =
                    sample.played.iter().filter_map(steps::Played::lost_on_return).collect();
                (!returns.is_empty()).then(|| packets(returns.into_iter().sum()))
            }
            Measure::Processor(router) => {
                let (usage, rest) = sample.usages.as_ref()?;
                let share = REST.as_secs_f64() / rest.as_secs_f64();
                Some(millis(usage.get(*router)?.cpu) * share)
            }
        }
    }

    /// Was it met? Of times the median and, where it is limited, the worst count.
    pub(super) fn is_met(&self, summary: &Summary) -> bool {
        summary.median <= self.median && self.worst.is_none_or(|worst| summary.worst <= worst)
    }

    /// The target as text: "5 (15)".
    pub(super) fn text(&self) -> String {
        let worst =
            self.worst.filter(|worst| *worst > 0.0).map_or(String::new(), |worst| format!(" ({worst})"));
        format!("{}{worst}", self.median)
    }
}

/// Every target, in the order of the table.
pub(super) fn all() -> Vec<Target> {
    let outage = |event: &str, step, median, worst| Target::time(event, Measure::Outage(step), median, worst);
    let mut targets = vec![
        Target::time("cold start, the RFCs' timers", Measure::ColdTraditional, 2000.0, None),
        Target::time("cold start, ring timers", Measure::Cold, 700.0, None),
        outage("ring link cut (carrier)", steps::link_cut(), 5.0, Some(15.0)),
        outage("ring link silent, BFD 10 ms × 3", steps::link_silent(Profile::Ring), 35.0, Some(55.0)),
        outage("leaf dies silently", steps::leaf_dies(), 36.0, Some(55.0)),
        outage("VRRP master dies silently", steps::master_dies(Profile::Ring), 45.0, Some(80.0)),
        outage(
            "the same with adverts of 1 s and `accelerate`",
            steps::master_dies(Profile::SlowAdverts),
            100.0,
            Some(150.0),
        ),
        outage("master's LAN cable pulled", steps::plug_pulled(), 6.0, Some(15.0)),
        outage("link silent for 200 ms only", steps::link_blinks(), 36.0, None),
        outage("link silent, BFD 3.3 ms × 3", steps::link_silent(Profile::FastBfd), 20.0, None),
        Target::nothing("whatever failed comes back", Measure::Returns),
    ];
    targets.extend(steps::restarts().into_iter().map(|step| {
        let text = match &step.event {
            crate::scenario::Event::Restart { daemon, cause, .. } => format!("{daemon} {cause}"),
            _ => String::new(),
        };
        Target::nothing(text, Measure::Lost(step))
    }));
    targets.push(Target::nothing("SIGTERM of a leaf, transit flows", Measure::Lost(steps::leaf_stops())));
    targets.extend(super::WATCHED.iter().enumerate().map(|(index, (router, what))| {
        let event = format!("processor time of {router} ({what}) in 30 s");
        Target::time(&event, Measure::Processor(index), 250.0, None)
    }));
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_by_the_median_and_the_worst() {
        let target = Target::time("cut", Measure::Cold, 5.0, Some(15.0));
        let met = |values: [f64; 3]| Summary::of(values).is_some_and(|summary| target.is_met(&summary));
        assert!(met([4.0, 5.0, 15.0]));
        assert!(!met([4.0, 5.1, 6.0]));
        assert!(!met([4.0, 5.0, 15.1]));
        assert_eq!(target.text(), "5 (15)");
        assert_eq!(Target::nothing("kill", Measure::Returns).text(), "0");
    }

    #[test]
    fn every_step_has_a_target_that_measures_it() {
        let targets = all();
        for step in steps::all() {
            let measured = targets.iter().filter(|target| match &target.measure {
                Measure::Outage(of) | Measure::Lost(of) => *of == step,
                _ => false,
            });
            assert_eq!(measured.count(), 1, "{step:?}");
        }
    }
}
