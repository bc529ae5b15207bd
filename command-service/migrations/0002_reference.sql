-- What others publish and the seller looks things up in. Not history: loaded anew from its source.

-- The VAT white list of one day.
CREATE TABLE reference.white_list (
    -- There is one, or none yet.
    the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
    -- As the file spells it: its day, how often it hashes, and its masks.
    head jsonb NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);

-- Its digests, by their first 128 bits. A new list is filled beside this one and takes its place.
CREATE TABLE reference.white_list_marks (
    mark uuid NOT NULL,
    -- Exempt from VAT, or else an active taxpayer.
    exempt boolean NOT NULL
);
