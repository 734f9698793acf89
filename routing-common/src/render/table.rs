//! Columns under headings, each as wide as its widest cell.

/// On which side a cell is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows of text under headings. Trailing blanks are cut, so scripts may split on white space.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings, all aligned left.
    pub fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            columns: headings.into_iter().map(|h| (h.to_owned(), Align::Left)).collect(),
            rows: Vec::new(),
        }
    }

    /// Aligns column `index` to the right.
    #[must_use]
    pub fn right(mut self, index: usize) -> Self {
        if let Some(column) = self.columns.get_mut(index) {
            column.1 = Align::Right;
        }
        self
    }

    /// Adds a row; missing cells are empty, surplus ones are dropped.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) -> &mut Self {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
        self
    }

    /// No rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines, headings first, every line ended.
    pub fn text(&self) -> String {
        let headings: Vec<String> = self.columns.iter().map(|c| c.0.clone()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|i| {
                let cells = self.rows.iter().chain([&headings]);
                cells.filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for row in [&headings].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, (_, align)), width) in row.iter().zip(&self.columns).zip(&widths) {
                if !line.is_empty() {
                    line.push_str("  ");
                }
                match align {
                    Align::Left => line.push_str(&format!("{cell:<width$}")),
                    Align::Right => line.push_str(&format!("{cell:>width$}")),
                }
            }
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
    fn columns_fit_their_widest_cell() {
        let mut t = Table::new(["Name", "Pri"]).right(1);
        t.row(["a", "1"]).row(["longer", "100"]).row(["only"]);
        assert_eq!(t.text(), "Name    Pri\na         1\nlonger  100\nonly\n");
    }
}
