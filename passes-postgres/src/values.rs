//! Parameters: columns of values, given one by one or as arrays.

use bytes::{BufMut, BytesMut};
use postgres_protocol::escape::escape_literal;
use smallvec::{SmallVec, smallvec};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// An id as PostgreSQL's `uuid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl ToSql for Uuid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Uuid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
}

/// A whole number of any size, or a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnyInt(pub(crate) i64);

impl<'a> FromSql<'a> for AnyInt {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match raw.len() {
            1 => i64::from(raw != [0]),
            2 => i16::from_be_bytes(raw.try_into()?).into(),
            4 => i32::from_be_bytes(raw.try_into()?).into(),
            _ => i64::from_be_bytes(raw.try_into()?),
        }))
    }
    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::INT2, Type::BOOL].contains(ty)
    }
}

/// Bytes, or an id's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnyBytes<'a>(pub(crate) &'a [u8]);

impl<'a> FromSql<'a> for AnyBytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }
    fn accepts(ty: &Type) -> bool {
        [Type::BYTEA, Type::UUID].contains(ty)
    }
}

/// Bytes, borrowed where that is possible.
#[derive(Clone, Debug)]
pub(crate) struct Blob<'a>(pub(crate) Cow<'a, [u8]>);

impl ToSql for Blob<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }
    fn accepts(ty: &Type) -> bool {
        *ty == Type::BYTEA
    }
    to_sql_checked!();
}

/// Some values, most often one.
type List<T> = SmallVec<[Option<T>; 1]>;

/// The values of one column.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Id(List<Uuid>),
    Int(List<i64>),
    Bytes(List<Blob<'a>>),
    Text(List<&'a str>),
    /// Numbers of which there are few, for they tell the form of a statement: places, counts.
    Fixed(List<i64>),
    /// Nothing, of this type, in the only row: its statement is another one than where there is something.
    Null(&'static str),
}

impl<'a> Values<'a> {
    pub(crate) fn ids(ids: impl IntoIterator<Item = [u8; 16]>) -> Self {
        Self::Id(ids.into_iter().map(|id| Some(Uuid(id))).collect())
    }

    pub(crate) fn maybe_ids(ids: impl IntoIterator<Item = Option<[u8; 16]>>) -> Self {
        Self::Id(ids.into_iter().map(|id| id.map(Uuid)).collect())
    }

    pub(crate) fn ints<T: Into<i64>>(ints: impl IntoIterator<Item = T>) -> Self {
        Self::Int(ints.into_iter().map(|int| Some(int.into())).collect())
    }

    pub(crate) fn maybe_ints(ints: impl IntoIterator<Item = Option<i64>>) -> Self {
        Self::Int(ints.into_iter().collect())
    }

    pub(crate) fn blobs(bytes: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::Bytes(bytes.into_iter().map(|bytes| Some(Blob(Cow::Borrowed(bytes)))).collect())
    }

    pub(crate) fn maybe_blobs(bytes: impl IntoIterator<Item = Option<Cow<'a, [u8]>>>) -> Self {
        Self::Bytes(bytes.into_iter().map(|bytes| bytes.map(Blob)).collect())
    }

    pub(crate) fn texts(texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        Self::Text(texts.into_iter().collect())
    }

    /// Numbers that belong to the statement's form.
    pub(crate) fn fixed<T: Into<i64>>(ints: impl IntoIterator<Item = T>) -> Self {
        Self::Fixed(ints.into_iter().map(|int| Some(int.into())).collect())
    }

    pub(crate) fn maybe_fixed(ints: impl IntoIterator<Item = Option<i64>>) -> Self {
        Self::Fixed(ints.into_iter().collect())
    }

    /// The same, where there is mostly something in a column, or mostly nothing: a value that the server knows to be none
    /// costs it nothing.
    pub(crate) fn or_null(self) -> Self {
        let null = match &self {
            Self::Id(list) => matches!(list.as_slice(), [None]),
            Self::Int(list) | Self::Fixed(list) => matches!(list.as_slice(), [None]),
            Self::Bytes(list) => matches!(list.as_slice(), [None]),
            Self::Text(list) => matches!(list.as_slice(), [None]),
            Self::Null(_) => true,
        };
        if null { Self::Null(self.name()) } else { self }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Id(list) => list.len(),
            Self::Int(list) | Self::Fixed(list) => list.len(),
            Self::Bytes(list) => list.len(),
            Self::Text(list) => list.len(),
            Self::Null(_) => 1,
        }
    }

    /// Each value alone.
    pub(crate) fn each(self) -> Vec<Self> {
        match self {
            Self::Id(list) => list.into_iter().map(|value| Self::Id(smallvec![value])).collect(),
            Self::Int(list) => list.into_iter().map(|value| Self::Int(smallvec![value])).collect(),
            Self::Bytes(list) => list.into_iter().map(|value| Self::Bytes(smallvec![value])).collect(),
            Self::Text(list) => list.into_iter().map(|value| Self::Text(smallvec![value])).collect(),
            Self::Fixed(list) => list.into_iter().map(|value| Self::Fixed(smallvec![value])).collect(),
            Self::Null(ty) => vec![Self::Null(ty)],
        }
    }

    /// Writes one value as SQL does.
    fn literal(&self, at: usize, out: &mut String) {
        let written = match self {
            Self::Id(list) => list.get(at).and_then(Option::as_ref).map(|id| hex("'", &id.0, out)),
            Self::Null(_) => None,
            Self::Int(list) | Self::Fixed(list) => list.get(at).copied().flatten().map(|int| {
                // Writing to a string can't fail.
                let _ = write!(out, "{int}");
            }),
            Self::Bytes(list) => {
                list.get(at).and_then(Option::as_ref).map(|bytes| hex("E'\\\\x", &bytes.0, out))
            }
            Self::Text(list) => {
                list.get(at).copied().flatten().map(|text| out.push_str(&escape_literal(text)))
            }
        };
        if written.is_none() {
            out.push_str("NULL");
        }
    }

    /// The type of one value.
    fn name(&self) -> &'static str {
        match self {
            Self::Id(_) => "uuid",
            Self::Int(_) | Self::Fixed(_) => "int8",
            Self::Bytes(_) => "bytea",
            Self::Text(_) => "text",
            Self::Null(ty) => ty,
        }
    }
}

