//! Requests to an instance.

use std::sync::atomic::Ordering;

use serde_json::Value;

use super::Instance;
use crate::contract::Contract;

/// What a request was answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Instance {
    /// Asks for what shows at least what this instance has answered before.
    pub(crate) async fn get(&self, role: &str, path: &str) -> Answer {
        let position = self.answered.load(Ordering::Relaxed);
        let request = self.client.get(self.at(path)).bearer_auth(&self.keys[role]);
        let request = request.header("Kontor-Position", position);
        self.answer("get", request.send().await.unwrap()).await.unwrap()
    }

    /// Asks for what is there now.
    pub(crate) async fn try_get(&self, role: &str, path: &str) -> reqwest::Result<Answer> {
        let request = self.client.get(self.at(path)).bearer_auth(&self.keys[role]);
        self.answer("get", request.send().await?).await
    }

    /// What a page that is no JSON says.
    pub(crate) async fn text(&self, path: &str) -> String {
        self.client.get(self.at(path)).send().await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn post(&self, role: &str, path: &str, body: &Value) -> Answer {
        let request = self.client.post(self.at(path));
        let request = request.bearer_auth(&self.keys[role]).json(body);
        self.answer("post", request.send().await.unwrap()).await.unwrap()
    }

    /// Sends a command whose events carry a correlation id.
    pub(crate) async fn post_as(
        &self,
        role: &str,
        path: &str,
        correlation: uuid::Uuid,
        body: &Value,
    ) -> Answer {
        let request = self.client.post(self.at(path)).bearer_auth(&self.keys[role]);
        let request = request.header("X-Correlation-Id", correlation.to_string()).json(body);
        self.answer("post", request.send().await.unwrap()).await.unwrap()
    }

    pub(crate) async fn post_with_key(
        &self,
        role: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Answer {
        let request = self.client.post(self.at(path)).bearer_auth(&self.keys[role]);
        let request = request.header("Idempotency-Key", key).json(body);
        self.answer("post", request.send().await.unwrap()).await.unwrap()
    }

    /// Sends a body as it is.
    pub(crate) async fn send(
        &self,
        role: &str,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.client.post(self.at(path)).bearer_auth(&self.keys[role]);
        let request = request.header("Content-Type", content_type).body(body);
        self.answer("post", request.send().await.unwrap()).await.unwrap()
    }

    /// The same under an `Idempotency-Key`.
    pub(crate) async fn send_with_key(
        &self,
        role: &str,
        path: &str,
        key: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.client.post(self.at(path)).bearer_auth(&self.keys[role]);
        let request = request.header("Idempotency-Key", key).header("Content-Type", content_type);
        self.answer("post", request.body(body).send().await.unwrap()).await.unwrap()
    }

    /// Asks by any method, with or without a body.
    pub(crate) async fn ask(
        &self,
        role: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = self.client.request(method.to_uppercase().parse().unwrap(), self.at(path));
        let mut request = request.bearer_auth(&self.keys[role]);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(method, request.send().await.unwrap()).await.unwrap()
    }

    /// The document that it serves.
    pub(crate) async fn contract(&self) -> &'static Contract {
        Contract::served_at(&self.address.url()).await
    }

    /// A file, as it is.
    pub(crate) async fn file(&self, role: &str, path: &str) -> Vec<u8> {
        let request = self.client.get(self.at(path)).bearer_auth(&self.keys[role]);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// The status that a request without a body gets; a role without a key shows none.
    pub(crate) async fn knock(&self, role: &str, method: &str, path: &str) -> u16 {
        let method = method.to_uppercase().parse().unwrap();
        let mut request = self.client.request(method, self.at(path));
        if let Some(key) = self.keys.get(role) {
            request = request.bearer_auth(key);
        }
        request.header("Content-Type", "application/json").send().await.unwrap().status().as_u16()
    }

    /// Every answer is one that the OpenAPI document describes.
    async fn answer(&self, method: &str, response: reqwest::Response) -> reqwest::Result<Answer> {
        let status = response.status().as_u16();
        let url = response.url().clone();
        let media = response.headers().get("content-type").cloned();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if method != "get"
            && let Some(position) = body["position"].as_u64()
        {
            self.answered.fetch_max(position, Ordering::Relaxed);
        }
        if url.path().starts_with("/v1/") {
            let contract = Contract::served_at(&url.origin().ascii_serialization()).await;
            let media = media.as_ref().map_or("", |media| media.to_str().unwrap());
            contract.check(method, url.path(), status, media, &body);
        }
        Ok(Answer { status, body })
    }
}
