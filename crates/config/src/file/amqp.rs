//! `[amqp]` of the file.

use super::{AmqpConfig, ConfigError, Place};
use crate::amqp::{self, AmqpAsTyped};

impl Place<'_> {
    pub(super) fn amqp(&self, typed: &AmqpAsTyped) -> Result<AmqpConfig, ConfigError> {
        let default = AmqpConfig::default();
        let operations_queue = self.optional(typed.operations_queue.as_ref(), amqp::name)?;
        let documents_queue = self.optional(typed.documents_queue.as_ref(), amqp::name)?;
        Ok(AmqpConfig {
            url: self.optional(typed.url.as_ref(), amqp::amqp_url)?,
            ca_file: typed.ca_file.as_deref().map(|path| self.beside(path)),
            operations_queue: operations_queue.unwrap_or(default.operations_queue),
            documents_queue: documents_queue.unwrap_or(default.documents_queue),
            results_exchange: self.optional(typed.results_exchange.as_ref(), amqp::name)?,
            prefetch: self.optional(typed.prefetch.as_ref(), amqp::prefetch)?.unwrap_or(default.prefetch),
        })
    }
}
