//! HTTP read APIs over the read models; history for auditors.
