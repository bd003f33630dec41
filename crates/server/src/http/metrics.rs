//! `GET /metrics`: what is counted, as Prometheus reads it (text exposition format 0.0.4).

use super::{HttpError, api::NO_STORE, requests::RequestCounts, verifier::Verifier};
use crate::app::{App, Figure, FigureKind};
use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, header},
    response::IntoResponse,
};
use counterfoil_wire::Problem;
use std::fmt::Write;

/// What is counted, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", security(("client" = [])), responses(
    (status = 200, content_type = "text/plain; version=0.0.4", description = "Figures in Prometheus' text format"),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`invalid_client`"),
))]
pub(super) async fn metrics(
    State(app): State<App>,
    _: Verifier,
    counts: Option<Extension<RequestCounts>>,
) -> Result<impl IntoResponse, HttpError> {
    let mut figures = app.figures();
    if let Some(Extension(counts)) = counts {
        counts.append_to(&mut figures);
    }
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))];
    Ok((NO_STORE, content_type, exposition(&figures)))
}

/// Figures of one name stand together, with one heading. Names and labels are ours, and need no escaping.
fn exposition(figures: &[Figure]) -> String {
    let mut text = String::new();
    let mut last = "";
    for Figure { name, help, kind, label, value } in figures {
        // Writing to a String cannot fail.
        if last != *name {
            let kind = if *kind == FigureKind::Counter { "counter" } else { "gauge" };
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            last = name;
        }
        let _ = match label {
            Some((label, of)) => writeln!(text, "{name}{{{label}=\"{of}\"}} {value}"),
            None => writeln!(text, "{name} {value}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_heading() {
        let figure = |name, label, value| Figure { name, help: "Help.", kind: FigureKind::Counter, label, value };
        let text = exposition(&[
            figure("a_total", Some(("kind", "x")), 1.0),
            figure("a_total", Some(("kind", "y")), 2.5),
            figure("b_total", None, 1_800_000_000_000.0),
        ]);
        let expected = "# HELP a_total Help.\n# TYPE a_total counter\na_total{kind=\"x\"} 1\na_total{kind=\"y\"} 2.5\n\
            # HELP b_total Help.\n# TYPE b_total counter\nb_total 1800000000000\n";
        assert_eq!(text, expected);
    }
}
