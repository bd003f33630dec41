//! `docs/configuration.md`, made from the options themselves so that the two cannot drift apart.

use super::{
    options::{OptionMeaning, sections},
    problem::variable_of,
    settings::default_of,
};
use std::fmt::Write as _;

const BEGINNING: &str = "\
# Configuration

Every option, with its default. No option is needed: `counterfoil serve` runs without a file.

Flags over environment over `counterfoil.toml` over defaults. The file is read from the folder that the program is started
in, or from where `--config FILE` says. In the environment an option begins with `COUNTERFOIL_` and has two underscores
between section and name; a duration is a number with a unit: `15s`, `30m`, `12h`, `14d`.

`counterfoil config show` prints what is in force and where each value came from; `counterfoil config check` refuses what is
unknown or unsafe, naming the line, and exits with status 1.

```toml
listen = \"127.0.0.1:8080\"
public_url = \"https://auth.example.com\"

[refresh]
retry_window = \"20s\" # COUNTERFOIL_REFRESH__RETRY_WINDOW=20s says the same
```
";

const END: &str = "
This page is made from the source (`crates/server/src/config/options.rs`), and a test compares them.
";

/// The page.
pub fn reference_page() -> String {
    let mut page = BEGINNING.to_owned();
    for (name, about, options) in sections() {
        let heading = if name.is_empty() { about.to_owned() } else { format!("`[{name}]`: {}", lower_first(about)) };
        let _ = writeln!(page, "\n## {heading}\n\n| option | default | meaning |\n|---|---|---|");
        for OptionMeaning { name, meaning } in options {
            let default = default_of(&name).map_or_else(String::new, |default| format!("`{default}`"));
            let (short, meaning) = (name.rsplit('.').next().unwrap_or(&name), meaning.replace('|', "\\|"));
            let _ = writeln!(page, "| `{short}`<br>`{}` | {default} | {meaning} |", variable_of(&name));
        }
    }
    page.push_str(END);
    page
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
