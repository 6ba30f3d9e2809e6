//! What a client says in order to be let in.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| carillon_gateway::hostile::handshake(bytes));
