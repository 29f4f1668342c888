//! A browser without a screen: one cookie, one router or server, forms found on the page as it came.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tower::ServiceExt as _;

use crate::city::{City, PASSWORD};

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Page {
    /// Where it leads to.
    pub fn location(&self) -> String {
        self.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// The form that has a button, as it stands on the page; empty when there is none.
    pub fn form(&self, button: &str) -> &str {
        let wanted = format!("name=\"do\" value=\"{button}\"");
        let forms = self.text.split("<form ").skip(1).map(|f| f.split("</form>").next().unwrap());
        forms.into_iter().find(|f| f.contains(&wanted)).unwrap_or_default()
    }

    /// Whether a button is offered.
    pub fn offers(&self, button: &str) -> bool {
        !self.form(button).is_empty()
    }

    /// Ids that stand twice: labels and messages would find the wrong field.
    pub fn doubled_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> =
            self.text.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        ids.sort_unstable();
        ids.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect()
    }

    /// Value of the first hidden field with a name.
    pub fn hidden(&self, name: &str) -> String {
        hidden(&self.text, name)
    }
}

/// Value of the first hidden field with a name in a piece of a page.
pub fn hidden(html: &str, name: &str) -> String {
    let after = html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

/// A body that comes piece by piece, with a pause before each, as a network brings it.
struct Pieces {
    left: VecDeque<Bytes>,
    paused: bool,
}

impl Pieces {
    fn of(body: &[u8]) -> Self {
        Self { left: body.chunks(64 * 1024).map(Bytes::copy_from_slice).collect(), paused: false }
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.paused = !self.paused;
        if self.paused {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// What answers.
#[derive(Clone)]
enum Other {
    Router(Router),
    Server(SocketAddr),
}

/// A browser without a screen: one cookie, one router or server.
#[derive(Clone)]
pub struct Browser {
    other: Other,
    host: String,
    pub cookie: String,
    pub csrf: String,
}

impl Browser {
    pub fn new(city: &City) -> Self {
        Self {
            other: Other::Router(city.router.clone()),
            host: "city.test".to_owned(),
            cookie: String::new(),
            csrf: String::new(),
        }
    }

    /// From now on asks a router by another host name.
    pub fn go_to_router(&mut self, router: Router, host: &str) {
        (self.other, self.host) = (Other::Router(router), host.to_owned());
    }

    /// From now on names another host, wherever it asks.
    pub fn call(&mut self, host: &str) {
        self.host = host.to_owned();
    }

    fn own(&self) -> String {
        format!("http://{}", self.host)
    }

    /// From now on asks a server that runs by itself.
    pub fn go_to(&mut self, address: SocketAddr) {
        self.other = Other::Server(address);
    }

    pub async fn send(&self, request: Request<Body>) -> Page {
        self.try_send(request).await.unwrap()
    }

    /// The whole answer, or nothing when the server went away before it was through.
    async fn try_send(&self, request: Request<Body>) -> Option<Page> {
        let (parts, body) = match &self.other {
            Other::Router(router) => router.clone().oneshot(request).await.unwrap().into_parts(),
            Other::Server(address) => {
                let stream = tokio::net::TcpStream::connect(address).await.ok()?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
                let running = tokio::spawn(connection);
                let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
                drop(running);
                (parts, Body::new(body))
            }
        };
        let bytes = axum::body::to_bytes(body, 64 << 20).await.ok()?.to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Page { status: parts.status, headers: parts.headers, bytes, text })
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.try_get(path).await.unwrap()
    }

    /// The page, or nothing when the server went away.
    pub async fn try_get(&mut self, path: &str) -> Option<Page> {
        let request = Request::get(path)
            .header(header::HOST, &self.host)
            .header(header::COOKIE, &self.cookie)
            .body(Body::empty())
            .unwrap();
        let page = self.try_send(request).await?;
        assert_eq!(page.doubled_ids(), Vec::<&str>::new(), "ids on {path}");
        let csrf = page.hidden("csrf");
        if !csrf.is_empty() {
            self.csrf = csrf;
        }
        Some(page)
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.try_post(path, fields).await.unwrap()
    }

    /// Sends a form as a browser does from the page it is on.
    pub async fn post_from(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let all = [&[("csrf", self.csrf.as_str())][..], fields].concat();
        let mut request = self.form(path, &encode(&all), &self.own());
        let from = format!("{}{page}", self.own()).parse().unwrap();
        request.headers_mut().insert(header::REFERER, from);
        self.send(request).await
    }

    /// The answer, or nothing when the server went away: then the act may have happened or not.
    pub async fn try_post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend_from_slice(fields);
        self.try_send(self.form(path, &encode(&all), &self.own())).await
    }

    /// Sends JSON as a program does, with the session's token in its header.
    pub async fn send_json(&self, method: &str, path: &str, body: &serde_json::Value) -> Page {
        self.send_bytes(method, path, body.to_string().into_bytes(), &self.csrf).await
    }

    /// Sends bytes with a token.
    pub async fn send_bytes(&self, method: &str, path: &str, body: Vec<u8>, csrf: &str) -> Page {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::COOKIE, &self.cookie)
            .header("x-csrf-token", csrf);
        self.send(request.body(Body::new(Pieces::of(&body))).unwrap()).await
    }

    pub async fn post_raw(&self, path: &str, body: &str, origin: &str) -> Page {
        self.send(self.form(path, body, origin)).await
    }

    fn form(&self, path: &str, body: &str, origin: &str) -> Request<Body> {
        let mut request = Request::post(path)
            .header(header::HOST, &self.host)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !origin.is_empty() {
            request = request.header(header::ORIGIN, origin);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    /// Sends a file as a browser does.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Page {
        let boundary = "----sekisho-test-boundary";
        let mut body = Vec::new();
        for (k, v) in [("csrf", self.csrf.as_str())].iter().chain(fields) {
            body.extend_from_slice(
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n")
                    .as_bytes(),
            );
        }
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let request = Request::post(path)
            .header(header::HOST, &self.host)
            .header(header::ORIGIN, self.own())
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
        self.send(request.body(Body::new(Pieces::of(&body))).unwrap()).await
    }

    pub async fn enter(&mut self, login: &str, password: &str) -> Page {
        let page = self
            .post_raw(
                "/login",
                &encode(&[("login", login), ("password", password), ("next", "/")]),
                &self.own(),
            )
            .await;
        if let Some(cookie) = page.headers.get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.get(if page.location() == "/password" { "/password" } else { "/" }).await;
        }
        page
    }

    /// Changes a temporary password to [`PASSWORD`].
    pub async fn own_password(&mut self, old: &str) {
        let page = self.post("/password", &[("old", old), ("new", PASSWORD), ("again", PASSWORD)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        self.cookie = page
            .headers
            .get(header::SET_COOKIE)
            .unwrap()
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        self.get("/").await;
    }
}

pub fn encode(fields: &[(&str, &str)]) -> String {
    let digit = |d: u8| char::from(b"0123456789ABCDEF"[usize::from(d)]);
    let escape = |s: &str| {
        let mut out = String::new();
        for b in s.bytes() {
            if b.is_ascii_alphanumeric() {
                out.push(char::from(b));
            } else {
                out.extend(['%', digit(b >> 4), digit(b & 15)]);
            }
        }
        out
    };
    fields.iter().map(|(k, v)| format!("{}={}", escape(k), escape(v))).collect::<Vec<_>>().join("&")
}
