//! The shell from outside.

#[cfg(test)]
mod script;
