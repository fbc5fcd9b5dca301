-- Searches find what they look for by an index. `pg_trgm` is a trusted extension: the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A name as it is searched for, as `fold` in `kernel/text` has it: small letters without diacritics, one spelling of đ, single spaces
-- for everything else. (That function knows more scripts than names are written in; a test compares the two.)
-- In PL/pgSQL, so that the planner takes it for what it costs instead of seeing through it.
CREATE FUNCTION fold_name(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN btrim(regexp_replace(translate(
        regexp_replace(normalize(lower(normalize(name, NFKD) COLLATE "und-x-icu"), NFKD), '[\u0300-\u036f]', '', 'g'),
        'đðɖʹʻʼʽˈꞌ', 'ddd      '), '[^[:alnum:]]+', ' ', 'g'));
END $$;
CREATE INDEX members_search ON members USING gin ((fold_name(full_name) COLLATE "C") gin_trgm_ops);
-- Lists of large units go along the names, instead of sorting all their members for each page.
CREATE INDEX members_by_name ON members (given_name, full_name, id);

-- The words of a document's search text (" word word word"), which hold letters and digits only.
CREATE FUNCTION words_of(search text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
    SELECT coalesce(array_to_tsvector(array_agg(DISTINCT left(word, 100))), ''::tsvector)
    FROM unnest(string_to_array(search, ' ')) AS w (word) WHERE word <> ''
$$;
CREATE INDEX documents_words ON documents USING gin (words_of(search)) WHERE status = 'published';
