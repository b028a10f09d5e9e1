//! What would be on the disk if the power failed now: for each file what was synced, and what was done to it since.

use crate::Failure;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file, whatever it is called. A name that is deleted and made anew is another file.
pub(crate) type Id = u64;

/// What was done to a file.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Bytes were written at an offset.
    Write(usize, Arc<[u8]>),
    /// It was cut or extended to a length.
    Length(usize),
}

impl Change {
    /// Does it again, to other bytes.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => put(bytes, *at, written),
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

/// Writes into a file's bytes, which grow; a gap before the offset is zero.
pub(crate) fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    let end = at.saturating_add(written.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(written);
    }
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadow {
    /// What is on the disk for certain.
    pub(crate) synced: Arc<Vec<u8>>,
    /// What was done since, in order. Any of it may be on the disk.
    pub(crate) pending: VecDeque<Change>,
    /// What is read, once that is no longer what was synced and done since: after a failed sync.
    read: Option<Arc<Vec<u8>>>,
    /// How many changes were ever taken off `pending`.
    gone: u64,
    /// How many syncs failed.
    pub(crate) failed: u64,
}

impl Shadow {
    /// A point in the order of changes.
    fn mark(&self) -> u64 {
        self.gone + u64::try_from(self.pending.len()).unwrap_or_default()
    }

    fn next_before(&mut self, mark: u64) -> Option<Change> {
        let next = if self.gone < mark { self.pending.pop_front() } else { None };
        self.gone += u64::from(next.is_some());
        next
    }

    fn sync(&mut self, mark: u64) {
        while let Some(change) = self.next_before(mark) {
            change.apply(Arc::make_mut(&mut self.synced));
        }
    }

    fn change(&mut self, change: Change) {
        if let Some(read) = &mut self.read {
            change.apply(Arc::make_mut(read));
        }
        self.pending.push_back(change);
    }

    fn fail(&mut self, mark: u64, failure: Failure) {
        self.read = Some(Arc::new(self.read()));
        self.failed += 1;
        match failure {
            Failure::Late => self.sync(mark),
            Failure::Short => self.sync(self.gone + mark.saturating_sub(self.gone) / 2),
            Failure::Io | Failure::Full => {}
        }
        while self.next_before(mark).is_some() {}
    }

    /// What is read, which needn't be on the disk.
    pub(crate) fn read(&self) -> Vec<u8> {
        if let Some(read) = &self.read {
            return read.to_vec();
        }
        let mut bytes = self.synced.to_vec();
        self.pending.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    }
}

/// A change of a folder.
#[derive(Clone, Debug)]
pub(crate) enum Naming {
    Made(PathBuf, Id),
    Gone(PathBuf),
}

impl Naming {
    fn folder(&self) -> Option<&Path> {
        let (Self::Made(path, _) | Self::Gone(path)) = self;
        path.parent()
    }

    pub(crate) fn apply(&self, names: &mut BTreeMap<PathBuf, Id>) {
        match self {
            Self::Made(path, id) => names.insert(path.clone(), *id),
            Self::Gone(path) => names.remove(path),
        };
    }
}

/// All files that were opened through the file system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shadows {
    /// The files by their names, as a program sees them.
    names: BTreeMap<PathBuf, Id>,
    /// The same as it is on the disk for certain.
    pub(crate) synced: BTreeMap<PathBuf, Id>,
    /// What was done to the names since, in order. A file system writes that in this order.
    pub(crate) naming: Vec<Naming>,
    pub(crate) files: BTreeMap<Id, Shadow>,
    next: Id,
}

impl Shadows {
    /// The file of a name, where it is known.
    pub(crate) fn find(&self, path: &Path) -> Option<Id> {
        self.names.get(path).copied()
    }

    /// Takes a new file in: one that was there before, with what it holds, or an empty one that was just made.
    pub(crate) fn add(&mut self, path: &Path, before: Option<Vec<u8>>) -> Id {
        let id = self.next;
        self.next += 1;
        self.names.insert(path.to_owned(), id);
        match before {
            Some(bytes) => {
                self.synced.insert(path.to_owned(), id);
                self.files.insert(id, Shadow { synced: Arc::new(bytes), ..Shadow::default() });
            }
            None => {
                self.naming.push(Naming::Made(path.to_owned(), id));
                self.files.insert(id, Shadow::default());
            }
        }
        id
    }

    pub(crate) fn delete(&mut self, path: &Path) {
        if self.names.remove(path).is_some() {
            self.naming.push(Naming::Gone(path.to_owned()));
        }
    }

