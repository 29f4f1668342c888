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
        let program = std::env::var_os("SEKISHO_BIN").map_or_else(print_program, Into::into);
        let mut command = Command::new(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        command.arg("--key").arg(folder.join("city.key"));
        command.args(database.map(|url| format!("--database={url}")));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).env("SEKISHO_LOG", "error");
        let child = command.spawn().unwrap_or_else(|e| {
            panic!("{}: {e}; build it first with `cargo build --workspace`", program.display())
        });
        Self { child }
    }

    /// Waits until it answers; nothing when it ended before.
    pub async fn address(&mut self) -> Option<SocketAddr> {
        let out = self.child.stdout.take()?;
        let read = move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).ok()?;
            line.strip_prefix("http://")?.split(' ').next()?.parse().ok()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    /// SIGKILL: nothing of it runs on.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
