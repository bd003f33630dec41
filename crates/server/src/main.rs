//! The `counterfoil` program: everything is in the library.

use std::process::ExitCode;

/// Frees memory back to the system quickly after a storm of sign-ins, where glibc's allocator keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    counterfoil::cli::main()
}
