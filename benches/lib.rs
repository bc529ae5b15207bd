//! Benchmarks that run the peer or the raw limit in the same run; see `make bench`.
