-- Where what is: finds events by company, type, correlation and command without reading all of
-- history. Kept apart from log.events and filled behind it, since each index there would cost
-- every append a fifth to a third of its speed, and random reads at the size of years. Not
-- history: it may be emptied at any time, and is filled again. Whoever asks also looks through
-- what is not in it yet, so an answer is always whole.
CREATE TABLE log.directory (
    -- Of the event; everything up to the highest of these is here.
    position bigint PRIMARY KEY,
    company_id uuid,
    event_type text NOT NULL,
    correlation_id uuid NOT NULL,
    command_id uuid NOT NULL
);
CREATE INDEX directory_company ON log.directory (company_id, position);
CREATE INDEX directory_event_type ON log.directory (event_type, position);
CREATE INDEX directory_correlation ON log.directory (correlation_id);
CREATE INDEX directory_command ON log.directory (command_id);
GRANT SELECT, INSERT ON log.directory TO kontor_runtime;

-- The last position recorded before an instant; 0 when there is none. Times never go back with
-- positions, so it is found by halving: some thirty reads of the primary key among 10^9 events.
CREATE FUNCTION log.position_before(instant timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint := (SELECT position FROM log.head);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT recorded_at FROM log.events WHERE position = middle) < instant THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
GRANT EXECUTE ON FUNCTION log.position_before TO kontor_runtime;
