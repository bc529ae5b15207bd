-- Whose key it is: what it does is recorded as theirs, and it ends when they leave. Keys of systems,
-- and those made before there were employees, are nobody's. A table of its own, so that a backup made
-- before there were employees can still be restored.
CREATE TABLE access.employee_keys (
    key_id uuid PRIMARY KEY REFERENCES access.api_keys (id),
    employee_id uuid NOT NULL
);
CREATE INDEX ON access.employee_keys (employee_id);