/// A literal of bytes.
fn hex(start: &str, bytes: &[u8], out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push_str(start);
    for byte in bytes {
        let digit = |at: u8| DIGITS.get(usize::from(at)).copied().unwrap_or('0');
        out.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    out.push('\'');
}

/// A parameter: the only value of a column, or all as an array.
pub(crate) struct Arg<'a> {
    values: Values<'a>,
    array: bool,
}

impl<'a> Arg<'a> {
    /// As many values as there are, in an array.
    pub(crate) fn array(values: Values<'a>) -> Self {
        Self { values, array: true }
    }

    /// The first value, alone.
    pub(crate) fn one(values: Values<'a>) -> Self {
        Self { values, array: false }
    }

    pub(crate) fn int(value: i64) -> Self {
        Self::one(Values::Int(smallvec![Some(value)]))
    }

    pub(crate) fn id(id: [u8; 16]) -> Self {
        Self::one(Values::ids([id]))
    }

    /// Its type, as SQL writes it.
    pub(crate) fn cast(&self) -> String {
        let name = self.values.name();
        if self.array { format!("{name}[]") } else { name.to_owned() }
    }

    /// Writes it as SQL does.
    pub(crate) fn literal(&self, out: &mut String) {
        if self.array {
            out.push_str("ARRAY[");
            for at in 0..self.values.len() {
                if at > 0 {
                    out.push(',');
                }
                self.values.literal(at, out);
            }
            out.push_str("]::");
            out.push_str(&self.cast());
        } else {
            self.values.literal(0, out);
        }
    }

    pub(crate) fn ty(&self) -> Type {
        match (&self.values, self.array) {
            (Values::Id(_), false) => Type::UUID,
            (Values::Id(_), true) => Type::UUID_ARRAY,
            (Values::Int(_) | Values::Fixed(_), false) => Type::INT8,
            (Values::Int(_) | Values::Fixed(_), true) => Type::INT8_ARRAY,
            (Values::Bytes(_), false) => Type::BYTEA,
            (Values::Bytes(_), true) => Type::BYTEA_ARRAY,
            (Values::Text(_), false) => Type::TEXT,
            (Values::Text(_), true) => Type::TEXT_ARRAY,
            // It never is a parameter.
            (Values::Null(_), _) => Type::UNKNOWN,
        }
    }
}

fn first<T: ToSql>(
    list: &[Option<T>],
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match list.first() {
        Some(Some(value)) => value.to_sql(ty, out),
        _ => Ok(IsNull::Yes),
    }
}

impl ToSql for Arg<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (&self.values, self.array) {
            (Values::Id(list), false) => first(list, ty, out),
            (Values::Id(list), true) => list.as_slice().to_sql(ty, out),
            (Values::Int(list) | Values::Fixed(list), false) => first(list, ty, out),
            (Values::Int(list) | Values::Fixed(list), true) => list.as_slice().to_sql(ty, out),
            (Values::Bytes(list), false) => first(list, ty, out),
            (Values::Bytes(list), true) => list.as_slice().to_sql(ty, out),
            (Values::Text(list), false) => first(list, ty, out),
            (Values::Text(list), true) => list.as_slice().to_sql(ty, out),
            (Values::Null(_), _) => Ok(IsNull::Yes),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        // A statement and its parameters are made by the same code; if they ever differ, nothing is sent.
        if *ty != self.ty() {
            return Err(format!("a parameter is {}, and {ty} was expected", self.cast()).into());
        }
        self.to_sql(ty, out)
    }
}

impl fmt::Debug for Arg<'_> {
    /// What is stored is nobody's to see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cast())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(arg: &Arg<'_>) -> String {
        let mut text = String::new();
        arg.literal(&mut text);
        text
    }

    /// Z-1: what comes from outside stays a value, whatever it holds.
    #[test]
    fn values_are_written_as_literals() {
        assert_eq!(literal(&Arg::int(-5)), "-5");
        assert_eq!(literal(&Arg::array(Values::maybe_ints([Some(1), None]))), "ARRAY[1,NULL]::int8[]");
        assert_eq!(literal(&Arg::one(Values::maybe_ids([None]))), "NULL");
        assert_eq!(literal(&Arg::id([0xA5; 16])), format!("'{}'", "a5".repeat(16)));
        assert_eq!(literal(&Arg::one(Values::blobs([&b"\x00'"[..]]))), "E'\\\\x0027'");
        let text = |text| literal(&Arg::one(Values::texts([Some(text)])));
        assert_eq!(text("O'Hara"), "'O''Hara'");
        assert_eq!(text("a\\'); DROP").trim_start(), "E'a\\\\''); DROP'");
        assert_eq!(literal(&Arg::array(Values::texts([]))), "ARRAY[]::text[]");
    }
}
