-- A key may be an employee's: what it does is recorded as theirs, and it ends when they leave. Keys
-- of systems, and those made before there were employees, are nobody's.
ALTER TABLE access.api_keys ADD COLUMN employee_id uuid;
CREATE INDEX ON access.api_keys (employee_id) WHERE employee_id IS NOT NULL;
