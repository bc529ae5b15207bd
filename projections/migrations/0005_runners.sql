-- Which process keeps the read models up. A lease only saves work: what keeps every event to one effect is
-- the lock of the checkpoint.
CREATE TABLE view.runners (
    -- The builds of its read models, in a fixed order: processes of another build run their own.
    build bytea PRIMARY KEY,
    -- An id that a process makes at its start.
    holder uuid NOT NULL,
    -- Its session. The lease ends with it, so whoever comes after a process that was killed need not wait.
    session integer NOT NULL,
    session_started timestamptz NOT NULL,
    -- A process that is stopped keeps its session; its lease ends then.
    held_until timestamptz NOT NULL
);
