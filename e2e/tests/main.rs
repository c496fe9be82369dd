//! The form in a browser, a source that is not ours, and programs that read what ours write.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

mod amqp_publish;
mod buckets;
mod capabilities;
mod cluster;
mod cluster_buckets;
mod cluster_reports;
mod compat;
mod crowd;
mod differences;
mod encrypted;
mod face;
mod form;
mod gateway;
mod grpc;
mod held_up;
mod hosts;
mod live;
mod object_storage;
mod openapi;
mod operations;
mod password;
mod phone;
mod postgres;
mod product;
mod readers;
mod relay;
mod reports;
mod restart;
mod resume;
mod reverse;
mod shortage;
mod socketio;
mod source;
mod subscriber;
mod upload;
