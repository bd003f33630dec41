//! The plot: how many times as long as the bare primitive, on a logarithmic scale, a row for each algorithm.

use crate::{contestants::Operation, report::Comparison};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const ROW: f64 = 34.0;
const LEGEND: f64 = 64.0;

/// Names as the measurements have them, how the legend calls them, and colours that people with any kind of sight can
/// tell apart (Okabe and Ito).
const LIBRARIES: [(&str, &str, &str); 5] = [
    ("counterfoil-jwt", "counterfoil-jwt", "#0072b2"),
    ("jsonwebtoken (aws-lc-rs)", "jsonwebtoken (aws-lc-rs)", "#e69f00"),
    ("jsonwebtoken (RustCrypto)", "jsonwebtoken (RustCrypto)", "#d55e00"),
    ("jwt-simple", "jwt-simple (pure Rust)", "#cc79a7"),
    ("josekit", "josekit (OpenSSL)", "#009e73"),
];

/// An SVG document.
pub fn svg(comparisons: &[Comparison]) -> String {
    let ratios = comparisons.iter().flat_map(|comparison| &comparison.outcomes).map(|outcome| outcome.ratio);
    let most = ratios.fold(2.0, f64::max) * 1.1;
    let x = |ratio: f64| LEFT + (WIDTH - LEFT - RIGHT) * ratio.max(0.9).ln().max(0.0) / most.ln();

    let mut body = String::new();
    legend(&mut body);
    let mut top = LEGEND;
    for operation in [Operation::Verify, Operation::Sign] {
        let rows: Vec<_> = comparisons.iter().filter(|one| one.operation == operation).collect();
        if rows.is_empty() {
            continue;
        }
        let title = match operation {
            Operation::Verify => "verify a token: time ÷ bare aws-lc-rs primitive",
            Operation::Sign => "sign a token: time ÷ bare aws-lc-rs primitive",
        };
        _ = writeln!(body, r#"<text x="{LEFT}" y="{}" class="title">{title}</text>"#, top + 16.0);
        top += 28.0;
        let bottom = top + ROW * f64::from(u16::try_from(rows.len()).unwrap_or(0));
        for tick in ticks(most) {
            let at = x(tick);
            let class = if tick <= 1.0 { "one" } else { "grid" };
            _ = writeln!(body, r#"<line x1="{at:.1}" x2="{at:.1}" y1="{top}" y2="{bottom}" class="{class}"/>"#);
            let below = bottom + 15.0;
            _ = writeln!(body, r#"<text x="{at:.1}" y="{below}" class="tick">{tick}×</text>"#);
        }
        for row in rows {
            let middle = top + ROW / 2.0;
            let label = LEFT - 10.0;
            _ = writeln!(body, r#"<text x="{label}" y="{}" class="row">{}</text>"#, middle + 4.0, row.algorithm);
            let right = WIDTH - RIGHT;
            _ = writeln!(body, r#"<line x1="{LEFT}" x2="{right}" y1="{middle}" y2="{middle}" class="grid"/>"#);
            // Ours last, on top of the others.
            for (name, _, colour) in LIBRARIES.iter().rev() {
                let Some(outcome) = row.outcomes.iter().find(|outcome| outcome.name == *name) else { continue };
                let (at, ratio) = (x(outcome.ratio), outcome.ratio);
                _ = writeln!(
                    body,
                    r#"<circle cx="{at:.1}" cy="{middle}" r="6" fill="{colour}"><title>{name}: {ratio:.2}×</title></circle>"#
                );
            }
            top += ROW;
        }
        top += 34.0;
    }
    let style = "text{font:13px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:14px}\
        .row{text-anchor:end}.tick{text-anchor:middle;font-size:11px;fill:#666}\
        .grid{stroke:#ddd}.one{stroke:#222;stroke-width:1.5}";
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}">
<style>{style}</style>
<rect width="100%" height="100%" fill="white"/>
{body}</svg>
"#
    )
}

fn legend(body: &mut String) {
    for (place, (_, name, colour)) in LIBRARIES.iter().enumerate() {
        let (column, row) = (place % 3, place / 3);
        let column = f64::from(u16::try_from(column).unwrap_or(0));
        let row = f64::from(u16::try_from(row).unwrap_or(0));
        let (x, y) = (LEFT + 6.0 + column * 250.0, 20.0 + row * 20.0);
        _ = writeln!(body, r#"<circle cx="{x}" cy="{y}" r="6" fill="{colour}"/>"#);
        _ = writeln!(body, r#"<text x="{}" y="{}">{name}</text>"#, x + 12.0, y + 4.0);
    }
}

fn ticks(most: f64) -> impl Iterator<Item = f64> {
    [1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0].into_iter().filter(move |tick| *tick <= most)
}
