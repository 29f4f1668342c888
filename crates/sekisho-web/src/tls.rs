//! TLS served by the program itself: one certificate, read again when the operator says so, without a connection lost. Where cards are used,
//! browsers are asked for a certificate too (`cards.rs`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::server::TlsStream;

use crate::cards::Cards;

/// How long a client may take to agree on keys.
const PATIENCE: Duration = Duration::from_secs(10);
/// Clients that may be at it at the same time.
const AT_ONCE: usize = 256;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or holds something else.
    #[error("{} を証明書または鍵（PEM）として読めません: {says}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        says: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("証明書と鍵を使えません: {0}")]
    Refused(String),
}

/// A certificate chain and its key, from files.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    cards: Option<Arc<Cards>>,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads certificate chain and key. With cards, browsers are asked for theirs.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub fn open(
        certificate: PathBuf,
        key: PathBuf,
        cards: Option<Arc<Cards>>,
    ) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(Arc::new(read(&certificate, &key, cards.as_deref())?));
        Ok(Arc::new(Self { certificate, key, cards, current }))
    }

    /// Reads the files again, for connections that come from now on.
    ///
    /// # Errors
    /// As [`Tls::open`]; then the former certificate stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = Arc::new(read(&self.certificate, &self.key, self.cards.as_deref())?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

fn read(certificate: &PathBuf, key: &PathBuf, cards: Option<&Cards>) -> Result<ServerConfig, TlsError> {
    let file = |file: &PathBuf, e: &dyn std::fmt::Display| TlsError::File {
        file: file.clone(),
        says: e.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(|e| file(certificate, &e))?
        .collect::<Result<_, _>>()
        .map_err(|e| file(certificate, &e))?;
    if chain.is_empty() {
        return Err(file(certificate, &"証明書がありません"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| file(key, &e))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError::Refused(e.to_string()))?;
    let builder = match cards {
        Some(cards) => builder.with_client_cert_verifier(cards.asks()),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, secret).map_err(|e| TlsError::Refused(e.to_string()))?;
    if cards.is_some() {
        // A connection that is taken up again would bring a card along that is no longer in its reader.
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Ok(config)
}

/// Who is at the other end of a connection.
#[derive(Clone)]
pub struct Peer {
    pub(crate) address: SocketAddr,
    /// The certificates that the client showed, of which nothing is believed yet.
    pub(crate) shown: Option<Arc<Vec<CertificateDer<'static>>>>,
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: *stream.remote_addr(), shown: None }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let shown = stream.io().get_ref().1.peer_certificates().map(|chain| Arc::new(chain.to_vec()));
        Self { address: *stream.remote_addr(), shown }
    }
}

/// Accepts connections and agrees on keys with many clients at once, so that a slow one holds nobody up.
pub struct TlsListener {
    agreed: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl TlsListener {
    /// Serves a listener with TLS.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn new(listener: TcpListener, tls: Arc<Tls>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (tell, agreed) = mpsc::channel(16);
        let task = tokio::spawn(accept(listener, tls, tell));
        Ok(Self { agreed, address, task })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        // Nobody new is let in once the server stops.
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    tls: Arc<Tls>,
    tell: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(come) => come,
            Err(e) => {
                // Too many open files, for instance: others may close some.
                tracing::error!(error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (acceptor, tell) = (tls.acceptor(), tell.clone());
        tokio::spawn(async move {
            let done = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
            drop(place);
            match done {
                Ok(Ok(stream)) => {
                    // Told to nobody when the server is stopping.
                    let _ = tell.send((stream, address)).await;
                }
                Ok(Err(e)) => tracing::debug!(error = %e, "a client and the server agreed on no keys"),
                Err(_) => tracing::debug!("a client took too long to agree on keys"),
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.agreed.recv().await {
            Some(come) => come,
            // The task ended, which it does only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}
