//! The one writer and reader of history: append, read, publish to JetStream, verify.
