-- The last event that changed its tables, which is seldom the last that it has seen: whoever remembers
-- what was read from them knows by it that it still holds.
ALTER TABLE view.checkpoints ADD COLUMN changed bigint NOT NULL DEFAULT 0;
