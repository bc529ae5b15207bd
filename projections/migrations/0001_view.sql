-- How far every read model has got. The row is locked while its tables change, so an event takes
-- effect once, and two runners take turns.
CREATE TABLE view.checkpoints (
    projection text PRIMARY KEY,
    position bigint NOT NULL,
    -- Of the CREATE TABLE statements: other tables than this build's mean a rebuild.
    schema_digest bytea NOT NULL
);

-- Events that stopped a read model, for whoever has to mend it.
CREATE TABLE view.failures (
    projection text NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, position)
);
