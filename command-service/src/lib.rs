//! HTTP in, command out: authenticate, load, decide, append; policies and timers.
