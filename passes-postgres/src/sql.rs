//! A statement in the making: its text and its parameters, by the same code, and the shape that tells texts apart.

use crate::values::{Arg, Values};
use std::fmt::{self, Write};

/// Writes to a statement as `format!` does. What is written is made only where the text is.
macro_rules! put {
    ($sql:expr, $($text:tt)+) => { if $sql.is_written() { $sql.put(format_args!($($text)+)) } };
}
pub(crate) use put;

/// A part of a statement, as `format!` makes it; nothing where the text isn't written.
macro_rules! text {
    ($sql:expr, $($text:tt)+) => { if $sql.is_written() { format!($($text)+) } else { String::new() } };
}
pub(crate) use text;

/// So many rows are few.
pub(crate) const FEW: usize = 8;

/// A statement. Its text is the same for the same shape, so it is written only when it isn't known yet.
#[derive(Debug, Default)]
pub(crate) struct Sql<'a> {
    text: Option<String>,
    pub(crate) args: Vec<Arg<'a>>,
    /// All that the text depends on.
    pub(crate) shape: Vec<u8>,
    /// Whether a part has several rows: such a text is planned anew each time, for as many as there are.
    pub(crate) many: bool,
}

impl<'a> Sql<'a> {
    /// One without its text. There is room for what a redemption's has.
    pub(crate) fn shape() -> Self {
        Self { args: Vec::with_capacity(40), shape: Vec::with_capacity(256), ..Self::default() }
    }

    /// One whose text is written, too.
    pub(crate) fn written() -> Self {
        Self { text: Some(String::new()), ..Self::shape() }
    }

    pub(crate) fn into_text(self) -> String {
        self.text.unwrap_or_default()
    }

    /// Whether the text is written.
    pub(crate) fn is_written(&self) -> bool {
        self.text.is_some()
    }

    /// Notes what the text depends on.
    pub(crate) fn note(&mut self, byte: u8) {
        self.shape.push(byte);
    }

    pub(crate) fn flag(&mut self, flag: bool) -> bool {
        self.note(u8::from(flag));
        flag
    }

    pub(crate) fn put(&mut self, text: fmt::Arguments<'_>) {
        if let Some(all) = &mut self.text {
            // Writing to a string can't fail.
            let _ = all.write_fmt(text);
        }
    }

    /// Adds a parameter and writes it.
    pub(crate) fn arg(&mut self, arg: Arg<'a>) {
        self.args.push(arg);
        if let (Some(all), Some(arg)) = (&mut self.text, self.args.last()) {
            let _ = write!(all, "${}::{}", self.args.len(), arg.cast());
        }
    }

    /// Adds a value of a row: a parameter, or a part of the text where it belongs to the statement's form.
    fn value(&mut self, value: Values<'a>) {
        match value {
            Values::Fixed(list) => {
                let fixed = list.first().copied().flatten();
                self.note(1);
                self.shape.extend(fixed.unwrap_or(i64::MIN).to_be_bytes());
                match fixed {
                    Some(fixed) => put!(self, "{fixed}::int8"),
                    None => put!(self, "NULL::int8"),
                }
            }
            Values::Null(ty) => {
                self.note(2);
                put!(self, "NULL::{ty}");
            }
            value => {
                self.note(3);
                self.arg(Arg::one(value));
            }
        }
    }

    /// Rows of values, as something to select from, with these columns: a single row of parameters, which the planner
    /// sees through, or one row for each place in arrays.
    pub(crate) fn rows(&mut self, name: &str, columns: Vec<(&'static str, Values<'a>)>) {
        let many = columns.first().is_some_and(|(_, values)| values.len() != 1);
        self.flag(many);
        self.many |= many;
        self.source(name, columns, many, false);
    }

    /// The same of rows that decide no plan: they are inserted, or looked up one by one. A few of them don't make it one
    /// that is planned anew.
    pub(crate) fn few(&mut self, name: &str, columns: Vec<(&'static str, Values<'a>)>) {
        let count = columns.first().map_or(0, |(_, values)| values.len());
        if !(2..=FEW).contains(&count) {
            return self.rows(name, columns);
        }
        self.note(u8::try_from(count).unwrap_or(u8::MAX));
        put!(self, "(VALUES ");
        let names: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
        let mut rows: Vec<std::vec::IntoIter<Values<'a>>> =
            columns.into_iter().map(|(_, values)| values.each().into_iter()).collect();
        for row in 0..count {
            put!(self, "{}", if row == 0 { "(" } else { ",(" });
            for (at, column) in rows.iter_mut().enumerate() {
                if at > 0 {
                    put!(self, ",");
                }
                if let Some(value) = column.next() {
                    self.value(value);
                }
            }
            put!(self, ")");
        }
        put!(self, ") AS {name}({})", names.join(","));
    }

    /// Rows by which something is looked up by its key, each with its place, from 1, as `ord`: one plan for however many
    /// there are.
    pub(crate) fn numbered(&mut self, name: &str, columns: Vec<(&'static str, Values<'a>)>) {
        let many = columns.first().is_some_and(|(_, values)| values.len() != 1);
        self.flag(many);
        self.source(name, columns, many, true);
    }

    fn source(&mut self, name: &str, columns: Vec<(&'static str, Values<'a>)>, many: bool, numbered: bool) {
        self.put(format_args!("{}", if many { "unnest(" } else { "(SELECT " }));
        let mut names = String::new();
        for (at, (column, values)) in columns.into_iter().enumerate() {
            if at > 0 {
                self.put(format_args!(","));
            }
            if many {
                self.arg(Arg::array(values));
                if self.text.is_some() {
                    names += if at > 0 { "," } else { "" };
                    names += column;
                }
            } else {
                self.value(values);
                self.put(format_args!(" AS {column}"));
            }
        }
        match (many, numbered) {
            (true, false) => put!(self, ") AS {name}({names})"),
            (true, true) => put!(self, ") WITH ORDINALITY AS {name}({names},ord)"),
            (false, false) => put!(self, ") AS {name}"),
            (false, true) => put!(self, ",1::int8 AS ord) AS {name}"),
        }
    }
}
