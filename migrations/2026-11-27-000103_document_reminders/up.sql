-- At most one reminder a day, member and document, whoever sends it.
CREATE TABLE document_reminders (
    document_id uuid NOT NULL REFERENCES documents,
    member_id uuid NOT NULL REFERENCES members,
    day date NOT NULL,
    sent_by uuid NOT NULL REFERENCES accounts,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (document_id, member_id, day)
);
CREATE INDEX document_reminders_day ON document_reminders (day);
