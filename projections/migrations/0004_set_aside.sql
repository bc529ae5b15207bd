-- What a read model leaves out from a position on, since an event could not be applied: all events of
-- one key, as a rule of one stream. A rebuild tries them again, in order.
CREATE TABLE view.set_aside (
    projection text NOT NULL,
    -- What is left out; see Projection::aside.
    key_id uuid NOT NULL,
    -- The stream of the event that could not be applied.
    stream_type text NOT NULL,
    stream_id uuid NOT NULL,
    company_id uuid,
    position bigint NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, key_id)
);

-- How many rows of view.set_aside there are: read under the lock of the checkpoint, so that a read model
-- without any, as nearly all are, asks for none.
ALTER TABLE view.checkpoints ADD COLUMN set_aside integer NOT NULL DEFAULT 0;

-- It is a digest of all that says what events change, not only of the tables.
ALTER TABLE view.checkpoints RENAME COLUMN schema_digest TO build;
