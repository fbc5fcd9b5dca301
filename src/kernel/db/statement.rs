//! SQL statements that a connection prepares once, for code that runs at every request.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement whose text is always the same. `diesel::sql_query` is parsed and planned anew at each call, because its
/// text might differ; this one is cached by the connection under its text.
pub struct Prepared<Q>(pub Q);

/// The same under a condition: a statement whose amount of data varies much is better planned anew.
pub struct PreparedWhen<Q>(pub bool, pub Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for PreparedWhen<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.1.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(self.0)
    }
}

/// Identified by their text, not by their type.
macro_rules! by_text {
    ($wrapper:ident) => {
        impl<Q> QueryId for $wrapper<Q> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<Q: Query> Query for $wrapper<Q> {
            type SqlType = Q::SqlType;
        }
    };
}
by_text!(Prepared);
by_text!(PreparedWhen);
