//! TLS served by the program itself: one certificate, or one for each body by the host that a client names, read again when the operator says
//! so, without a connection lost. Where cards are used, browsers are asked for a certificate too (`cards.rs`).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{Acceptor, NoServerSessionStorage, ResolvesServerCertUsingSni};
use tokio_rustls::rustls::{ConfigBuilder, Error, ServerConfig, WantsVerifier};
use tokio_rustls::server::TlsStream;

use crate::cards::Cards;
use crate::guard::Shown;

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
    #[error("{} の証明書とその鍵を使えません: {says}", certificate.display())]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// What went wrong.
        says: String,
    },
    /// Authorities or revocation lists are of a kind that is not supported.
    #[error("認証局の証明書または失効リストを使えません: {0}")]
    Refused(String),
}

/// A certificate chain and its key, as files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate and those between it and its authority, PEM.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// What is served under the hosts of one body.
pub struct ForHosts {
    /// Host names in lower case.
    pub hosts: Vec<String>,
    /// Its certificate.
    pub pair: Pair,
    /// Cards by which people come in to it.
    pub cards: Option<Arc<Cards>>,
}

/// One certificate at work, and what is asked of clients under it.
struct Served {
    pair: Pair,
    cards: Option<Arc<Cards>>,
    /// None as long as its files could never be read.
    current: RwLock<Option<Arc<ServerConfig>>>,
}

impl Served {
    fn open(pair: Pair, cards: Option<Arc<Cards>>) -> Result<Arc<Self>, TlsError> {
        let served = Self::unread(pair, cards);
        served.reload()?;
        Ok(served)
    }

    fn unread(pair: Pair, cards: Option<Arc<Cards>>) -> Arc<Self> {
        Arc::new(Self { pair, cards, current: RwLock::default() })
    }

    fn reload(&self) -> Result<(), TlsError> {
        let new = Arc::new(read(&self.pair, self.cards.as_deref())?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(new);
        Ok(())
    }

    fn config(&self) -> Option<Arc<ServerConfig>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Certificates by the host that a client names (SNI, RFC 6066, section 3), and the one for whoever names no host or another.
pub struct Tls {
    usual: Option<Arc<Served>>,
    by_host: HashMap<String, Arc<Served>>,
    /// Each once.
    all: Vec<Arc<Served>>,
    /// Ends the agreement with an alert: there is no certificate.
    nobody: Arc<ServerConfig>,
}

impl Tls {
    /// One certificate for whatever clients name. With cards, browsers are asked for theirs.
    ///
    /// # Errors
    /// It cannot be read, or does not belong to its key.
    pub fn open(pair: Pair, cards: Option<Arc<Cards>>) -> Result<Arc<Self>, TlsError> {
        let usual = Served::open(pair, cards)?;
        let (all, nobody) = (vec![Arc::clone(&usual)], nobody()?);
        Ok(Arc::new(Self { usual: Some(usual), by_host: HashMap::new(), all, nobody }))
    }

    /// One for each body, and the usual one for every other name and for none. A body's that cannot be read is logged and waits for
    /// [`Tls::reload`]: the other bodies do not wait for it, and nobody is shown another's in its place.
    ///
    /// # Errors
    /// The usual one cannot be read, or does not belong to its key.
    pub fn by_host(usual: Option<Pair>, bodies: Vec<ForHosts>) -> Result<Arc<Self>, TlsError> {
        let usual = usual.map(|pair| Served::open(pair, None)).transpose()?;
        let mut all: Vec<_> = usual.iter().cloned().collect();
        let mut by_host = HashMap::new();
        for ForHosts { hosts, pair, cards } in bodies {
            if cards.is_none() && usual.as_ref().is_some_and(|u| u.pair == pair) {
                continue;
            }
            let served = Served::unread(pair, cards);
            if let Err(e) = served.reload() {
                tracing::error!(hosts = hosts.join(","), error = %e, "no client agrees on keys under these hosts");
            }
            by_host.extend(hosts.into_iter().map(|h| (h, Arc::clone(&served))));
            all.push(served);
        }
        Ok(Arc::new(Self { usual, by_host, all, nobody: nobody()? }))
    }

    /// Reads the files again, each for itself, for connections that come from now on. Answers what could not be read: there the former
    /// certificate stays in use.
    pub fn reload(&self) -> Vec<TlsError> {
        self.all.iter().filter_map(|served| served.reload().err()).collect()
    }

    /// What a connection is agreed on with whoever names this host, or none.
    fn config(&self, host: Option<&str>) -> Arc<ServerConfig> {
        let named = host.and_then(|h| self.by_host.get(&h.to_ascii_lowercase()));
        let served = named.or(self.usual.as_ref());
        served.and_then(|s| s.config()).unwrap_or_else(|| Arc::clone(&self.nobody))
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, Error> {
    ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()
}

/// Has a certificate for no name.
fn nobody() -> Result<Arc<ServerConfig>, TlsError> {
    let builder = builder().map_err(|e| TlsError::Refused(e.to_string()))?;
    let none = Arc::new(ResolvesServerCertUsingSni::new());
    Ok(Arc::new(builder.with_no_client_auth().with_cert_resolver(none)))
}

fn read(pair: &Pair, cards: Option<&Cards>) -> Result<ServerConfig, TlsError> {
    let file = |file: &PathBuf, e: &dyn std::fmt::Display| TlsError::File {
        file: file.clone(),
        says: e.to_string(),
    };
    let Pair { certificate, key } = pair;
    let refused = |e: Error| TlsError::Pair { certificate: certificate.clone(), says: e.to_string() };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .map_err(|e| file(certificate, &e))?
        .collect::<Result<_, _>>()
        .map_err(|e| file(certificate, &e))?;
    if chain.is_empty() {
        return Err(file(certificate, &"証明書がありません"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| file(key, &e))?;
    let builder = builder().map_err(refused)?;
    let builder = match cards.and_then(Cards::asks) {
        Some(asks) => builder.with_client_cert_verifier(asks),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, secret).map_err(refused)?;
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
    /// What the client showed, of which nothing is believed yet.
    pub(crate) shown: Option<Shown>,
}

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: *stream.remote_addr(), shown: None }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let agreed = stream.io().get_ref().1;
        let shown = agreed.peer_certificates().map(|chain| Shown {
            chain: Arc::new(chain.to_vec()),
            host: agreed.server_name().map(|h| h.to_ascii_lowercase().into()),
        });
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
        let (tls, tell) = (Arc::clone(&tls), tell.clone());
        tokio::spawn(async move {
            let agree = async {
                let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
                let config = tls.config(begun.client_hello().server_name());
                begun.into_stream(config).await
            };
            let done = tokio::time::timeout(PATIENCE, agree).await;
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
