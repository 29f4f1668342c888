//! Rendering in a process of its own, with limits on time, memory, files and output.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::FormError;
use crate::render::{INPUT_BYTES, render};

/// The hidden subcommand of the program that calls [`child_main`].
pub const SUBCOMMAND: &str = "render-form";

/// Bytes of a request: JSON may write one byte as six (`\u0001`), and the data is in it beside the templates.
const REQUEST_BYTES: usize = 6 * INPUT_BYTES;
/// How a PDF begins; what begins otherwise is an error as JSON.
const PDF_HEADER: &[u8] = b"%PDF-";
/// Lowers its own limits, which cannot be raised again, then becomes the program: no unsafe code, no helper program.
/// No core files, no file written, few files open.
const LIMITED: &str =
    r#"ulimit -v "$1" && ulimit -t "$2" && ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && exec "$0" "$3""#;
/// How long a child that has closed its output may take to end.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_STEP: Duration = Duration::from_millis(5);

/// What one rendering may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time on the wall from start to the last byte.
    pub wall: Duration,
    /// Processor seconds, over all threads.
    pub cpu_seconds: u64,
    /// Address space in MiB; the program and its fonts count too.
    pub memory_mib: u64,
    /// Bytes of the PDF.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A template that never ends is stopped by the processor seconds; a busy machine is no reason to refuse.
            wall: Duration::from_secs(60),
            cpu_seconds: 20,
            memory_mib: 1_024,
            output_bytes: 32 * 1024 * 1024,
        }
    }
}

/// What the child reads from its standard input, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderRequest {
    /// Typst sources by file stem.
    pub templates: BTreeMap<String, String>,
    /// Stem of the template to typeset.
    pub main: String,
    /// The facts.
    pub data: Value,
}

/// What became of the child's output.
enum Output {
    Whole(Vec<u8>),
    TooBig,
    Broken(io::Error),
}

/// As [`render`], in a child process: `exe` (the absolute path of this program) is run with [`SUBCOMMAND`], an empty
/// environment and `limits`, and is killed when the time is up. Blocks: call it off the async threads, and bound how
/// many run at once.
///
/// # Errors
/// Those of [`render`], and [`FormError::Time`], [`FormError::Resources`], [`FormError::Output`],
/// [`FormError::Child`].
pub fn render_limited(exe: &Path, request: &RenderRequest, limits: &Limits) -> Result<Vec<u8>, FormError> {
    let input = serde_json::to_vec(request).map_err(|e| FormError::Request { detail: e.to_string() })?;
    if input.len() > REQUEST_BYTES {
        return Err(FormError::TooLarge { bytes: input.len(), limit: REQUEST_BYTES });
    }
    let mut child = spawn(exe, limits).map_err(|e| broken(&e))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(FormError::Child { detail: "パイプがありません".to_owned() });
    };
    // Both ends move at once: a child that writes before it has read everything must not deadlock the parent. The
    // threads end when the child does, for then its pipes are closed.
    thread::spawn(move || stdin.write_all(&input));
    let (send, receive) = mpsc::channel();
    let cap = limits.output_bytes;
    thread::spawn(move || send.send(read_output(stdout, cap)));

    let output = receive.recv_timeout(limits.wall);
    let status = end(&mut child, output.is_err()).map_err(|e| broken(&e))?;
    let name = || request.main.clone();
    match output {
        Err(_) => Err(FormError::Time { name: name(), seconds: limits.wall.as_secs() }),
        Ok(Output::TooBig) => Err(FormError::Output { name: name(), limit: limits.output_bytes }),
        Ok(Output::Broken(e)) => Err(broken(&e)),
        Ok(Output::Whole(bytes)) if status.success() && bytes.starts_with(PDF_HEADER) => Ok(bytes),
        Ok(Output::Whole(bytes)) => Err(explain(&bytes, status, name(), limits)),
    }
}

/// The subcommand: reads a [`RenderRequest`] and writes the PDF, or the error as JSON. The caller ends the process
/// with a failure when this fails, and writes nothing else to `stdout`.
///
/// # Errors
/// Those of [`render`]; [`FormError::Request`] when the input is no request.
pub fn child_main(stdin: impl Read, mut stdout: impl Write) -> Result<(), FormError> {
    let result = read_request(stdin).and_then(|r| render(&r.templates, &r.main, &r.data));
    let bytes = match &result {
        Ok(pdf) => pdf.clone(),
        Err(e) => serde_json::to_vec(e).map_err(|e| FormError::Child { detail: e.to_string() })?,
    };
    stdout.write_all(&bytes).and_then(|()| stdout.flush()).map_err(|e| broken(&e))?;
    result.map(|_| ())
}

fn read_request(stdin: impl Read) -> Result<RenderRequest, FormError> {
    let mut text = Vec::new();
    let cap = u64::try_from(REQUEST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    stdin.take(cap).read_to_end(&mut text).map_err(|e| broken(&e))?;
    if text.len() > REQUEST_BYTES {
        return Err(FormError::TooLarge { bytes: text.len(), limit: REQUEST_BYTES });
    }
    serde_json::from_slice(&text).map_err(|e| FormError::Request { detail: e.to_string() })
}

fn spawn(exe: &Path, limits: &Limits) -> io::Result<Child> {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(LIMITED)
        .arg(exe)
        .arg(limits.memory_mib.saturating_mul(1_024).to_string())
        .arg(limits.cpu_seconds.to_string())
        .arg(SUBCOMMAND)
        .env_clear()
        // One thread: each further one reserves address space, which is limited, and a form of a few pages gains nothing.
        .env("RAYON_NUM_THREADS", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

fn read_output(stdout: impl Read, cap: usize) -> Output {
    let mut bytes = Vec::new();
    let take = u64::try_from(cap).unwrap_or(u64::MAX).saturating_add(1);
    match stdout.take(take).read_to_end(&mut bytes) {
        Err(e) => Output::Broken(e),
        Ok(_) if bytes.len() > cap => Output::TooBig,
        Ok(_) => Output::Whole(bytes),
    }
}

/// Waits for the child's end, which is near once its output has ended, and kills it when it is not, or at once.
fn end(child: &mut Child, at_once: bool) -> io::Result<ExitStatus> {
    let mut waited = if at_once { LINGER } else { Duration::ZERO };
    while waited < LINGER {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        thread::sleep(LINGER_STEP);
        waited += LINGER_STEP;
    }
    child.kill()?;
    child.wait()
}

/// Why the child ended without a PDF.
fn explain(output: &[u8], status: ExitStatus, name: String, limits: &Limits) -> FormError {
    if let Ok(error) = serde_json::from_slice(output) {
        return error;
    }
    match status.signal() {
        Some(_) => FormError::Resources { name, memory_mib: limits.memory_mib },
        None => FormError::Child { detail: status.to_string() },
    }
}

fn broken(error: &io::Error) -> FormError {
    FormError::Child { detail: error.to_string() }
}
