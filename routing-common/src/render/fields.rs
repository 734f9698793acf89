//! `label: value` blocks for detail views.

/// Labelled values, one a line, values in one column.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    rows: Vec<(String, String)>,
    indent: usize,
}

impl Fields {
    /// An empty block, each line indented by `indent` blanks.
    pub fn new(indent: usize) -> Self {
        Self { rows: Vec::new(), indent }
    }

    /// Adds a line.
    pub fn field(&mut self, label: impl Into<String>, value: impl ToString) -> &mut Self {
        self.rows.push((label.into(), value.to_string()));
        self
    }

    /// The block as lines, every line ended.
    pub fn text(&self) -> String {
        let width = self.rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0) + 1;
        let mut out = String::new();
        for (label, value) in &self.rows {
            let line = format!("{:i$}{:<width$} {value}", "", format!("{label}:"), i = self.indent);
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column() {
        let mut f = Fields::new(2);
        f.field("State", "Full").field("Priority", 1).field("Empty", "");
        assert_eq!(f.text(), "  State:    Full\n  Priority: 1\n  Empty:\n");
    }
}
