-- States of long streams, so that a process which meets one cold need not replay all of it. Not
-- history: the table may be emptied at any time, and is filled again as streams are met.
CREATE TABLE log.snapshots (
    -- The aggregate. A client may name one id as two kinds of thing.
    stream_id uuid NOT NULL,
    stream_type text NOT NULL,
    -- After how many events of the stream.
    version bigint NOT NULL CHECK (version > 0),
    -- The rules that made the state of the events; a build with other rules passes it over.
    rules bigint NOT NULL,
    -- The state, as JSON text.
    state text NOT NULL,
    PRIMARY KEY (stream_id, stream_type)
);
GRANT SELECT, INSERT, UPDATE ON log.snapshots TO kontor_runtime;
