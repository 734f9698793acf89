//! Single rules of RFC 2328 §16.
