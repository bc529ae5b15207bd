//! Black-box tests of the whole house against the real PostgreSQL and NATS.
