//! Connecting to NATS by URL.

use async_nats::{Client, ConnectOptions, ServerAddr};

/// Connects with the user and password of the URL, which async-nats (0.51) does not use by itself.
pub async fn connect(url: &str) -> Result<Client, async_nats::ConnectError> {
    options(url).connect(url).await
}

/// The same, but returns at once and connects in the background: commands never wait for NATS.
pub async fn connect_lazily(url: &str) -> Result<Client, async_nats::ConnectError> {
    options(url).retry_on_initial_connect().connect(url).await
}

/// Options with the URL's credentials.
pub fn options(url: &str) -> ConnectOptions {
    match url.parse::<ServerAddr>() {
        Ok(address) if address.has_user_pass() => {
            let user = address.username().unwrap_or_default().to_owned();
            let password = address.password().unwrap_or_default().to_owned();
            ConnectOptions::with_user_and_password(user, password)
        }
        _ => ConnectOptions::new(),
    }
}
