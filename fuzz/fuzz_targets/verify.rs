#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| counterfoil_fuzz::verify_with_keys(input));
