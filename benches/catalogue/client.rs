//! The least that asks over HTTP: one connection, one request after the other.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::Failure;

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    secret: String,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, secret: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), secret: secret.to_owned() })
    }

    /// The body of an answer of 200.
    pub(crate) async fn get(&mut self, path: &str) -> Result<String, Failure> {
        let secret = &self.secret;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (mut length, mut status, mut line) = (0, String::new(), String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            let header = line.trim_end().to_ascii_lowercase();
            if status.is_empty() {
                status.clone_from(&header);
            } else if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse()?;
            } else if header.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        let body = String::from_utf8(body)?;
        if !status.contains(" 200 ") {
            return Err(format!("{path}: {status}: {body}").into());
        }
        Ok(body)
    }
}
