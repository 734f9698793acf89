//! Texts and secrets between lines and values: what a line of words cannot carry is quoted.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest line that is shown whole, in characters.
const LONGEST: usize = 120;
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

/// A line as it may be kept or logged: with its secrets blanked out.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    let secret = |w: &str| {
        let word = w.trim_start_matches("no ");
        ["authentication-k", "message-d", "password", "key-string", "secret"]
            .iter()
            .any(|s| word.starts_with(s))
            || (word.starts_with("key-") && "key-string".starts_with(word))
            || word == "md5"
    };
    let found = words.iter().position(|w| secret(w));
    let Some((at, name)) = found.and_then(|at| Some((at, *words.get(at)?))) else { return text.into() };
    if "message-digest".starts_with(name) {
        return text.into();
    }
    // The number of a key or of a kind of password may stand before the secret; any other word may be it.
    let is_numbered = !["md5", "authentication-k", "key-"].iter().any(|s| name.starts_with(s));
    let count = words.len();
    for (n, word) in words.iter_mut().enumerate().skip(at + 1) {
        let is_last = n + 1 == count;
        let is_number = is_numbered && n == at + 1 && word.parse::<u8>().is_ok();
        if is_last || !(is_number || *word == "md5") {
            *word = MASK;
        }
    }
    words.join(" ").into()
}

/// A line for people: short, printable, and without its secrets.
pub(crate) fn shown(text: &str) -> String {
    let text = without_secrets(text);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let line: String = words.join(" ").chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
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

    #[test]
    fn secrets_are_blanked_out_and_long_lines_are_short() {
        assert_eq!(
            shown("ip ospf message-digest-key 1 md5 topsecret"),
            "ip ospf message-digest-key 1 md5 <hidden>"
        );
        assert_eq!(shown("ip ospf mess 12 md5 topsecret"), "ip ospf mess 12 md5 <hidden>");
        assert_eq!(shown("ip ospf authentication-key x"), "ip ospf authentication-key <hidden>");
        // A secret may look like anything.
        assert_eq!(shown("ip ospf authentication-key 77"), "ip ospf authentication-key <hidden>");
        assert_eq!(
            shown("ip ospf message-digest-key 1 md5 77 10.0.0.1"),
            "ip ospf message-digest-key 1 md5 <hidden> <hidden>"
        );
        assert_eq!(shown("ip ospf mess 12 md5 md5"), "ip ospf mess 12 md5 <hidden>");
        assert_eq!(without_secrets(" description  a b "), " description  a b ");
        assert_eq!(shown("key-string a b 7"), "key-string <hidden> <hidden> <hidden>");
        assert_eq!(shown("key-s topsecret"), "key-s <hidden>");
        assert_eq!(shown("ip ospf authentication key-chain C"), "ip ospf authentication key-chain C");
        assert_eq!(shown("enable password 8 x"), "enable password 8 <hidden>");
        assert_eq!(shown("ip ospf authentication message-digest"), "ip ospf authentication message-digest");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), LONGEST);
        assert_eq!(shown("a\u{1}b"), "a\u{fffd}b");
    }
}
