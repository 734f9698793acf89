//! A line of syntax for a reader of documentation.

/// The words of a syntax, in the order of their help, without the names the code gives them.
pub fn words(syntax: &str) -> Vec<&str> {
    let words = syntax.split(|c: char| c.is_whitespace() || "[]<>{}|".contains(c));
    words.filter(|w| !w.is_empty()).map(|w| w.split('$').next().unwrap_or(w)).collect()
}

/// A syntax without the code's names, as code in a table's cell of Markdown.
pub fn code(syntax: &str) -> String {
    let mut shown = String::new();
    let mut naming = false;
    for c in syntax.chars() {
        naming = c == '$' || naming && (c.is_ascii_alphanumeric() || c == '_');
        if !naming {
            shown.push(c);
        }
    }
    format!("`{}`", shown.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_code_are_left_out() {
        let syntax = "show [<IFNAME$filter|A.B.C.D$filter>] {a|b (1-9)$n}";
        assert_eq!(words(syntax), ["show", "IFNAME", "A.B.C.D", "a", "b", "(1-9)"]);
        assert_eq!(code(syntax), "`show [<IFNAME\\|A.B.C.D>] {a\\|b (1-9)}`");
    }
}
