//! See [`routing_fuzz`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| routing_fuzz::lines(data));
