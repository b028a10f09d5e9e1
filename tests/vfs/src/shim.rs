//! The edge to SQLite: its table of functions for a file system and for a file, each of which does its part here
//! and passes on to the platform's own.
//!
//! Everything unsafe of this package is in this file.

#![allow(unsafe_code)]

use crate::plans::{Failure, FileKind, Op};
use crate::shadow::{Change, Id};
use crate::{Inner, Vfs};
use rusqlite::ffi;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What SQLite knows this file system by, to take it back. Null before it is registered.
#[derive(Default)]
pub(crate) struct Registered(AtomicPtr<ffi::sqlite3_vfs>);

impl Drop for Registered {
    fn drop(&mut self) {
        let vfs = *self.0.get_mut();
        if !vfs.is_null() {
            // SAFETY: it was registered, and stays allocated for good.
            unsafe { ffi::sqlite3_vfs_unregister(vfs) };
        }
    }
}

/// What a registered file system leads to. Neither is ever freed: a connection may hold the file system's address
/// for as long as it lives, and SQLite doesn't tell.
struct Entry {
    name: CString,
    inner: Weak<Inner>,
    real: *mut ffi::sqlite3_vfs,
}

/// A file as SQLite sees it. The platform's own follows it in memory.
#[repr(C)]
struct Opened {
    base: ffi::sqlite3_file,
    /// From [`Box::into_raw`]; freed when the file is closed.
    handle: *mut Handle,
}

/// A file that is open.
struct Handle {
    inner: Arc<Inner>,
    kind: FileKind,
    /// Where it is watched for power cuts.
    shadow: Option<Id>,
    /// Set until the first sync, which syncs the folder, too.
    folder: Option<PathBuf>,
    folder_due: AtomicBool,
    /// What was written into the log since the last sync.
    header: AtomicBool,
    frames: AtomicBool,
    /// How many failed syncs of the file this handle was told.
    told: AtomicU64,
}

/// Tells SQLite of the file system.
pub(crate) fn register(inner: &Arc<Inner>) -> rusqlite::Result<()> {
    let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
    // SAFETY: may be called at any time, from any thread.
    let started = unsafe { ffi::sqlite3_initialize() };
    if started != ffi::SQLITE_OK {
        return Err(error(started));
    }
    // SAFETY: SQLite is initialized; null asks for the platform's default.
    let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    if real.is_null() {
        return Err(error(ffi::SQLITE_NOTFOUND));
    }
    let name = CString::new(inner.name.as_str()).map_err(|_| error(ffi::SQLITE_MISUSE))?;
    // SAFETY: the default file system is static and not changed after its registration but for `pNext`.
    let (size, longest) = unsafe { ((*real).szOsFile, (*real).mxPathname) };
    let own = c_int::try_from(size_of::<Opened>()).map_err(|_| error(ffi::SQLITE_MISUSE))?;
    let entry: &'static Entry = Box::leak(Box::new(Entry { name, inner: Arc::downgrade(inner), real }));
    let vfs: *mut ffi::sqlite3_vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: own + size,
        mxPathname: longest,
        pNext: ptr::null_mut(),
        zName: entry.name.as_ptr(),
        pAppData: ptr::from_ref(entry).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path_name),
        xDlOpen: Some(dl_open),
        xDlError: Some(dl_error),
        xDlSym: Some(dl_sym),
        xDlClose: Some(dl_close),
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_int),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: `vfs` is complete and stays where it is.
    let registered = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    if registered != ffi::SQLITE_OK {
        return Err(error(registered));
    }
    inner.registered.0.store(vfs, Ordering::Release);
    Ok(())
}

/// # Safety
/// `vfs` is one that [`register`] made.
unsafe fn entry<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Entry {
    // SAFETY: `pAppData` points to the entry, which is never freed and never written to.
    unsafe { &*(*vfs).pAppData.cast::<Entry>() }
}

/// Calls a function of the platform's file system, if it has it.
macro_rules! real_vfs {
    ($vfs:expr, $function:ident($($arg:expr),*), $else:expr) => {{
        // SAFETY: SQLite calls with the file system that was registered, and arguments that are as the function
        // that is called wants them: they are passed on as they came.
        unsafe {
            let real = entry($vfs).real;
            match (*real).$function {
                Some(function) => function(real, $($arg),*),
                None => $else,
            }
        }
    }};
}

