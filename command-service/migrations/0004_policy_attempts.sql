-- What came of each attempt at a consequence that was refused. A table of its own: backups of
-- earlier builds have refusals without it.
CREATE TABLE policy.attempts (
    policy text NOT NULL,
    -- Where the event stands; with the policy it names the refusal.
    position bigint NOT NULL,
    -- Counted from 1, which is the policy's own; later ones were asked for by somebody.
    attempt integer NOT NULL,
    tried_at timestamptz NOT NULL DEFAULT now(),
    -- Who asked for it; null where the policy did it by itself.
    tried_by text,
    -- The rule that refused it; null when it was done.
    code text,
    detail text,
    -- Where in the log the consequence stands; null when it was refused, or changed nothing there.
    done_at bigint,
    PRIMARY KEY (policy, position, attempt)
);

-- A refusal is found by an id that derives from what it is about, so that it is the same after a
-- restore.
CREATE UNIQUE INDEX refusals_id ON policy.refusals ((md5(policy || '/' || event_id::text)::uuid));
CREATE INDEX refusals_position ON policy.refusals (position, policy);
