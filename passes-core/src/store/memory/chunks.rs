//! Lists that grow without moving what they hold.

/// How many are kept in one piece.
const PIECE: usize = 1 << 10;

/// A list that only grows, in pieces of one size: a redemption never waits for a million rows to be moved.
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    pub(super) fn len(&self) -> usize {
        let last = self.0.last().map_or(0, Vec::len);
        self.0.len().saturating_sub(1) * PIECE + last
    }

    pub(super) fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(value),
            _ => {
                std::hint::cold_path();
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(value);
                self.0.push(piece);
            }
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at / PIECE)?.get(at % PIECE)
    }

    /// Those from this place on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = &T> {
        let (piece, within) = (at / PIECE, at % PIECE);
        let pieces = self.0.get(piece..).unwrap_or_default().iter().enumerate();
        pieces.flat_map(move |(n, piece)| piece.get(if n == 0 { within } else { 0 }..).unwrap_or_default())
    }

    /// How many come before all others, where they are sorted so.
    pub(super) fn partition_point(&self, before: impl Fn(&T) -> bool) -> usize {
        let whole = self.0.partition_point(|piece| piece.last().is_some_and(&before));
        whole * PIECE + self.0.get(whole).map_or(0, |piece| piece.partition_point(&before))
    }
}

/// Bytes behind one another.
#[derive(Default)]
pub(super) struct Bytes(Vec<Vec<u8>>);

/// Where some bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    piece: u32,
    from: u32,
}

impl Bytes {
    /// How many are kept in one piece, unless more come at once.
    const PIECE: usize = 1 << 18;

    /// Room for so many, to be filled, and where it is. Nothing, if there is no number left for the place.
    pub(super) fn room(&mut self, size: usize) -> Option<(At, &mut Vec<u8>)> {
        if self.0.last().is_none_or(|last| last.capacity() - last.len() < size) {
            std::hint::cold_path();
            self.0.push(Vec::with_capacity(size.max(Self::PIECE)));
        }
        let piece = u32::try_from(self.0.len().saturating_sub(1)).ok()?;
        let last = self.0.last_mut()?;
        let from = u32::try_from(last.len()).ok()?;
        Some((At { piece, from }, last))
    }

    /// Those that begin at a place.
    pub(super) fn get(&self, at: At) -> &[u8] {
        let piece = self.0.get(at.piece as usize);
        piece.and_then(|piece| piece.get(at.from as usize..)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-1: a list in pieces is a list.
    #[test]
    fn a_list_in_pieces_is_a_list() {
        let mut all = Chunks::default();
        assert_eq!(
            (all.len(), all.get(0), all.from(0).count(), all.partition_point(|_| true)),
            (0, None, 0, 0)
        );
        for n in 0..3 * PIECE {
            all.push(n);
            assert_eq!(all.len(), n + 1);
        }
        for n in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE - 1] {
            assert_eq!((all.get(n), all.partition_point(|m| *m < n)), (Some(&n), n));
            assert!(all.from(n).copied().eq(n..3 * PIECE));
        }
        assert_eq!((all.get(3 * PIECE), all.from(3 * PIECE).count()), (None, 0));
        assert_eq!(all.partition_point(|_| true), 3 * PIECE);
    }

    /// D-1: bytes come back as they were put, however many they are.
    #[test]
    fn bytes_come_back() {
        let mut bytes = Bytes::default();
        let parts =
            [vec![1; 3], Vec::new(), vec![2; 2 * Bytes::PIECE], vec![3; Bytes::PIECE - 1], vec![4; 2]];
        let mut add = |part: &Vec<u8>| {
            let (at, room) = bytes.room(part.len() + 1).unwrap();
            room.extend(part.iter().chain(&[9]));
            at
        };
        let places: Vec<At> = parts.iter().map(&mut add).collect();
        for (part, at) in parts.iter().zip(places) {
            let found = bytes.get(at);
            assert_eq!((found.get(..part.len()), found.get(part.len())), (Some(&part[..]), Some(&9)));
        }
    }
}