/// The platform's own file.
///
/// # Safety
/// `file` was given to [`open`].
unsafe fn real_of(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite allocates `szOsFile` bytes, which is the size of ours, a multiple of eight, and of the real one.
    unsafe { file.byte_add(size_of::<Opened>()) }
}

/// # Safety
/// `file` was opened by [`open`] and is not closed yet.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a Handle {
    // SAFETY: it was set by `open` from a box that only `close` frees.
    unsafe { &*(*file.cast::<Opened>()).handle }
}

/// Calls a function of the platform's own file.
macro_rules! real_file {
    ($file:expr, $function:ident($($arg:expr),*), $else:expr) => {{
        // SAFETY: SQLite calls only with files that are open, and arguments that are as the function that is
        // called wants them: they are passed on as they came, or cut to a shorter length.
        unsafe {
            let real = real_of($file);
            match (*(*real).pMethods).$function {
                Some(function) => function(real, $($arg),*),
                None => $else,
            }
        }
    }};
}

// Version 2: shared memory, but no `xFetch`, so that nothing is read past `xRead`.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `name` is null or ends with a zero.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: by this function's own condition.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls with the file system that was registered.
    let inner = unsafe { entry(vfs) }.inner.upgrade();
    // SAFETY: SQLite hands memory of `szOsFile` bytes, aligned to eight. While there are no methods it won't close.
    unsafe { (*file).pMethods = ptr::null() };
    let Some(inner) = inner else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: a name is null or a text of C.
    let path = unsafe { path_of(name) };
    let passing = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    let watched = path.as_deref().filter(|_| !passing);
    // Nobody changes a file or a name while it is taken in.
    let mut shadows = inner.shadows();
    let before = watched.is_some_and(Path::exists);
    // SAFETY: see `real_of`.
    let real = unsafe { real_of(file) };
    let opened = real_vfs!(vfs, xOpen(name, real, flags, out_flags), ffi::SQLITE_CANTOPEN);
    if opened != ffi::SQLITE_OK {
        // SAFETY: the platform's own has set its methods, or null.
        if unsafe { !(*real).pMethods.is_null() } {
            real_file!(file, xClose(), ffi::SQLITE_OK);
        }
        return opened;
    }
    let mut shadow = None;
    if let (Some(shadows), Some(path)) = (&mut shadows, watched) {
        shadow = shadows.find(path);
        if shadow.is_none() {
            // SAFETY: it was opened just now.
            match if before { unsafe { content(file) }.map(Some) } else { Ok(None) } {
                Ok(before) => shadow = Some(shadows.add(path, before)),
                Err(code) => {
                    real_file!(file, xClose(), ffi::SQLITE_OK);
                    return code;
                }
            }
        }
    }
    let told = shadow.zip(shadows.as_ref()).map_or(0, |(id, shadows)| shadows.failed(id));
    drop(shadows);
    let journals = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let folder_due = flags & journals != 0 && flags & ffi::SQLITE_OPEN_CREATE != 0;
    let handle = Handle {
        inner,
        kind: match flags {
            flags if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => FileKind::Database,
            flags if flags & ffi::SQLITE_OPEN_WAL != 0 => FileKind::Wal,
            _ => FileKind::Other,
        },
        shadow,
        folder: path.as_deref().and_then(Path::parent).map(Path::to_owned),
        folder_due: AtomicBool::new(folder_due),
        header: AtomicBool::new(false),
        frames: AtomicBool::new(false),
        told: AtomicU64::new(told),
    };
    // SAFETY: as above; from here on it is an open file of ours.
    unsafe {
        (*file.cast::<Opened>()).handle = Box::into_raw(Box::new(handle));
        (*file).pMethods = &raw const METHODS;
    }
    ffi::SQLITE_OK
}

