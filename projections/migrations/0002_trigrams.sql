-- Finds the words that a mistyped one may mean. Whoever owns the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA view;
