//! Where the tables are distributed among the nodes of a Citus cluster, by their business.
//!
//! A statement is sent as a call of a function, which Citus hands to the node of the business, whole. There it runs over
//! the tables of that node themselves: its planner, its snapshot, its transaction and the numbers of transactions are
//! those of one PostgreSQL, and nothing has to be told apart from one. Sent as it is, Citus would take it to pieces, and
//! its number would be the coordinator's.

use crate::commit;
use crate::errors::{Failed, While, broken, told};
use crate::sql::{Sql, put};
use crate::values::Arg;
use passes_core::store::StoreError;
use postgres_protocol::escape::escape_literal;
use std::sync::Arc;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row, SimpleQueryMessage};

/// What distributes the tables. What a later migration adds or changes is to be distributed by it, and the columns of
/// `passes.read` are those of `codec`.
const DISTRIBUTE: &str = include_str!("distributed.sql");

/// Whether the tables are distributed, as SQL.
pub(crate) const IS_DISTRIBUTED: &str = "to_regclass('passes.home') IS NOT NULL";

/// Which number nothing can appear below any more, in the snapshot of a statement that Citus sends to the node of the
/// business by itself. Where no number was given since the business came there, all are settled that are seen.
pub(crate) const FENCE: &str = "coalesce((SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::int8<<16)+h.base \
     FROM passes.home h WHERE h.business=$1 AND h.node=(SELECT system_identifier FROM pg_control_system())),\
     9223372036854775807)";

/// Settings of a transaction are those of the nodes, too.
pub(crate) const PROPAGATE: &str = "SET LOCAL citus.propagate_set_commands='local'; ";

/// What is added to the numbers of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The same for all that the database holds.
    Added(i64),
    /// What each business has on the node where it is.
    Home,
}

impl Base {
    /// Writes it. `otherwise` is what stands for it where no number was given since the business came to its node.
    fn put(self, sql: &mut Sql<'_>, otherwise: &str) {
        let home = matches!(self, Self::Home);
        match self {
            _ if sql.flag(home) => put!(
                sql,
                "coalesce((SELECT base FROM passes.home WHERE business=$1 \
                 AND node=current_setting('passes.node')::int8),{otherwise})"
            ),
            Self::Added(base) => sql.arg(Arg::int(base)),
            Self::Home => {}
        }
    }

    /// Writes it for a statement that numbers something.
    pub(crate) fn number(self, sql: &mut Sql<'_>) {
        self.put(sql, "passes.homeless()");
    }

    /// Writes it for one that asks what may appear yet: with this, nothing.
    pub(crate) fn settled(self, sql: &mut Sql<'_>) {
        self.put(sql, "1::int8<<62");
    }
}

async fn ask(client: &Client, text: &str) -> Result<String, StoreError> {
    let answer = client.simple_query(text).await.map_err(|error| told(&error, While::Reading))?;
    let cell = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(cell.unwrap_or_default())
}

/// Whether the tables are distributed.
pub(crate) async fn is_distributed(client: &Client) -> Result<bool, StoreError> {
    Ok(ask(client, &format!("SELECT {IS_DISTRIBUTED}")).await? == "t")
}

/// Distributes the tables, in the transaction that is under way. `used` tells whether they were there before it.
///
/// # Errors
/// [`StoreError::Backend`] where the extension is missing, [`StoreError::Transient`] while another store is open on the
/// tables: it would go on as if they weren't distributed.
pub(crate) async fn distribute(client: &Client, used: bool) -> Result<(), StoreError> {
    const MISSING: &str = "SELECT NOT EXISTS (SELECT FROM pg_extension WHERE extname='citus')";
    if ask(client, MISSING).await? == "t" {
        return Err(broken(
            "the database lacks the extension by which its tables are to be distributed: CREATE EXTENSION citus",
        ));
    }
    if used {
        // Who connects now waits here before it looks.
        const OTHERS: &str = "LOCK TABLE passes.meta IN ACCESS EXCLUSIVE MODE; \
             SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname=current_database() AND pid<>pg_backend_pid() \
             AND backend_type='client backend' \
             AND application_name IN ('passes',current_setting('application_name')))";
        if ask(client, OTHERS).await? == "t" {
            return Err(StoreError::Transient(
                "another store is open on these tables; they are distributed when none is".into(),
            ));
        }
    }
    let text = format!("SET LOCAL citus.multi_shard_modify_mode='sequential'; {DISTRIBUTE}");
    client.batch_execute(&text).await.map_err(|error| told(&error, While::Reading))
}

/// Tags of statements that answer with the columns of a commit.
fn commits(tag: u8) -> bool {
    tag == commit::TAG || tag == commit::NUMBER
}

/// A statement as a call of the function that runs it where the business is.
pub(crate) struct Delegated {
    commits: bool,
    once: bool,
    /// The call up to the text of the statement.
    call: String,
    /// The parameters' types and the text.
    text: String,
}