/// What a file that was just opened holds. It is read through the file itself: opening it another time and closing
/// that would free the locks of this process.
///
/// # Safety
/// The platform's own file behind `file` is open.
unsafe fn content(file: *mut ffi::sqlite3_file) -> Result<Vec<u8>, c_int> {
    let mut size = 0;
    let found = real_file!(file, xFileSize(&raw mut size), ffi::SQLITE_IOERR_FSTAT);
    let Ok(length) = c_int::try_from(size) else { return Err(ffi::SQLITE_NOMEM) };
    if found != ffi::SQLITE_OK {
        return Err(found);
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let read = real_file!(file, xRead(bytes.as_mut_ptr().cast(), length, 0), ffi::SQLITE_IOERR_READ);
    if read == ffi::SQLITE_OK { Ok(bytes) } else { Err(read) }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite calls with the file system that was registered.
    let inner = unsafe { entry(vfs) }.inner.upgrade();
    // SAFETY: a name is a text of C.
    let path = unsafe { path_of(name) };
    let mut shadows = inner.as_ref().and_then(|inner| inner.shadows());
    let deleted = real_vfs!(vfs, xDelete(name, sync_folder), ffi::SQLITE_IOERR_DELETE);
    if let (ffi::SQLITE_OK, Some(shadows), Some(path)) = (deleted, &mut shadows, path) {
        shadows.delete(&path);
        if sync_folder != 0 {
            shadows.sync_folder(path.parent());
        }
    }
    deleted
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let closed = real_file!(file, xClose(), ffi::SQLITE_OK);
    // SAFETY: the handle came from a box, and SQLite closes a file once and doesn't use it then.
    unsafe {
        (*file).pMethods = ptr::null();
        drop(Box::from_raw((*file.cast::<Opened>()).handle));
    }
    closed
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite calls only with open files.
    let handle = unsafe { handle(file) };
    let mut met = handle.begin(Op::Read, 0);
    met.call();
    match met.failure {
        Some(_) => ffi::SQLITE_IOERR_READ,
        None => real_file!(file, xRead(into, length, at), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite calls only with open files.
    let handle = unsafe { handle(file) };
    let mut met = handle.begin(Op::Write, u64::try_from(length).unwrap_or_default());
    let (length, answer) = match met.failure {
        None => (length, ffi::SQLITE_OK),
        Some(Failure::Late) => (length, ffi::SQLITE_IOERR_WRITE),
        Some(Failure::Short) => (length / 2, ffi::SQLITE_FULL),
        Some(Failure::Io) => (0, ffi::SQLITE_IOERR_WRITE),
        Some(Failure::Full) => (0, ffi::SQLITE_FULL),
    };
    let written = match length {
        0 => ffi::SQLITE_OK,
        _ => {
            if handle.kind == FileKind::Wal {
                let part = if at == 0 { &handle.header } else { &handle.frames };
                part.store(true, Ordering::Relaxed);
            }
            let shadows = handle.inner.shadows();
            let written = real_file!(file, xWrite(from, length, at), ffi::SQLITE_IOERR_WRITE);
            if let (ffi::SQLITE_OK, Some(mut shadows), Some(id)) = (written, shadows, handle.shadow) {
                let length = usize::try_from(length).unwrap_or_default();
                // SAFETY: SQLite hands at least so many bytes.
                let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) };
                shadows.change(id, Change::Write(usize::try_from(at).unwrap_or_default(), bytes.into()));
            }
            written
        }
    };
    met.call();
    if written == ffi::SQLITE_OK { answer } else { written }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite calls only with open files.
    let handle = unsafe { handle(file) };
    let mut met = handle.begin(Op::Truncate, 0);
    let mut answer = ffi::SQLITE_IOERR_TRUNCATE;
    if met.failure.is_none_or(|failure| failure == Failure::Late) {
        let shadows = handle.inner.shadows();
        let cut = real_file!(file, xTruncate(size), ffi::SQLITE_IOERR_TRUNCATE);
        if let (ffi::SQLITE_OK, Some(mut shadows), Some(id)) = (cut, shadows, handle.shadow) {
            shadows.change(id, Change::Length(usize::try_from(size).unwrap_or_default()));
        }
        if met.failure.is_none() {
            answer = cut;
        }
    }
    met.call();
    answer
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite calls only with open files.
    let handle = unsafe { handle(file) };
    let frames = handle.frames.swap(false, Ordering::Relaxed);
    let header = handle.header.swap(false, Ordering::Relaxed);
    let op = match (handle.kind, frames, header) {
        (FileKind::Database | FileKind::Other, ..) => Op::Sync,
        (FileKind::Wal, true, _) => Op::CommitSync,
        (FileKind::Wal, false, true) => Op::RestartSync,
        (FileKind::Wal, false, false) => Op::CheckpointSync,
    };
    let mut met = handle.begin(op, 0);
    // What comes after this may be on the disk or not when the sync is over.
    let mark = handle.shadow.zip(handle.inner.shadows()).map(|(id, shadows)| shadows.mark(id));
    let delay = handle.inner.delay.load(Ordering::Relaxed);
    if delay > 0 {
        std::thread::sleep(Duration::from_nanos(delay));
    }
    met.call();
    if let Some(failure) = met.failure {
        if let (Some(mut shadows), Some(id), Some(mark)) = (handle.inner.shadows(), handle.shadow, mark) {
            shadows.fail(id, mark, failure);
            handle.told.store(shadows.failed(id), Ordering::Relaxed);
        }
        return ffi::SQLITE_IOERR_FSYNC;
    }
    if handle.inner.real_syncs.load(Ordering::Relaxed) {
        let synced = real_file!(file, xSync(flags), ffi::SQLITE_IOERR_FSYNC);
        if synced != ffi::SQLITE_OK {
            return synced;
        }
    }
    let Some(mut shadows) = handle.inner.shadows() else { return ffi::SQLITE_OK };
    if let (Some(id), Some(mark)) = (handle.shadow, mark) {
        shadows.sync(id, mark);
        // An error that another handle met is told to each once.
        if handle.told.swap(shadows.failed(id), Ordering::Relaxed) != shadows.failed(id) {
            return ffi::SQLITE_IOERR_FSYNC;
        }
    }
    if handle.folder_due.swap(false, Ordering::Relaxed) {
        shadows.sync_folder(handle.folder.as_deref());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    real_file!(file, xFileSize(size), ffi::SQLITE_IOERR_FSTAT)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    real_file!(file, xLock(level), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    real_file!(file, xUnlock(level), ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    real_file!(file, xCheckReservedLock(result), ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    real_file!(file, xFileControl(op, arg), ffi::SQLITE_NOTFOUND)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    real_file!(file, xSectorSize(), 0)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    real_file!(file, xDeviceCharacteristics(), 0)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    address: *mut *mut c_void,
) -> c_int {
    if extend != 0 {
        // SAFETY: SQLite calls only with open files.
        let mut met = unsafe { handle(file) }.begin(Op::Grow, 0);
        met.call();
        if met.failure.is_some() {
            return ffi::SQLITE_IOERR_SHMSIZE;
        }
    }
    real_file!(file, xShmMap(region, size, extend, address), ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    real_file!(file, xShmLock(offset, n, flags), ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    real_file!(file, xShmBarrier(), ());
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    real_file!(file, xShmUnmap(delete), ffi::SQLITE_OK)
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    real_vfs!(vfs, xAccess(name, flags, result), ffi::SQLITE_IOERR_ACCESS)
}

unsafe extern "C" fn full_path_name(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    real_vfs!(vfs, xFullPathname(name, length, out), ffi::SQLITE_CANTOPEN)
}

unsafe extern "C" fn dl_open(vfs: *mut ffi::sqlite3_vfs, name: *const c_char) -> *mut c_void {
    real_vfs!(vfs, xDlOpen(name), ptr::null_mut())
}

unsafe extern "C" fn dl_error(vfs: *mut ffi::sqlite3_vfs, length: c_int, out: *mut c_char) {
    real_vfs!(vfs, xDlError(length, out), ());
}

type Symbol = Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)>;

unsafe extern "C" fn dl_sym(vfs: *mut ffi::sqlite3_vfs, library: *mut c_void, name: *const c_char) -> Symbol {
    real_vfs!(vfs, xDlSym(library, name), None)
}

unsafe extern "C" fn dl_close(vfs: *mut ffi::sqlite3_vfs, library: *mut c_void) {
    real_vfs!(vfs, xDlClose(library), ());
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    real_vfs!(vfs, xRandomness(length, out), 0)
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    real_vfs!(vfs, xSleep(microseconds), 0)
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    real_vfs!(vfs, xCurrentTime(out), ffi::SQLITE_ERROR)
}

unsafe extern "C" fn current_time_int(vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    real_vfs!(vfs, xCurrentTimeInt64(out), ffi::SQLITE_ERROR)
}

unsafe extern "C" fn last_error(vfs: *mut ffi::sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    real_vfs!(vfs, xGetLastError(length, out), 0)
}

impl Handle {
    /// Counts an operation, and tells what it meets.
    fn begin(&self, op: Op, bytes: u64) -> crate::plans::Met {
        self.inner.meters.count(self.kind, op, bytes);
        self.inner.plans.meet(self.kind, op)
    }
}

// A handle of the file system is used by many threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Vfs>();
};
