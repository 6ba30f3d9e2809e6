//! What a client says once it is let in.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| carillon_gateway::hostile::frames(bytes));
