//! A directory of its own for whoever asks.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Starts and stops the directory; see the comment at its top for who is in it.
const SCRIPT: &str = include_str!("../private-slapd.sh");

/// A private LDAP directory. It ends when this is dropped, and with the process however that ends.
pub struct Slapd {
    /// Port on 127.0.0.1, with StartTLS.
    pub port: u16,
    /// Port with TLS from the first byte.
    pub tls_port: u16,
    process: String,
    folder: PathBuf,
    script: Child,
}

impl Slapd {
    /// Starts one, which takes about a second. Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// A sentence for the person who runs the tests: what is missing (slapd not installed, for instance) and what to do.
    pub fn start() -> Result<Self, String> {
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT, "private-slapd.sh", "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot run sh to start slapd: {error}"))?;
        let (Some(stdout), Some(mut stderr)) = (script.stdout.take(), script.stderr.take()) else {
            return Err("sh started without pipes".to_owned());
        };
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| format!("cannot read the address of slapd: {error}"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let ports = match words.as_slice() {
            [port, tls, process, folder] => {
                port.parse().ok().zip(tls.parse().ok()).map(|ports| (ports, *process, *folder))
            }
            _ => None,
        };
        let Some(((port, tls_port), process, folder)) = ports else {
            let mut reason = String::new();
            // What can be read is shown; that reading fails as well adds nothing.
            let _ = stderr.read_to_string(&mut reason);
            return Err(format!("slapd did not start: {}", reason.trim_end()));
        };
        Ok(Self { port, tls_port, process: process.to_owned(), folder: PathBuf::from(folder), script })
    }

    /// The authority of its certificate (`ca.pem`), or another one (`other-ca.pem`).
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn authority(&self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.folder.join(name)).map_err(|error| format!("{name}: {error}"))
    }

    /// Changes what is in it, while it runs, by LDIF (RFC 2849).
    ///
    /// # Errors
    ///
    /// What it says of the change.
    pub fn change(&self, ldif: &str) -> Result<(), String> {
        let file = self.folder.join("change.ldif");
        std::fs::write(&file, ldif).map_err(|error| format!("change.ldif: {error}"))?;
        let done = Command::new(self.folder.join("slapd"))
            .current_dir(&self.folder)
            .args(["-T", "modify", "-f", "slapd.conf", "-l", "change.ldif"])
            .output()
            .map_err(|error| format!("slapd -T modify: {error}"))?;
        if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
    }

    /// Sends its process a signal (`STOP`, `CONT`, `KILL`).
    ///
    /// # Errors
    ///
    /// It is not there any more.
    pub fn signal(&self, name: &str) -> Result<(), String> {
        let done = Command::new("kill").arg(format!("-{name}")).arg(&self.process).status();
        match done {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill -{name} {}: {other:?}", self.process)),
        }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        // The script ends the directory when its standard input ends.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
