//! A connection to one server, ready for LDAP: StartTLS or TLS where asked for, and a guard before the
//! library, which reads whatever comes, of any size and depth.

use std::sync::{Arc, OnceLock};

use sekisho_base::Date;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::config::{Checked, Server, Tls};
use super::{LdapFault, ber};

/// The request for StartTLS (RFC 4511, 4.14.1) as message number 1.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// Bytes of the answer to it.
const ANSWER: usize = 4096;

/// Bytes of one message: an entry with the few attributes that are asked for.
const MESSAGE: usize = 1024 * 1024;
/// Elements of one entry, at most on average; each takes memory beyond its bytes.
const ENTRY_ELEMENTS: usize = 100;
/// Elements of what else is said.
const MORE_ELEMENTS: usize = 10_000;

/// A connection whose other end is one of the process's own: what passes is counted in between.
pub(super) struct Wire {
    /// The end that LDAP is spoken at, until it is taken.
    pub near: Option<std::os::unix::net::UnixStream>,
    /// Last day of the server's certificate.
    pub certificate_until: Option<Date>,
    /// Why the server was cut off: it wanted to send more than allowed, or no LDAP.
    pub fault: Arc<OnceLock<LdapFault>>,
    pump: tokio::task::JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

fn away(e: &dyn std::fmt::Display) -> LdapFault {
    LdapFault::Away(sekisho_base::text::shorten(&e.to_string(), 200))
}

/// Connects. The caller bounds the time.
pub(super) async fn connect(c: &Checked, server: &Server) -> Result<Wire, LdapFault> {
    let mut tcp = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(|e| away(&e))?;
    if server.tls == Tls::Start {
        start_tls(&mut tcp).await?;
    }
    let config = c.tls.as_ref().filter(|_| server.tls != Tls::None);
    let Some(config) = config else { return wire(tcp, c, None) };
    let name =
        ServerName::try_from(server.host.clone()).map_err(|e| LdapFault::Certificate(e.to_string()))?;
    let tls = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await.map_err(|e| {
        // What rustls refuses comes as invalid data; everything else is the network's.
        if e.kind() == std::io::ErrorKind::InvalidData {
            LdapFault::Certificate(e.to_string())
        } else {
            away(&e)
        }
    })?;
    let until = tls.get_ref().1.peer_certificates().and_then(|all| ber::not_after(all.first()?));
    wire(tls, c, until)
}

/// Asks for TLS. Exactly the answer is read: whatever stands behind it in the clear meets the handshake and ends it.
async fn start_tls(tcp: &mut TcpStream) -> Result<(), LdapFault> {
    tcp.write_all(START_TLS).await.map_err(|e| away(&e))?;
    let mut answer = vec![];
    loop {
        let byte = tcp.read_u8().await.map_err(|e| away(&e))?;
        answer.push(byte);
        if ber::element(&answer).is_some() {
            break;
        }
        if answer.len() >= ANSWER {
            return Err(LdapFault::Garbled);
        }
    }
    match ber::extended_result(&answer) {
        Some(0) => Ok(()),
        Some(code) => Err(LdapFault::NoTls(code)),
        None => Err(LdapFault::Garbled),
    }
}

fn wire(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    c: &Checked,
    certificate_until: Option<Date>,
) -> Result<Wire, LdapFault> {
    let (near, far) = std::os::unix::net::UnixStream::pair().map_err(|e| away(&e))?;
    far.set_nonblocking(true).map_err(|e| away(&e))?;
    let far = UnixStream::from_std(far).map_err(|e| away(&e))?;
    let fault = Arc::new(OnceLock::new());
    let told = Arc::clone(&fault);
    let limits = (c.max_bytes, c.max_entries.saturating_mul(ENTRY_ELEMENTS).saturating_add(MORE_ELEMENTS));
    let pump = tokio::spawn(async move {
        let (from_server, mut to_server) = tokio::io::split(stream);
        let (mut from_us, to_us) = far.into_split();
        tokio::select! {
            passed = guard(from_server, to_us, limits, &told) => {
                if let Err(e) = passed {
                    tracing::debug!(error = %e, "the directory's side of a connection ended");
                }
            }
            _ = tokio::io::copy(&mut from_us, &mut to_server) => {}
        }
    });
    Ok(Wire { near: Some(near), certificate_until, fault, pump })
}

/// Passes whole messages on, and nothing of one that is none or is more than allowed. Says why before it ends.
async fn guard(
    mut from: impl AsyncRead + Unpin,
    mut to: OwnedWriteHalf,
    (mut bytes, mut elements): (u64, usize),
    told: &OnceLock<LdapFault>,
) -> std::io::Result<()> {
    let mut held = Vec::new();
    while from.read_buf(&mut held).await? > 0 {
        while let Some(size) = ber::size(&held) {
            if size > MESSAGE {
                let is_message = held.first() == Some(&0x30);
                let _ = told.set(if is_message { LdapFault::TooMuch } else { LdapFault::Garbled });
                return Ok(());
            }
            let Some(message) = held.get(..size) else { break };
            let Some(count) = ber::elements(message) else {
                let _ = told.set(LdapFault::Garbled);
                return Ok(());
            };
            bytes = bytes.saturating_sub(u64::try_from(size).unwrap_or(u64::MAX));
            elements = elements.saturating_sub(count);
            if bytes == 0 || elements == 0 {
                let _ = told.set(LdapFault::TooMuch);
                return Ok(());
            }
            to.write_all(message).await?;
            held.drain(..size);
        }
    }
    Ok(())
}
