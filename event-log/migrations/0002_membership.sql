-- Whoever migrates may also run: a superuser is a member of every role, anybody else (who needs
-- CREATEROLE to have come this far) becomes one of the role that services take on.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'kontor_runtime', 'MEMBER') THEN
        EXECUTE format('GRANT kontor_runtime TO %I', current_user);
    END IF;
END
$$;
