-- Each statement of the application has a deadline, unless the work says otherwise. Only a superuser, or an owner who may alter the
-- role, can say so here; elsewhere `deploy/postgres-init.sh` does, and the program sets what its role lacks.
DO $$
BEGIN
    EXECUTE format('ALTER ROLE sotay_app IN DATABASE %I SET statement_timeout = ''10s''', current_database());
    EXECUTE format('ALTER ROLE sotay_app IN DATABASE %I SET idle_in_transaction_session_timeout = ''60s''', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'the limits of sotay_app are left to whoever administers the server';
END $$;
