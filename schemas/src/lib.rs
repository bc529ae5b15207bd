//! Published contracts: the JSON Schema of every event, checked against the types.
