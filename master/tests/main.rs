//! The master as its users run it: real binaries, real folders, a real database.

#![allow(clippy::unwrap_used)]

mod bounds;
mod brake;
mod buckets;
mod checks;
mod configuration;
mod crash;
mod exports;
mod faults;
mod feeds;
mod formats;
mod gateway;
mod grpc;
mod large;
mod live;
mod memory;
mod model;
mod network;
mod notes;
mod order;
mod parts;
mod property;
mod readers;
mod rejects;
mod reports;
mod results;
mod selection;
mod sheets;
mod sqlite;
mod system;
mod threads;
mod tls;
mod unreadable;
mod unwritable;
