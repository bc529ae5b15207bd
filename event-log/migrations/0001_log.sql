-- The log: the system of record. Everything else can be rebuilt from these tables.

-- The role under which services read and write history. It cannot log in; services take it on
-- with SET ROLE. Roles belong to the whole server, so another database may have made it already,
-- even in this very moment.
DO $$
BEGIN
    CREATE ROLE kontor_runtime NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- One row: the last position handed out. Its lock is what makes positions gapless and commit
-- order: they are taken under it inside the appending transaction, so a rollback gives them back
-- and whoever has seen p has seen all below p.
CREATE TABLE log.head (
    -- Allows one row only.
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- Of the newest event; 0 before the first.
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- Moves when a writer has lost its connection: what that connection may still have had under
    -- way names the former epoch and is refused, however late PostgreSQL comes to it.
    epoch bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO log.head DEFAULT VALUES;

CREATE TABLE log.events (
    -- Place in the whole history: gapless from 1, in commit order; also the JetStream sequence.
    position bigint PRIMARY KEY CHECK (position > 0),
    -- Names the event everywhere outside; the CloudEvents id.
    event_id uuid NOT NULL,
    -- The aggregate's kind, such as 'offer'.
    stream_type text NOT NULL,
    -- The aggregate's id.
    stream_id uuid NOT NULL,
    -- Place in the stream: gapless from 1. Its uniqueness is the last line of defence against two
    -- decisions on one state.
    version bigint NOT NULL CHECK (version > 0),
    -- What happened, such as 'offer.sent'.
    event_type text NOT NULL,
    -- Of the payload; an event keeps it for ever, newer readers upcast.
    schema_version smallint NOT NULL,
    -- Whose history this is; null for what concerns the seller alone.
    company_id uuid,
    -- Who gave the command, such as 'key:…' or 'policy:…'.
    actor text NOT NULL,
    -- The command that did it; all events of one append share it.
    command_id uuid NOT NULL,
    -- Everything that one request set off, policies' reactions included, shares it.
    correlation_id uuid NOT NULL,
    -- The event to which a policy reacted; null for people's commands.
    causation_id uuid,
    -- The writer's clock; never goes back within one writer.
    recorded_at timestamptz NOT NULL,
    -- Exactly the JSON text that is published; text and not jsonb, so that history compares byte
    -- for byte.
    payload text NOT NULL,
    CONSTRAINT events_stream_version UNIQUE (stream_id, version)
);
-- Payloads are small and read far more often than they would gain from compression.
ALTER TABLE log.events ALTER COLUMN payload SET STORAGE EXTERNAL;

-- What commands with an id of their giver's answered, so that asking again does nothing twice.
CREATE TABLE log.commands (
    -- The command's id.
    command_id uuid CONSTRAINT commands_pkey PRIMARY KEY,
    -- SHA-256 of the request: the same id with another request is refused.
    digest bytea NOT NULL CHECK (length(digest) = 32),
    -- The answer: which stream, at which version, and how far a reader must have got to see it.
    stream_id uuid NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- Takes n positions if the head is where the writer believes it to be, and no stream in
-- `streams` has left its version in `versions`. One statement, so that the writer need not wait
-- for an answer before it sends the rest of its transaction.
CREATE FUNCTION log.advance(
    expected bigint, expected_epoch bigint, n bigint, streams uuid[], versions bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE log.head SET position = position + n
    WHERE position = expected AND epoch = expected_epoch;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'KN001', MESSAGE = 'the head of the log has moved';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(streams, versions) AS asserted(stream, version)
        WHERE asserted.version <> coalesce(
            (SELECT max(e.version) FROM log.events e WHERE e.stream_id = asserted.stream), 0)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'KN002', MESSAGE = 'a stream that was read has moved on';
    END IF;
END
$$;

-- History is written once. ALWAYS, so that not even session_replication_role lets a change through.
CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'KN003',
        MESSAGE = format('%s of log.%s is refused: history is append-only', TG_OP, TG_TABLE_NAME);
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.events ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.commands
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.commands ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER one_row BEFORE DELETE OR TRUNCATE ON log.head
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.head ENABLE ALWAYS TRIGGER one_row;

GRANT USAGE ON SCHEMA log TO kontor_runtime;
GRANT SELECT, INSERT ON log.events, log.commands TO kontor_runtime;
GRANT SELECT, UPDATE ON log.head TO kontor_runtime;
