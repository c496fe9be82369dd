//! A pseudo-terminal, to see what a program writes to a terminal.

use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::fd::OwnedFd,
    process::{Child, Command},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// A program on a terminal of its own, killed when this is dropped.
pub struct OnTerminal {
    /// The program.
    pub child: Child,
    screen: File,
    /// Everything that it has written so far.
    written: Vec<u8>,
}

impl OnTerminal {
    /// Starts a program whose input, output and errors are a terminal of this size.
    ///
    /// # Panics
    /// There is no pseudo-terminal, or the program does not start.
    #[must_use]
    pub fn start(command: &mut Command, columns: u16, lines: u16) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there is a pseudo-terminal");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("it can be unlocked");
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&screen, size).expect("it takes a size");
        let name = ptsname(&screen, Vec::new()).expect("it has a name").into_string().expect("the name is ASCII");
        let open = || OwnedFd::from(OpenOptions::new().read(true).write(true).open(&name).expect("it opens"));
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().expect("the binary starts");
        // The command holds the program's side open, and with it the end of the output back.
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        Self { child, screen: File::from(screen), written: Vec::new() }
    }

    /// Reads until `is_enough` of everything that was written so far, or until the program has ended. Returns that.
    pub fn read_until(&mut self, is_enough: impl Fn(&str) -> bool) -> String {
        let mut block = [0; 4_096];
        loop {
            let text = String::from_utf8_lossy(&self.written).into_owned();
            if is_enough(&text) {
                return text;
            }
            // Linux answers the end of a terminal with an error.
            match self.screen.read(&mut block) {
                Ok(0) | Err(_) => return text,
                Ok(read) => self.written.extend_from_slice(&block[..read]),
            }
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
