//! A PostgreSQL server of this run, and schemas in it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::services::{self, Interrupted, Running};

/// A running server. It is stopped when this is dropped.
pub(super) struct Server {
    running: Running<'static>,
    /// Without it a signal would end this program, but not the server.
    interrupted: Interrupted,
}

impl Server {
    /// Starts one whose commits are on the disk when they are answered.
    pub(super) fn start(home: &Path) -> Result<Self> {
        let interrupted = Interrupted::watch()?;
        Ok(Self { running: services::durable_postgres(home, &interrupted)?, interrupted })
    }

    /// Makes an empty schema, in place of one that is there, and returns the URL with which programs find it.
    pub(super) fn schema(&self, name: &str) -> Result<String> {
        self.go_on()?;
        self.ask(&format!("drop schema if exists {name} cascade; create schema {name}"))?;
        // What is left of the work before must not slow the next one.
        self.ask("checkpoint")?;
        Ok(format!("{}?options=-csearch_path%3D{name}", self.running.address()))
    }

    /// Fails if a signal asked this program to stop.
    pub(super) fn go_on(&self) -> Result<()> {
        ensure!(self.interrupted.signal().is_none(), "interrupted");
        Ok(())
    }

    /// Its name and version.
    pub(super) fn version(&self) -> Result<String> {
        Ok(format!("PostgreSQL {}", self.ask("show server_version")?))
    }

    fn ask(&self, statement: &str) -> Result<String> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", statement, self.running.address()]);
        let ran = psql.output().context("failed to start psql")?;
        ensure!(ran.status.success(), "`{statement}` failed: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
    }
}
