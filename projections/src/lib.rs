//! Read models: each a file that says its tables and how each event changes them.
