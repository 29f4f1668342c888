//! The HTTP client: one request a connection, HTTP/1.1, an answer within a limit, no redirection followed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::response::Parts;
use axum::http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Uri;
use hyper_util::rt::TokioIo;
use sekisho_app::oidc::{Fetched, Fetcher, Wanted};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one exchange with an identity provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of its answers, at most.
const MAX_ANSWER: usize = 256 * 1024;

/// Sends a request on a connection and reads the answer.
pub(crate) async fn answer_of<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    most: usize,
) -> Result<(Parts, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let asked = async {
        let (parts, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
        let body = Limited::new(body, most).collect().await.map_err(|e| e.to_string())?;
        Ok((parts, body.to_bytes().to_vec()))
    };
    // The connection is driven only as long as its one answer is awaited.
    tokio::select! {
        biased;
        answer = asked => answer,
        ended = connection => Err(match ended {
            Ok(()) => "答える前に切断されました".to_owned(),
            Err(e) => e.to_string(),
        }),
    }
}

/// Host, as it is connected to, and the port that an address names or its scheme implies.
pub(crate) fn host_and_port(uri: &Uri) -> Option<(&str, u16)> {
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host, uri.port_u16().unwrap_or(usual)))
}

/// Talks with an identity provider, over TLS where its address says so.
pub struct HttpFetcher {
    tls: TlsConnector,
}

impl HttpFetcher {
    /// Trusts the authorities of a file (PEM), or without one those that the operating system trusts.
    ///
    /// # Errors
    /// The file cannot be read as certificates, in Japanese.
    pub fn new(authorities: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    roots.add(certificate.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
                }
                if roots.is_empty() {
                    return Err("証明書がありません".to_owned());
                }
            }
            // What it cannot read there, nobody is vouched for by.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn exchange(&self, wanted: Wanted) -> Fetched {
        let uri: Uri = wanted.url.parse().map_err(|e: axum::http::uri::InvalidUri| e.to_string())?;
        let (host, port) = host_and_port(&uri).ok_or("アドレスにホスト名がありません")?;
        let authority = uri.authority().map_or_else(String::new, ToString::to_string);
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let request = match wanted.form {
            Some(_) => Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
            None => Request::get(path),
        };
        let request = request.header(header::HOST, authority).header(header::ACCEPT, "application/json");
        let request = wanted.authorization.iter().fold(request, |r, a| r.header(header::AUTHORIZATION, a));
        let body = Full::new(Bytes::from(wanted.form.unwrap_or_default()));
        let request = request.body(body).map_err(|e| e.to_string())?;
        let stream = TcpStream::connect((host, port)).await.map_err(|e| e.to_string())?;
        let (parts, body) = if uri.scheme_str() == Some("https") {
            let name = ServerName::try_from(host.to_owned()).map_err(|e| e.to_string())?;
            let stream = self.tls.connect(name, stream).await.map_err(|e| e.to_string())?;
            answer_of(stream, request, MAX_ANSWER).await?
        } else {
            answer_of(stream, request, MAX_ANSWER).await?
        };
        Ok((parts.status.as_u16(), body))
    }
}

impl Fetcher for HttpFetcher {
    fn fetch(&self, wanted: Wanted) -> Pin<Box<dyn Future<Output = Fetched> + Send + '_>> {
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, self.exchange(wanted)).await {
                Ok(done) => done,
                Err(_) => Err(format!("{}秒待っても答えがありません", PATIENCE.as_secs())),
            }
        })
    }
}
