-- Who may come in. Kept apart from history: a secret's digest is nobody's event.
CREATE TABLE access.api_keys (
    -- The public half of a key.
    id uuid PRIMARY KEY,
    -- SHA-256 of the secret half: 256 random bits need no slow hash.
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    -- For whom or what it was made, in words.
    name text NOT NULL,
    role text NOT NULL,
    -- The only company that a buyer's key sees.
    company_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- From when on it opens nothing.
    revoked_at timestamptz,
    -- A buyer belongs to a company; the seller's people and the auditor to none; an integrator
    -- may serve either.
    CONSTRAINT company_fits_role CHECK (
        CASE
            WHEN role IN ('company_admin', 'purchaser', 'approver') THEN company_id IS NOT NULL
            WHEN role = 'integrator' THEN true
            ELSE company_id IS NULL
        END)
);
