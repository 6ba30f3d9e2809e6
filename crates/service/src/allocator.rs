//! The allocator of every process: jemalloc, which gives back what a crowd has left behind.
//!
//! A handshake takes several times the memory of the idle connection that it leaves, on another thread than what lasts of it.
//! glibc's allocator keeps what lies free between such connections, a kilobyte for each; this one returns it after a second, and
//! has threads allocate apart. `.cargo/config.toml` has its settings, which `_RJEM_MALLOC_CONF` overrides at run time.

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
