-- Whatever is asked is found in the order of positions, a type at a time: a plan that reads along
-- the positions and leaves out what was not asked takes a second per million events where that is
-- rare. So a company's events are entered by type too; its own history is all types merged.
DROP INDEX log.directory_company;
CREATE INDEX directory_company ON log.directory (company_id, event_type, position);
-- What policies made of an event. It is no column yet of what has been entered: that starts anew.
TRUNCATE log.directory;
ALTER TABLE log.directory ADD COLUMN causation_id uuid;
CREATE INDEX directory_causation ON log.directory (causation_id) WHERE causation_id IS NOT NULL;
