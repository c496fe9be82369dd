//! Messages and services of gRPC, generated from `protos/`. The generated code is part of the repository, so that a build needs neither
//! protoc nor time for it; a test generates it again. After a change: `TRIBUTARY_GENERATE=1 cargo test -p tributary-grpc`.

/// The processor of sales.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery, clippy::unwrap_used)]
#[rustfmt::skip]
#[path = "generated/processor.rs"]
pub mod processor;

/// The service of Tributary's own.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery, clippy::unwrap_used)]
#[rustfmt::skip]
#[path = "generated/tributary.v1.rs"]
pub mod tributary_v1;

/// All protos in the form that server reflection sends.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");
