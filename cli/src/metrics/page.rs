//! A page in Prometheus' text format: families of samples.

use std::fmt::Write as _;

/// What a family's figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
}

/// The page so far. A family without samples leaves no trace.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    name: &'static str,
    /// Written before the first sample.
    head: Option<String>,
}

impl Page {
    /// Begins a family; the samples that follow belong to it.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        self.name = name;
        self.head = Some(format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// One figure.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(&self.head.take().unwrap_or_default());
        self.text.push_str(self.name);
        for (n, (label, value)) in labels.iter().enumerate() {
            let before = if n == 0 { '{' } else { ',' };
            // Writing into a string cannot fail.
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// One figure, if there is one.
    pub(super) fn sample_if(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.sample(labels, value);
        }
    }

    /// A family of one figure without labels.
    pub(super) fn value(&mut self, name: &'static str, kind: Kind, help: &str, value: Option<f64>) {
        self.family(name, kind, help);
        self.sample_if(&[], value);
    }

    /// The whole page.
    pub(super) fn text(self) -> String {
        self.text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_a_head_and_samples_are_escaped() {
        let mut page = Page::default();
        page.family("nothing", Kind::Gauge, "Nobody has one");
        page.family("a_total", Kind::Counter, "Some");
        page.sample(&[("if", "e\"0"), ("x", "y")], 3.0);
        page.sample_if(&[], None);
        page.value("b", Kind::Gauge, "One", Some(0.5));
        assert_eq!(
            page.text(),
            "# HELP a_total Some\n# TYPE a_total counter\na_total{if=\"e\\\"0\",x=\"y\"} 3\n# HELP b One\n# TYPE b gauge\nb 0.5\n"
        );
    }
}
