//! Parameters: columns of values, given one by one or as arrays.

use bytes::{BufMut, BytesMut};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
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

/// The values of one column.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Id(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Bytes(Vec<Option<Blob<'a>>>),
    Text(Vec<Option<&'a str>>),
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

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Id(list) => list.len(),
            Self::Int(list) => list.len(),
            Self::Bytes(list) => list.len(),
            Self::Text(list) => list.len(),
        }
    }

    /// Each value alone.
    pub(crate) fn each(self) -> Vec<Self> {
        match self {
            Self::Id(list) => list.into_iter().map(|value| Self::Id(vec![value])).collect(),
            Self::Int(list) => list.into_iter().map(|value| Self::Int(vec![value])).collect(),
            Self::Bytes(list) => list.into_iter().map(|value| Self::Bytes(vec![value])).collect(),
            Self::Text(list) => list.into_iter().map(|value| Self::Text(vec![value])).collect(),
        }
    }

    /// The type of one value.
    fn name(&self) -> &'static str {
        match self {
            Self::Id(_) => "uuid",
            Self::Int(_) => "int8",
            Self::Bytes(_) => "bytea",
            Self::Text(_) => "text",
        }
    }
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
        Self::one(Values::Int(vec![Some(value)]))
    }

    pub(crate) fn id(id: [u8; 16]) -> Self {
        Self::one(Values::ids([id]))
    }

    /// Its type, as SQL writes it.
    pub(crate) fn cast(&self) -> String {
        let name = self.values.name();
        if self.array { format!("{name}[]") } else { name.to_owned() }
    }

    pub(crate) fn ty(&self) -> Type {
        match (&self.values, self.array) {
            (Values::Id(_), false) => Type::UUID,
            (Values::Id(_), true) => Type::UUID_ARRAY,
            (Values::Int(_), false) => Type::INT8,
            (Values::Int(_), true) => Type::INT8_ARRAY,
            (Values::Bytes(_), false) => Type::BYTEA,
            (Values::Bytes(_), true) => Type::BYTEA_ARRAY,
            (Values::Text(_), false) => Type::TEXT,
            (Values::Text(_), true) => Type::TEXT_ARRAY,
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
            (Values::Id(list), true) => list.to_sql(ty, out),
            (Values::Int(list), false) => first(list, ty, out),
            (Values::Int(list), true) => list.to_sql(ty, out),
            (Values::Bytes(list), false) => first(list, ty, out),
            (Values::Bytes(list), true) => list.to_sql(ty, out),
            (Values::Text(list), false) => first(list, ty, out),
            (Values::Text(list), true) => list.to_sql(ty, out),
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
