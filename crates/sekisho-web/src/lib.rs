//! Pages and routes.
