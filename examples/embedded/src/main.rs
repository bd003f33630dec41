//! Opens the server in this process and listens. Try it:
//!
//! ```sh
//! cargo run -p counterfoil-example-embedded
//! curl 127.0.0.1:8080/v1/accounts -H 'Content-Type: application/json' \
//!   -d '{"email":"me@example.com","password":"correct horse battery staple","sign_in":{}}'
//! curl 127.0.0.1:8080/hello -H 'Authorization: Bearer …'   # the access_token of the answer before
//! ```

use counterfoil::{Config, Counterfoil, ServeOptions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Every option has a safe default; the data folder is made when it is missing. Tests and your own settings change
    // fields of this struct, or read a file with `counterfoil::config::load`.
    let config = Config::default();
    let listener = TcpListener::bind(config.listen).await?;
    let base_url = format!("http://{}", listener.local_addr()?);

    // Keys are opened and revocations loaded before this returns: the first request is already judged rightly. Keep the
    // value as long as you serve; dropping it lets go of the data folder.
    let counterfoil = Counterfoil::open(&config, &base_url).await?;

    println!("listening on {base_url}, data in {}", counterfoil.data_path().display());
    let stop = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("no Ctrl-C here: {error}");
        }
    };
    // `axum::serve` works too. This one bounds what a stranger can hold open: connections, headers, time.
    counterfoil::serve(listener, counterfoil_example_embedded::app(&counterfoil), ServeOptions::default(), stop)
        .await?;
    Ok(())
}