impl Delegated {
    /// `once` is for a statement that is planned anew each time.
    pub(crate) fn new(tag: u8, once: bool, text: &Arc<str>, args: &[Arg<'_>]) -> Self {
        let types: Vec<String> = args.iter().map(Arg::cast).collect();
        let types = types.join(",");
        let name = if once {
            "passes_once".to_owned()
        } else {
            let hash = blake3::Hasher::new()
                .update(types.as_bytes())
                .update(b";")
                .update(text.as_bytes())
                .finalize();
            // A name has room for 63 bytes, of which the number of a shard takes some.
            format!("passes_{}", hash.to_hex().get(..40).unwrap_or_default())
        };
        let mut business = String::new();
        let mut literals = String::new();
        for (at, arg) in args.iter().enumerate() {
            if at == 0 {
                arg.literal(&mut business);
            } else {
                literals.push(',');
            }
            arg.literal(&mut literals);
        }
        let commits = commits(tag);
        let function = if commits { "commit" } else { "read" };
        Self {
            commits,
            once,
            call: format!(
                "SELECT * FROM passes.{function}({business}::uuid,'{name}',{}",
                escape_literal(&literals)
            ),
            text: format!(",{},{}", escape_literal(&types), escape_literal(text)),
        }
    }

    /// The call, with the text of the statement where it isn't prepared for sure.
    pub(crate) fn sql(&self, whole: bool) -> String {
        let text = if whole || self.once { &self.text } else { "" };
        format!("{}{text})", self.call)
    }

    /// What the function says went wrong: an SQLSTATE and its text.
    fn fault(&self, rows: &[Row]) -> Option<(String, String)> {
        let row = rows.last()?;
        if row.try_get::<_, Option<i64>>(0).ok()? != Some(-1) {
            return None;
        }
        if self.commits {
            let spelt: Vec<i64> = row.try_get(4).ok()?;
            let letter = |at: i64| u32::try_from(at).ok().and_then(char::from_u32).unwrap_or('?');
            let mut letters = spelt.into_iter().map(letter);
            return Some((letters.by_ref().take(5).collect(), letters.collect()));
        }
        let at = crate::codec::FIRST_TEXT;
        Some((row.try_get(at).ok()?, row.try_get(at.saturating_add(1)).ok()?))
    }

    /// Whether the node doesn't have the statement.
    pub(crate) fn is_unprepared(&self, rows: &[Row]) -> bool {
        self.fault(rows).is_some_and(|(state, _)| state == "26000")
    }

    /// The rows, or what they say went wrong. Whatever that is, nothing landed.
    pub(crate) fn checked(&self, rows: Vec<Row>) -> Result<Vec<Row>, Failed> {
        match self.fault(&rows) {
            None => Ok(rows),
            Some((state, text)) => Err(Failed::of_state(&SqlState::from_code(&state), &text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PASS;
    use crate::values::Values;

    /// D-1: the function that reads answers with the columns of every row.
    #[test]
    fn the_columns_are_those_of_a_row() {
        let written = PASS.select(1);
        let mut columns = written.split(" AS ").skip(1).filter_map(|rest| rest.split([',', ' ']).next());
        let (_, told) = DISTRIBUTE.split_once("FUNCTION passes.read(").unwrap();
        let told = told.split_once("RETURNS TABLE (").unwrap().1.split_once(')').unwrap().0;
        for told in told.split(',') {
            let column = columns.next().unwrap();
            assert_eq!(told.split_whitespace().next(), Some(column));
        }
        assert_eq!(columns.next(), None);
    }

    /// D-1: each table has its place among the nodes.
    #[test]
    fn every_table_is_distributed() {
        let made = crate::schema::MIGRATIONS.join("\n");
        let tables = made.split("CREATE TABLE passes.").skip(1).filter_map(|rest| rest.split(' ').next());
        for table in tables.filter(|table| *table != "meta") {
            // To be distributed, to be emptied here, and to be found there.
            assert!(
                DISTRIBUTE.matches(&format!("'{table}'")).count()
                    + DISTRIBUTE.matches(&format!("'passes.{table}'")).count()
                    >= 3,
                "{table}"
            );
        }
    }

    /// Z-1: what comes from outside stays a value, through both statements that it is written into.
    #[test]
    fn a_call_holds_its_values_as_literals() {
        let args = [
            Arg::id([0xA5; 16]),
            Arg::one(Values::texts([Some("O'Hara passes.pass \\")])),
            Arg::one(Values::blobs([&b"\x00'"[..]])),
        ];
        let text: Arc<str> = "SELECT $1,$2,$3 FROM passes.pass WHERE ''=''".into();
        let call = Delegated::new(commit::TAG, false, &text, &args);
        let id = "a5".repeat(16);
        let short = call.sql(false);
        assert!(short.starts_with(&format!("SELECT * FROM passes.commit('{id}'::uuid,'passes_")), "{short}");
        // In a literal that knows escapes every backslash is two, and in a literal within it four.
        let inner = format!("'{id}', E'O''Hara passes.pass \\\\',E'\\\\x0027'");
        assert!(short.ends_with(&format!("{})", escape_literal(&inner))), "{short}");
        assert!(!short.contains("FROM passes.pass "), "{short}");
        let whole = call.sql(true);
        assert!(
            whole.ends_with(",'uuid,text,bytea','SELECT $1,$2,$3 FROM passes.pass WHERE ''''=''''')"),
            "{whole}"
        );
        let once = Delegated::new(b'l', true, &text, &args);
        assert!(
            once.sql(false).starts_with(&format!("SELECT * FROM passes.read('{id}'::uuid,'passes_once',"))
        );
        assert_eq!(once.sql(false), once.sql(true));
    }

    /// D-1: a statement's text tells how it numbers.
    #[test]
    fn numbers_are_those_of_the_node() {
        let written = |base: Base| {
            let mut sql = Sql::written();
            base.number(&mut sql);
            (sql.args.len(), sql.shape.clone(), sql.into_text())
        };
        assert_eq!(written(Base::Added(7)), (1, vec![0], "$1::int8".to_owned()));
        let (args, shape, text) = written(Base::Home);
        assert_eq!((args, shape), (0, vec![1]));
        assert!(text.contains("passes.home") && text.ends_with("passes.homeless())"), "{text}");
    }
}
