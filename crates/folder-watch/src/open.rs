//! Opens and stats paths below the folder without following links and without waiting. Somebody may exchange a file or a
//! folder for something else at any moment: a link must not lead out of the folder, and a FIFO or a device must not block
//! the caller. So the kernel resolves the path beneath the open root, or every step opens one name in the folder that was
//! opened before; and the open descriptor is judged, not the name.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Component, Path},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, fstat, open, openat, statat},
    io::Errno,
};

use crate::stat::Stat;

/// For every step: no links, no waiting for the other end of a FIFO.
const SAFELY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Returns whether an error means that the path is gone: it or a folder above it was removed, or a link or a file took its
/// place.
pub(crate) fn is_vanished(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::NOENT, Errno::NOTDIR, Errno::LOOP])
}

/// Returns whether an error says nothing about the path: the process or the system has run out of a resource.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::MFILE, Errno::NFILE, Errno::NOMEM])
}

fn is_one_of(error: &io::Error, errnos: &[Errno]) -> bool {
    errnos.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Opens a folder below `root`; an empty path is `root` itself, which may be a link.
pub(crate) fn open_folder(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let mut folder = open(root, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    if let Some(found) = open_beneath(&folder, path, OFlags::DIRECTORY) {
        return Ok(found);
    }
    for name in path.components() {
        let Component::Normal(name) = name else { return Err(Errno::NOENT.into()) };
        folder = openat(&folder, name, OFlags::DIRECTORY | SAFELY, Mode::empty())?;
    }
    Ok(folder)
}

/// Opens a regular file below `root` for reading and returns it with its stat; `None` if the path leads to anything else.
pub(crate) fn open_file(root: &Path, path: &Path) -> io::Result<Option<(File, Stat)>> {
    let folder = found(open_folder(root, Path::new("")))?;
    if let Some(file) = folder.and_then(|folder| open_beneath(folder, path, OFlags::RDONLY)) {
        return Ok(regular(&fstat(&file)?).map(|stat| (File::from(file), stat)));
    }
    let Some((folder, name)) = found(parent(root, path))? else { return Ok(None) };
    match openat(&folder, name, OFlags::RDONLY | SAFELY, Mode::empty()) {
        Ok(file) => Ok(regular(&fstat(&file)?).map(|stat| (File::from(file), stat))),
        // Links, sockets and devices each fail in a way of their own.
        Err(error) => stat_in(&folder, name)?.map_or(Ok(None), |_| Err(error.into())),
    }
}

/// Opens a regular file in an open folder for reading; `None` if the name stands for anything else.
pub(crate) fn open_in(folder: impl AsFd, name: &OsStr) -> io::Result<Option<File>> {
    let file = found(openat(folder, name, OFlags::RDONLY | SAFELY, Mode::empty()).map_err(Into::into))?;
    let Some(file) = file else { return Ok(None) };
    Ok(regular(&fstat(&file)?).map(|_| File::from(file)))
}

/// Returns the stat of a regular file below `root`; `None` if the path leads to anything else.
pub(crate) fn stat_file(root: &Path, path: &Path) -> io::Result<Option<Stat>> {
    let Some((folder, name)) = found(parent(root, path))? else { return Ok(None) };
    stat_in(&folder, name)
}

/// Returns the stat of a regular file in an open folder; `None` if the name stands for anything else.
pub(crate) fn stat_in(folder: impl AsFd, name: &OsStr) -> io::Result<Option<Stat>> {
    let stat = found(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(Into::into))?;
    Ok(stat.as_ref().and_then(regular))
}

/// Returns what a name in an open folder stands for.
pub(crate) fn kind_in(folder: impl AsFd, name: &OsStr) -> io::Result<FileType> {
    match found(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(Into::into))? {
        Some(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
        None => Ok(FileType::Unknown),
    }
}

/// Opens a path beneath an open folder at once. `None` if the kernel cannot, or if it fails: then a walk step by step says why.
#[cfg(target_os = "linux")]
fn open_beneath(root: impl AsFd, path: &Path, flags: OFlags) -> Option<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    const BENEATH: ResolveFlags =
        ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
    let is_name = |part: Component<'_>| matches!(part, Component::Normal(_));
    let is_below = path.components().next().is_some() && path.components().all(is_name);
    is_below.then(|| openat2(root, path, flags | SAFELY, Mode::empty(), BENEATH).ok())?
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(_: impl AsFd, _: &Path, _: OFlags) -> Option<OwnedFd> {
    None
}

fn parent<'a>(root: &Path, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let name = path.file_name().ok_or(Errno::NOENT)?;
    Ok((open_folder(root, path.parent().unwrap_or(Path::new("")))?, name))
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_vanished(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn regular(stat: &rustix::fs::Stat) -> Option<Stat> {
    FileType::from_raw_mode(stat.st_mode).is_file().then(|| Stat::from(stat))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Read,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use rustix::fs::{CWD, RenameFlags, mkdirat, mknodat, renameat_with};

    use super::*;

    fn content(root: &Path, path: &str) -> Option<String> {
        let mut content = String::new();
        open_file(root, Path::new(path)).unwrap()?.0.read_to_string(&mut content).unwrap();
        Some(content)
    }

    #[test]
    fn only_regular_files_are_opened_and_no_link_is_followed() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (dir, path) in [(&folder, "sub"), (&folder, "folder.csv"), (&other, "deep")] {
            fs::create_dir(dir.path().join(path)).unwrap();
        }
        fs::write(folder.path().join("a.csv"), "a").unwrap();
        fs::write(folder.path().join("sub/b.csv"), "b").unwrap();
        fs::write(other.path().join("deep/c.csv"), "c").unwrap();
        symlink(folder.path().join("a.csv"), folder.path().join("link.csv")).unwrap();
        symlink("link.csv", folder.path().join("loop.csv")).unwrap();
        symlink(other.path(), folder.path().join("linked")).unwrap();
        symlink(folder.path(), other.path().join("root")).unwrap();
        let root = other.path().join("root");
        assert_eq!(content(&root, "a.csv").as_deref(), Some("a"));
        assert_eq!(content(&root, "sub/b.csv").as_deref(), Some("b"));
        for path in [
            "link.csv",
            "loop.csv",
            "linked/deep/c.csv",
            "linked",
            "folder.csv",
            "a.csv/b.csv",
            "none.csv",
            "sub/../a.csv",
            "",
        ] {
            assert_eq!(content(&root, path), None, "{path}");
            assert_eq!(stat_file(&root, Path::new(path)).unwrap(), None, "{path}");
        }
        assert_eq!(content(Path::new("/dev"), "zero"), None, "a device is not a file");
    }

    #[test]
    fn a_fifo_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        mknodat(CWD, folder.path().join("a.csv"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (sender, opened) = std::sync::mpsc::channel();
        let root = folder.path().to_owned();
        std::thread::spawn(move || sender.send(content(&root, "a.csv")));
        assert_eq!(opened.recv_timeout(std::time::Duration::from_secs(20)), Ok(None));
    }

    /// Opens a path again and again while the function exchanges what is there.
    fn opened_meanwhile(root: &Path, path: &str, exchange: impl Fn(usize) + Sync) -> (usize, usize) {
        const ROUNDS: usize = 5_000;
        let (mut inside, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            let exchanges = scope.spawn(|| (0..ROUNDS).for_each(&exchange));
            while !exchanges.is_finished() {
                let mut content = String::new();
                match open_file(root, Path::new(path)) {
                    Ok(Some((mut file, stat))) => {
                        file.read_to_string(&mut content).unwrap();
                        assert_eq!((content.as_str(), stat.size), ("inside", 6));
                        inside += 1;
                    }
                    Ok(None) | Err(_) => refused += 1,
                }
            }
        });
        (inside, refused)
    }

    #[test]
    fn whatever_is_exchanged_under_a_look_nothing_from_outside_is_opened() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (root, outside) = (folder.path(), other.path());
        fs::create_dir_all(root.join("sub/deep")).unwrap();
        fs::write(root.join("sub/deep/a.csv"), "inside").unwrap();
        fs::create_dir(outside.join("deep")).unwrap();
        fs::write(outside.join("deep/a.csv"), "outside").unwrap();
        symlink(outside, root.join("link")).unwrap();
        let swap = |one: &str, other: &str| {
            renameat_with(CWD, root.join(one), CWD, root.join(other), RenameFlags::EXCHANGE).unwrap();
        };
        // A folder for a link, and back.
        let (inside, refused) = opened_meanwhile(root, "sub/deep/a.csv", |_| swap("sub", "link"));
        assert!(inside > 0 && refused > 0, "{inside} {refused}");
        // A file for a link, a FIFO, a socket and a folder.
        symlink(outside.join("deep/a.csv"), root.join("0")).unwrap();
        mknodat(CWD, root.join("1"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("2")).unwrap();
        fs::create_dir(root.join("3")).unwrap();
        let strange = |round: usize| ["0", "1", "2", "3"][round / 2 % 4];
        let (inside, refused) =
            opened_meanwhile(root, "sub/deep/a.csv", |round| swap("sub/deep/a.csv", strange(round)));
        assert!(inside > 0 && refused > 0, "{inside} {refused}");
    }

    #[test]
    fn stats_are_those_of_the_standard_library() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "content").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let old = std::time::UNIX_EPOCH - std::time::Duration::from_millis(1_500);
        File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        let expect = Some(Stat::of(&fs::metadata(&path).unwrap()));
        assert_eq!(stat_file(folder.path(), Path::new("a.csv")).unwrap(), expect);
        assert_eq!(open_file(folder.path(), Path::new("a.csv")).unwrap().map(|(_, stat)| stat), expect);
    }

    #[test]
    fn a_path_may_be_longer_than_the_system_takes_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let name = "n".repeat(200);
        let mut path = std::path::PathBuf::new();
        for _ in 0..30 {
            let parent = open_folder(folder.path(), &path).unwrap();
            mkdirat(&parent, name.as_str(), Mode::RWXU).unwrap();
            path.push(&name);
        }
        let parent = open_folder(folder.path(), &path).unwrap();
        openat(&parent, "a.csv", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
        assert!(fs::metadata(folder.path().join(&path)).is_err(), "else this tests nothing");
        assert!(open_file(folder.path(), &path.join("a.csv")).unwrap().is_some());
    }
}
