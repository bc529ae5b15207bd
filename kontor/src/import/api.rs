//! The HTTP client of imports: repeats a command until it is answered, also across restarts. Every
//! command carries an idempotency key, so that is safe.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

/// A running Kontor, and the API key for it.
#[derive(Clone)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    key: String,
}

/// The response of a command.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Done {
    /// The aggregate of the command.
    pub id: Uuid,
    /// The position of its last event.
    pub position: u64,
}

/// A command that was refused with a problem document.
#[derive(Debug, Clone, Deserialize)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// The description.
    #[serde(default)]
    pub detail: Option<String>,
    /// The invalid fields.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

/// An invalid field.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldError {
    /// Its position in the body, as a JSON pointer.
    #[serde(default)]
    pub pointer: Option<String>,
    /// The error.
    pub detail: String,
}

impl Refused {
    /// The reason in one line.
    pub fn reason(&self) -> String {
        let fields: Vec<String> = self
            .errors
            .iter()
            .take(3)
            .map(|error| format!("{} {}", error.pointer.as_deref().unwrap_or(""), error.detail))
            .collect();
        let detail = self.detail.as_deref().unwrap_or_default();
        format!("{}: {detail} {}", self.code, fields.join("; ")).trim().to_owned()
    }
}

impl Api {
    /// The time for which a command without an answer is repeated.
    const PATIENCE: Duration = Duration::from_mins(1);

    /// A client; it connects with the first request.
    pub fn new(url: &str, key: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?,
            url: url.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
        })
    }

    /// The same Kontor with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// Sends a request without an idempotency key, at most once.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let response = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.key)
            .json(body)
            .send()
            .await?
            .error_for_status()?;
        Ok(response.json().await?)
    }

    /// Sends a command with an idempotency key. The outer `Err` means that there was no answer, the
    /// inner one a refusal.
    pub async fn command(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Result<Done, Refused>> {
        self.send(path, key, body).await
    }

    /// The same for a command with another response type.
    pub async fn send<T: DeserializeOwned>(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Result<T, Refused>> {
        let request = || {
            self.client
                .request(Method::POST, format!("{}{path}", self.url))
                .header("Idempotency-Key", key)
                .json(body)
        };
        self.answered(request).await
    }

    /// Sends a query; `Ok(None)` if the resource does not exist.
    pub async fn query<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        let request = || self.client.request(Method::GET, format!("{}{path}", self.url));
        match self.answered(request).await? {
            Ok(answer) => Ok(Some(answer)),
            Err(refused) if refused.code == "not_found" => Ok(None),
            Err(refused) => anyhow::bail!("{path}: {}", refused.reason()),
        }
    }

    async fn answered<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> anyhow::Result<Result<T, Refused>> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let failure = match request().bearer_auth(&self.key).send().await {
                Ok(response) => match understood(response).await? {
                    Answer::Final(answer) => return Ok(answer),
                    Answer::Again(refused) => anyhow::anyhow!("{}", refused.reason()),
                },
                Err(error) => error.into(),
            };
            if started.elapsed() > Self::PATIENCE {
                return Err(failure.context("Kontor did not answer; run the same command again"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

enum Answer<T> {
    Final(Result<T, Refused>),
    Again(Refused),
}

async fn understood<T: DeserializeOwned>(response: reqwest::Response) -> anyhow::Result<Answer<T>> {
    let status = response.status();
    if status.is_success() {
        return Ok(Answer::Final(Ok(response.json().await?)));
    }
    let refused: Refused = response
        .json()
        .await
        .map_err(|error| anyhow::anyhow!("{status} without a problem document: {error}"))?;
    // A conflict, overload or start is not a final answer.
    let again = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::CONFLICT && refused.code == "conflict");
    if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
        anyhow::bail!("the API key may not do this: {}", refused.reason());
    }
    Ok(if again { Answer::Again(refused) } else { Answer::Final(Err(refused)) })
}
