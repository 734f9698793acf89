//! Texts and secrets between lines and values: what a line of words cannot carry is quoted.

use std::fmt::Write as _;

/// What stands for a secret that is not shown.
pub(crate) const MASK: &str = "<hidden>";

/// A free text as a line carries it: between `"` if its ends would be lost otherwise.
pub(crate) fn quoted(text: &str) -> String {
    let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let looks_quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if blank(text.chars().next()) || blank(text.chars().last()) || looks_quoted {
        return format!("\"{text}\"");
    }
    text.to_owned()
}

/// The free text of a line: without one pair of `"` around it.
pub(crate) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text)
}

/// A secret as one word. What is no printable word is quoted, with `\u{…}` for each character that a word cannot have.
pub(crate) fn secret_word(secret: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    if secret != MASK && secret.chars().all(plain) && quoted_secret(secret).is_none() {
        return secret.to_owned();
    }
    let mut word = String::from("\"");
    for (n, c) in secret.chars().enumerate() {
        // The first character always, so that the word is known for what it is.
        if n > 0 && plain(c) && c != '\\' {
            word.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(word, "\\u{{{:x}}}", u32::from(c));
        }
    }
    word.push('"');
    word
}

/// The secret a word stands for.
pub(crate) fn secret_of(word: &str) -> String {
    quoted_secret(word).unwrap_or_else(|| word.to_owned())
}

/// Only a word that begins with `"\u{` is read so: FRR takes quotes in a key literally.
fn quoted_secret(word: &str) -> Option<String> {
    let mut rest = word.strip_prefix('"')?.strip_suffix('"')?;
    if !rest.starts_with("\\u{") {
        return None;
    }
    let mut secret = String::new();
    while let Some(c) = rest.chars().next() {
        if let Some(escape) = rest.strip_prefix("\\u{") {
            let (code, behind) = escape.split_once('}')?;
            secret.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
            rest = behind;
        } else {
            secret.push(c);
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_secret_and_any_text_survive_as_words() {
        for s in [
            "key",
            "a b",
            "\"quoted\"",
            "\"\\u{20}\"",
            "\\u{20}",
            "\u{1}\n",
            "ü",
            " ",
            "\u{3000}x\"",
            "\"",
            MASK,
        ] {
            let word = secret_word(s);
            assert_eq!(secret_of(&word), s, "{word}");
            assert_eq!(word.split_whitespace().count(), 1, "{word}");
        }
        assert_eq!(secret_word("\"quoted\""), "\"quoted\"");
        for s in ["", " x ", "to \"r2\"", "\"r2\"", "\"", "\"\"", "a  b"] {
            assert_eq!(unquoted(quoted(s).trim()), s, "{s:?}");
        }
    }
}
