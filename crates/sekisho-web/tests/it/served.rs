//! The real program serving a data folder on loopback, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::city::print_program;

/// A process of `sekisho serve`. It is killed when it is dropped.
pub struct Served {
    child: Child,
}

impl Served {
    /// Starts on a free port. `database` names a PostgreSQL database; otherwise the folder's own file is served. Variable
    /// `SEKISHO_BIN` names another program than the one that was built with the tests.
    pub fn start(folder: &Path, database: Option<&str>) -> Self {
        Self::start_with(folder, database, &[])
    }

    /// The same with further options.
    pub fn start_with(folder: &Path, database: Option<&str>, options: &[&str]) -> Self {
        Self::start_keyed(folder, &folder.join("city.key"), database, options)
    }

    /// The same with a key file elsewhere.
    pub fn start_keyed(folder: &Path, key: &Path, database: Option<&str>, options: &[&str]) -> Self {
        let mut command = Self::program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        command.arg("--key").arg(key);
        command.args(database.map(|url| format!("--database={url}")));
        command.args(options);
        Self::begin(command)
    }

    /// Starts on a free port with what a configuration file says.
    pub fn configured(file: &Path) -> Self {
        let mut command = Self::program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(file);
        Self::begin(command)
    }

    /// The program, with nothing said to it yet.
    pub fn program() -> Command {
        Command::new(std::env::var_os("SEKISHO_BIN").map_or_else(print_program, Into::into))
    }

    fn begin(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).env("SEKISHO_LOG", "error");
        let child = command
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}; build it first with `cargo build --workspace`"));
        Self { child }
    }

    /// Waits until it answers; nothing when it ended before.
    pub async fn address(&mut self) -> Option<SocketAddr> {
        let line = self.said(1).await.pop()?;
        let rest = line.trim_start_matches("http").trim_start_matches('s').strip_prefix("://")?;
        rest.split(' ').next()?.parse().ok()
    }

    /// The first lines that it prints; fewer when it ended before. They can be asked for once.
    pub async fn said(&mut self, lines: usize) -> Vec<String> {
        let Some(out) = self.child.stdout.take() else { return vec![] };
        let read = move || BufReader::new(out).lines().take(lines).map_while(Result::ok).collect();
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    /// SIGKILL: nothing of it runs on.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, as an operator's service manager sends it.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGHUP: it reads its certificate again.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// SIGSTOP: it stands still, with whatever it was doing, until [`Served::wake`].
    pub fn stand_still(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn wake(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
