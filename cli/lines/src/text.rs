//! Texts and secrets between lines and values: what a line of words cannot carry is quoted.

use crate::commands::secret_in;
use routing_common::grammar::MatchError;
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

/// What the words begin with that tell of a secret behind them, and whether the number of a key or of a kind of password may stand
/// between.
const BEFORE_SECRETS: [(&str, bool); 5] = [
    ("authentication-k", false),
    ("message-d", true),
    ("password", true),
    ("key-string", false),
    ("secret", true),
];

/// A line as it may be kept or logged: with its secrets blanked out. The commands know where theirs stand, however they are shortened;
/// in what is no command a word that tells of one has to do.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let Some(at) = secret_in(&words) {
        words.iter_mut().skip(at).for_each(|word| *word = MASK);
        return words.join(" ").into();
    }
    let told_by = |word: &str| match word {
        "md5" => Some(false),
        _ => BEFORE_SECRETS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, numbered)| *numbered),
    };
    let found = words.iter().enumerate().find_map(|(at, word)| Some((at + 1, told_by(word)?)));
    let Some((first, is_numbered)) = found else { return text.into() };
    let count = words.len();
    for (n, word) in words.iter_mut().enumerate().skip(first) {
        let is_last = n + 1 == count;
        // Any other word may be it.
        let is_number = is_numbered && n == first && word.parse::<u8>().is_ok();
        if is_last || !(is_number || *word == "md5") {
            *word = MASK;
        }
    }
    words.join(" ").into()
}

/// A mismatch as it may be told: its line without secrets.
pub fn mismatch_without_secrets(error: MatchError) -> MatchError {
    match error {
        MatchError::Unknown { line, column } => {
            let known = words_before(&line, column);
            let line = without_secrets(&line).into_owned();
            let column = line.split(' ').take(known).map(|word| word.chars().count() + 1).sum();
            MatchError::Unknown { line, column }
        }
        MatchError::Incomplete { line } => {
            MatchError::Incomplete { line: without_secrets(&line).into_owned() }
        }
        ambiguous @ MatchError::Ambiguous { .. } => ambiguous,
    }
}

/// How many words of the line of [`MatchError::Unknown`] stand before its column.
pub(crate) fn words_before(line: &str, column: usize) -> usize {
    line.chars().take(column).filter(|c| *c == ' ').count()
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
        // However short the commands are.
        assert_eq!(shown("ip ospf auth secret"), "ip ospf auth <hidden>");
        assert_eq!(shown("i o a one two"), "i o a <hidden> <hidden>");
        assert_eq!(shown("ip ospf m 1 m secret"), "ip ospf m 1 m <hidden>");
        assert_eq!(shown("ip ospf message-digest 1 md5 secret"), "ip ospf message-digest 1 md5 <hidden>");
        assert_eq!(shown("ke secret"), "ke <hidden>");
        for open in ["key 1", "key chain C", "ip ospf area 0", "ip ospf auth null", "ip address 10.0.0.1/24"]
        {
            assert_eq!(without_secrets(open), open);
        }
        assert_eq!(shown("ip ospf authentication key-chain C"), "ip ospf authentication key-chain C");
        assert_eq!(shown("enable password 8 x"), "enable password 8 <hidden>");
        assert_eq!(shown("ip ospf authentication message-digest"), "ip ospf authentication message-digest");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), LONGEST);
        assert_eq!(shown("a\u{1}b"), "a\u{fffd}b");
    }

    #[test]
    fn a_mismatch_points_at_its_word_behind_a_secret() {
        let line = "ip ospf authentication-key a b".to_owned();
        let error = mismatch_without_secrets(MatchError::Unknown { line, column: 29 });
        let line = "ip ospf authentication-key <hidden> <hidden>".to_owned();
        assert_eq!(error, MatchError::Unknown { line, column: 36 });
        let line = "ip ospf message-digest-key 1 md5 ".to_owned();
        let error = MatchError::Incomplete { line: line.clone() + "x" };
        assert_eq!(mismatch_without_secrets(error), MatchError::Incomplete { line: line + MASK });
    }
}
