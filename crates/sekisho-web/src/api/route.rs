//! One path of the interface: what answers it, and what the document says about it.

use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use sekisho_app::tokens::Scope;

use crate::Web;

/// Before every path.
pub(crate) const BASE: &str = "/api/v1";

/// Makes a type's schema, and puts what it needs among the components.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What comes back when all is well.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// JSON.
    Json(SchemaOf),
    /// Text of a type.
    Text(&'static str),
    /// Nothing: 204.
    Nothing,
}

/// What is sent along.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// JSON.
    Json(SchemaOf),
    /// A file's bytes.
    Bytes,
}

/// One path and method.
pub(crate) struct Route {
    /// Below [`BASE`], with `{name}` for parts that vary.
    pub path: &'static str,
    /// `get`, `post` or `put`.
    pub method: &'static str,
    /// What it does, in Japanese.
    pub summary: &'static str,
    /// Heading under which it stands.
    pub tag: &'static str,
    /// Names of the query with what they mean.
    pub query: Vec<(&'static str, &'static str)>,
    /// What is sent along.
    pub body: Option<Body>,
    /// What comes back.
    pub answer: Answer,
    /// What a token must be made for; nothing when only a person with a session may.
    pub scope: Option<Scope>,
    pub(super) handler: MethodRouter<Web>,
}

impl Route {
    fn new(
        method: &'static str,
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        answer: Answer,
        handler: MethodRouter<Web>,
    ) -> Self {
        let scope = (method == "get").then_some(Scope::Read);
        Self { path, method, summary, tag, query: vec![], body: None, answer, scope, handler }
    }

    /// A read that answers with a `T`.
    pub(super) fn read<T: JsonSchema>(
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        Self::new("get", tag, path, summary, Answer::Json(SchemaGenerator::subschema_for::<T>), handler)
    }

    /// A read that answers with text.
    pub(super) fn text(
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        mime: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        Self::new("get", tag, path, summary, Answer::Text(mime), handler)
    }

    /// A write that takes a `B` and answers with a `T`.
    pub(super) fn write<B: JsonSchema, T: JsonSchema>(
        method: &'static str,
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        let answer = Answer::Json(SchemaGenerator::subschema_for::<T>);
        let body = Some(Body::Json(SchemaGenerator::subschema_for::<B>));
        Self { body, ..Self::new(method, tag, path, summary, answer, handler) }
    }

    /// A write that takes nothing and answers with nothing.
    pub(super) fn press(
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        Self::new("post", tag, path, summary, Answer::Nothing, handler)
    }

    /// A write that takes a file's bytes and answers with a `T`.
    pub(super) fn file<T: JsonSchema>(
        tag: &'static str,
        path: &'static str,
        summary: &'static str,
        handler: MethodRouter<Web>,
    ) -> Self {
        let answer = Answer::Json(SchemaGenerator::subschema_for::<T>);
        Self { body: Some(Body::Bytes), ..Self::new("post", tag, path, summary, answer, handler) }
    }

    /// With names of the query.
    pub(super) fn asks(mut self, query: &[(&'static str, &'static str)]) -> Self {
        self.query.extend_from_slice(query);
        self
    }

    /// With another scope than that of its kind: reads are for tokens that read, writes for sessions only.
    pub(super) fn for_token(mut self, scope: Option<Scope>) -> Self {
        self.scope = scope;
        self
    }

    /// The whole path.
    pub(crate) fn full_path(&self) -> String {
        format!("{BASE}{}", self.path)
    }

    /// The names in the path.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'))
    }
}
