-- Who works on a policy's next events. A lease instead of a lock: no transaction and no connection
-- is held while consequences are decided. Beside the position, since both change together.
ALTER TABLE policy.checkpoints
    -- A process that runs policies, by an id that it makes at its start; nobody when null.
    ADD COLUMN holder uuid,
    -- A holder that was killed or stopped keeps its lease no longer than this.
    ADD COLUMN held_until timestamptz;
