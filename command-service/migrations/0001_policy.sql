-- What the policies remember. Not in schema view: it cannot be dropped and rebuilt, or deadlines
-- would pass twice and refusals be forgotten.
CREATE TABLE policy.checkpoints (
    policy text PRIMARY KEY,
    -- All events up to here have had their consequences. The row is locked by whoever runs it.
    position bigint NOT NULL DEFAULT 0
);

-- Consequences that the domain refused, for whoever has to look into them.
CREATE TABLE policy.refusals (
    policy text NOT NULL,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    code text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (policy, position)
);
