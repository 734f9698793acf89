//! Whatever the text: a value or at least one error, and never a panic.
