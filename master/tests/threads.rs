//! A system that starts no more threads.

use std::{
    fs,
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    process::Command,
};

use tributary_testkit::process;

/// It used to panic, and with some limits never ended.
#[test]
fn too_few_threads_are_an_error_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for (program, args) in [("master", &["--once"][..]), ("data-source", &["--dir", ".", "--listen", "127.0.0.1:0"])] {
        for limit in [1, 3, 5] {
            // The limit is that of a user, and does not count for root.
            let mut command = Command::new("prlimit");
            command.arg(format!("--nproc={limit}")).arg(process::binary(program)).args(args).current_dir(home.path());
            if fs::metadata("/proc/self").unwrap().uid() == 0 {
                command.uid(65_533);
            }
            let Ok(output) = command.output() else {
                let _ = writeln!(std::io::stderr(), "skipped: there is no `prlimit` here");
                return;
            };
            let error = process::stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{program} with {limit}: {error}");
            assert!(error.contains("fewer than 16 threads") && error.contains("`ulimit -u`"), "{error}");
        }
    }
}