    /// The folder was synced: its names are as they are for certain.
    pub(crate) fn sync_folder(&mut self, folder: Option<&Path>) {
        let Self { naming, synced, names, files, .. } = self;
        naming.retain(|naming| {
            let here = naming.folder() == folder;
            if here {
                naming.apply(synced);
            }
            !here
        });
        // What no name leads to any more, and can't again.
        let made: Vec<Id> = naming.iter().filter_map(Naming::made).collect();
        let named = |id: &Id| synced.values().chain(names.values()).chain(&made).any(|known| known == id);
        files.retain(|id, _| named(id));
    }

    pub(crate) fn change(&mut self, id: Id, change: Change) {
        if let Some(file) = self.files.get_mut(&id) {
            file.change(change);
        }
    }

    pub(crate) fn mark(&self, id: Id) -> u64 {
        self.files.get(&id).map_or(0, Shadow::mark)
    }

    pub(crate) fn failed(&self, id: Id) -> u64 {
        self.files.get(&id).map_or(0, |file| file.failed)
    }

    /// A sync that began at the mark has ended.
    pub(crate) fn sync(&mut self, id: Id, mark: u64) {
        if let Some(file) = self.files.get_mut(&id) {
            file.sync(mark);
        }
    }

    /// A sync that began at the mark has failed.
    pub(crate) fn fail(&mut self, id: Id, mark: u64, failure: Failure) {
        if let Some(file) = self.files.get_mut(&id) {
            file.fail(mark, failure);
        }
    }
}

impl Naming {
    fn made(&self) -> Option<Id> {
        match self {
            Self::Made(_, id) => Some(*id),
            Self::Gone(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/shop/shop.db";

    fn written(shadows: &mut Shadows, id: Id, at: usize, bytes: &[u8]) {
        shadows.change(id, Change::Write(at, bytes.into()));
    }

    fn synced(shadows: &Shadows, id: Id) -> &[u8] {
        &shadows.files[&id].synced
    }

    #[test]
    fn a_sync_keeps_what_came_before_it_began() {
        let mut shadows = Shadows::default();
        let id = shadows.add(Path::new(PATH), None);
        written(&mut shadows, id, 0, b"abcd");
        let first = shadows.mark(id);
        written(&mut shadows, id, 6, b"gh");
        let second = shadows.mark(id);
        shadows.change(id, Change::Length(3));
        shadows.sync(id, first);
        assert_eq!((synced(&shadows, id), shadows.files[&id].pending.len()), (&b"abcd"[..], 2));
        shadows.sync(id, second);
        assert_eq!(synced(&shadows, id), b"abcd\0\0gh");
        // One that began earlier and ends later adds nothing.
        shadows.sync(id, first);
        assert_eq!(shadows.files[&id].pending.len(), 1);
        shadows.sync(id, shadows.mark(id));
        assert_eq!((synced(&shadows, id), shadows.files[&id].pending.len()), (&b"abc"[..], 0));
    }

    #[test]
    fn what_a_failed_sync_dropped_no_later_one_writes() {
        for (failure, kept) in
            [(Failure::Io, &b"--..--"[..]), (Failure::Late, b"ab..ef"), (Failure::Short, b"ab..--")]
        {
            let mut shadows = Shadows::default();
            let id = shadows.add(Path::new(PATH), Some(b"------".to_vec()));
            written(&mut shadows, id, 0, b"ab");
            written(&mut shadows, id, 4, b"ef");
            shadows.fail(id, shadows.mark(id), failure);
            written(&mut shadows, id, 2, b"..");
            shadows.sync(id, shadows.mark(id));
            assert_eq!(synced(&shadows, id), kept, "{failure:?}");
            // Yet it is read.
            assert_eq!(shadows.files[&id].read(), b"ab..ef");
            assert_eq!(shadows.failed(id), 1);
        }
    }

    #[test]
    fn a_name_is_kept_when_its_folder_is_synced() {
        let (path, other) = (Path::new(PATH), Path::new("/else/shop.db"));
        let mut shadows = Shadows::default();
        let first = shadows.add(path, None);
        shadows.add(other, None);
        assert!(shadows.synced.is_empty());
        shadows.sync_folder(path.parent());
        assert_eq!(shadows.synced.iter().collect::<Vec<_>>(), [(&path.to_owned(), &first)]);
        shadows.delete(path);
        assert_eq!(shadows.find(path), None);
        let second = shadows.add(path, None);
        // Until then it may be the old one that comes back.
        assert_eq!(shadows.synced[path], first);
        assert!(shadows.files.contains_key(&first));
        shadows.sync_folder(path.parent());
        assert_eq!((shadows.synced[path], shadows.files.contains_key(&first)), (second, false));
    }
}
