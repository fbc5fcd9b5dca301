-- Brings what was stored before there was one spelling to the forms of kernel/text, so that searches find it too.

-- As kernel::text::fold: lower case, no diacritics, no punctuation, single spaces.
CREATE OR REPLACE FUNCTION pg_temp.folded(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(regexp_replace(normalize(translate(words, 'ĐÐƉđðɖ', 'DDDddd'), NFKD),
            '[\u0300-\u036f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]', '', 'g')),
        '[^[:alnum:]]+', ' ', 'g'))
$$;

-- As kernel::text::one_line.
CREATE OR REPLACE FUNCTION pg_temp.one_line(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT btrim(regexp_replace(
        normalize(translate(regexp_replace(words, '[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]', '', 'g'),
            'ÐƉðɖ‘’‛ʼʻʹ´`′‐‑', 'ĐĐđđ''''''''''''''''''--'), NFC),
        '[[:space:]\u00a0]+', ' ', 'g'))
$$;
UPDATE members SET full_name = pg_temp.one_line(full_name)
    WHERE full_name <> pg_temp.one_line(full_name) AND pg_temp.one_line(full_name) <> '';
UPDATE accounts SET display_name = pg_temp.one_line(display_name)
    WHERE display_name <> pg_temp.one_line(display_name) AND pg_temp.one_line(display_name) <> '';
UPDATE units SET name = pg_temp.one_line(name) WHERE name <> pg_temp.one_line(name) AND pg_temp.one_line(name) <> '';
UPDATE documents SET symbol = pg_temp.one_line(symbol), title = pg_temp.one_line(title)
    WHERE (symbol, title) IS DISTINCT FROM (pg_temp.one_line(symbol), pg_temp.one_line(title))
        AND pg_temp.one_line(symbol) <> '' AND pg_temp.one_line(title) <> '';
-- Only where the new spelling makes a difference to what a search looks in.
UPDATE documents SET search = ' ' || pg_temp.folded(concat_ws(' ', symbol, title, summary, body))
    WHERE concat_ws(' ', symbol, title, summary, body) ~ '[ÐƉðɖ\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]';
