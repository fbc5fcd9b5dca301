//! P13: a search among 200,000 documents of which the reader sees 5,000, against the slowest SQL statement behind it.

use std::fs;

use serde_json::json;

use crate::cases::Bench;
use crate::cases::awards::ms;
use crate::cases::board::{behind, statement_p99};
use crate::load::Plan;
use crate::measure::paired;
use crate::report::Figure;

const DATABASE: &str = "searches";
/// Few, so that what is measured is the work and not a queue.
const CONNECTIONS: usize = 2;
const WARM_SECONDS: f64 = 1.0;
/// Both words stand in three documents of four, so that more than a thousand of the reader's are found and the newest are ranked.
const PATH: &str = "/v1/documents?q=tu0001%20tu0002&limit=50";

/// Documents of 80 words out of 5,000, of which the first dozen are frequent. Every fortieth goes to the reader's province, the others
/// to one of the other cells each, as if their committees had published them.
const DOCUMENTS: &str = "
    CREATE TEMP TABLE places AS SELECT unit_id, row_number() OVER (ORDER BY unit_id) - 1 AS n
        FROM (SELECT DISTINCT unit_id FROM memberships WHERE valid_to IS NULL AND unit_id <> '{cell}') u;
    CREATE TEMP TABLE made AS
        SELECT gen_random_uuid() AS id, g.n, CASE WHEN g.n % 40 = 0 THEN '{province}'::uuid ELSE p.unit_id END AS unit_id,
            (SELECT string_agg('tu' || lpad((CASE WHEN random() < 0.3 THEN random() * 12 ELSE random() * 5000 END)::int::text, 4, '0'), ' ')
                FROM generate_series(1, 80) WHERE g.n > 0) AS body
        FROM generate_series(1, 200000) AS g (n) JOIN places p ON p.n = g.n % (SELECT count(*) FROM places);
    INSERT INTO documents (id, unit_id, symbol, kind, title, summary, body, words, state, version, created_by, created_at,
            attested_no_secrets_by, published_at)
        SELECT id, unit_id, n || '-KH/DU', 'ke_hoach', left(body, 60), '', body, 80, 'published', 1, '{member}',
            now() - n * interval '5 minutes', '{member}', now() - n * interval '5 minutes' FROM made;
    INSERT INTO document_versions (document_id, number, note, state, created_by, created_at, published_at)
        SELECT id, 1, '', 'published', '{member}', now(), now() FROM made;
    INSERT INTO document_targets (document_id, unit_id) SELECT id, unit_id FROM made;
    INSERT INTO document_feed (key, document_id, xid, changed_at, removed)
        SELECT 'u:' || unit_id, id, pg_current_xact_id()::text::bigint, now(), false FROM made;
    INSERT INTO document_search (document_id, published_at, reach, symbol, head, words)
        SELECT id, now() - n * interval '5 minutes', ARRAY['u:' || unit_id], to_tsvector('simple', n || ' kh du'),
            to_tsvector('simple', left(body, 60)), to_tsvector('simple', body) FROM made;
    ANALYZE documents; ANALYZE document_search; ANALYZE document_feed; ANALYZE document_targets;";

pub async fn among_many_documents(bench: &Bench<'_>) -> Result<Vec<Figure>, String> {
    bench.fresh(DATABASE).await?;
    let people = fs::read_to_string(&bench.people).map_err(|e| e.to_string())?;
    let mut columns = people.lines().next().unwrap_or_default().split('\t');
    let [token, member, cell] = [(); 3].map(|()| columns.next().unwrap_or_default());
    let province =
        bench.postgres.sql(DATABASE, "SELECT id FROM units WHERE kind = 'province' ORDER BY id LIMIT 1").await?;
    let fill = DOCUMENTS.replace("{cell}", cell).replace("{province}", &province).replace("{member}", member);
    bench.postgres.sql(DATABASE, &fill).await?;
    bench.postgres.sql(DATABASE, "VACUUM document_search").await?;
    let script = bench.place.path.join("search.sql");
    fs::write(&script, behind(bench, DATABASE, PATH, member, token).await?.script()).map_err(|e| e.to_string())?;
    let plan = Plan::new(&bench.people, CONNECTIONS, WARM_SECONDS, bench.seconds).kind(json!({
        "name": "search", "method": "GET", "path": PATH, "headers": [format!("Authorization: Bearer {token}")],
        "expect": "\"snippet\"",
    }));
    // One reader asks for all of it.
    let server = bench.product(DATABASE, &[("SOTAY_REQUESTS_PER_MINUTE", "10000000")]).await?;
    let found = paired(
        bench.pairs,
        async || statement_p99(bench, DATABASE, &script.display().to_string()).await,
        async || Ok(ms(plan.run(&bench.programs, server.address).await?.all.p99)),
    )
    .await?;
    server.stop().await?;
    let p99 = found.product;
    Ok(vec![Figure::compared("P13", found, 1.0), Figure::plain("P13 time", p99)])
}
