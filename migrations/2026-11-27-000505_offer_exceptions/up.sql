-- What is on offer to a cell, but earns nothing for a member any more: forecasts leave it out.
CREATE TABLE point_offer_exceptions (
    member_id uuid NOT NULL REFERENCES members,
    object_id text NOT NULL,
    PRIMARY KEY (member_id, object_id)
);
