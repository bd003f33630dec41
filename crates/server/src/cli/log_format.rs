//! Log lines that name the request they belong to.

use crate::http::request_context::RequestContext;
use std::fmt::{self, Write};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

/// Formats a line as `F` does, and puts the request's id, method and route at its end.
pub(super) struct NamingRequest<F> {
    inner: F,
    /// What ends a line, before which the request goes.
    end: &'static str,
    append: fn(&mut String, &RequestContext) -> fmt::Result,
}

impl NamingRequest<Format<Full>> {
    /// `… request_id=0123456789abcdef method=GET route=/v1/account`.
    pub(super) const fn in_text(inner: Format<Full>) -> Self {
        let append = |line: &mut String, request: &RequestContext| {
            write!(line, " request_id={} method={} route={}", request.id, request.method, request.route())
        };
        Self { inner, end: "\n", append }
    }
}

impl NamingRequest<Format<Json>> {
    /// `…,"request_id":"0123456789abcdef","method":"GET","route":"/v1/account"}`.
    pub(super) const fn in_json(inner: Format<Json>) -> Self {
        // A method is a token (RFC 9110 §9.1) and a route one of our own: neither has anything to escape.
        let append = |line: &mut String, request: &RequestContext| {
            let (id, method, route) = (request.id, &request.method, request.route());
            write!(line, r#","request_id":"{id}","method":"{method}","route":"{route}""#)
        };
        Self { inner, end: "}\n", append }
    }
}

impl<F, S, N> FormatEvent<S, N> for NamingRequest<F>
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        if let Some(without_end) = line.strip_suffix(self.end).map(str::len) {
            let named = RequestContext::with_current(|request| {
                line.truncate(without_end);
                (self.append)(&mut line, request)?;
                line.write_str(self.end)
            });
            named.unwrap_or(Ok(()))?;
        }
        writer.write_str(&line)
    }
}
