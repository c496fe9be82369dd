//! `[grpc]` of the file.

use tributary_admission::host_and_port;

use super::{ConfigError, GrpcConfig, Place};
use crate::grpc::{self, GrpcAsTyped};

impl Place<'_> {
    pub(super) fn grpc(&self, typed: &GrpcAsTyped) -> Result<GrpcConfig, ConfigError> {
        let default = GrpcConfig::default();
        let max_message = self.optional(typed.max_message.as_ref(), grpc::max_message)?;
        Ok(GrpcConfig {
            listen: self.optional(typed.listen.as_ref(), host_and_port)?,
            results_dir: typed.results_dir.as_deref().map(|dir| self.beside(dir)),
            streams: self.optional(typed.streams.as_ref(), grpc::streams)?.unwrap_or(default.streams),
            max_message: max_message.unwrap_or(default.max_message),
            keep: typed.keep,
        })
    }
}
