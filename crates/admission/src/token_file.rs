//! The lines of a token file, see docs/reference/http-api.md#token.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    role::{NotARole, Role},
    token::{Token, Weak},
};

/// Longest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most tokens of a server: each request is compared with all of them.
const MAX_TOKENS: usize = 1_000;
/// Longest name of a token, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 500;
/// The fix of a token that cannot be used.
const ADVICE: &str = "`master --new-token NAME` prints a line with a new one";

/// One line of a token file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenLine {
    pub(crate) name: Option<String>,
    pub(crate) role: Role,
    pub(crate) token: Token,
}

/// A token file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// The file cannot be read.
    #[error("failed to read the token file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is no token file.
    #[error("the token file `{}` {why}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The fault, and the fix.
        why: &'static str,
    },
    /// The file holds no token, or none that helps.
    #[error("the token file `{}` holds no token{role}: {ADVICE}", path.display())]
    NoToken {
        /// The file.
        path: PathBuf,
        /// Empty, or the role that is needed.
        role: String,
    },
    /// A line cannot be used.
    #[error("the token file `{}`, line {line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The fault, and the fix.
        why: String,
    },
}

/// Reads the tokens that open a server: at least one, each of 128 bits.
///
/// # Errors
/// The file cannot be read; a line cannot be used; there is no token.
pub(crate) fn read_server_tokens(path: &Path) -> Result<Vec<TokenLine>, TokenFileError> {
    let lines = read(path, |line| line.token.check().map_err(|weak: Weak| format!("{weak}; {ADVICE}")))?;
    if lines.is_empty() {
        return Err(TokenFileError::NoToken { path: path.to_owned(), role: String::new() });
    }
    Ok(lines)
}

/// Reads the token to send to a server: the first in a file of the same form that has at least this role. The server says whether it
/// is long enough.
///
/// # Errors
/// The file cannot be read; a line cannot be used; no token has the role.
pub fn read_client_token(path: &Path, role: Role) -> Result<Token, TokenFileError> {
    let lines = read(path, |_| Ok(()))?;
    let first = lines.iter().find(|line| line.role >= role);
    first.map(|line| line.token.clone()).ok_or_else(|| {
        let role = if lines.is_empty() { String::new() } else { format!(" with the role `{role}`") };
        TokenFileError::NoToken { path: path.to_owned(), role }
    })
}

fn read(path: &Path, check: impl Fn(&TokenLine) -> Result<(), String>) -> Result<Vec<TokenLine>, TokenFileError> {
    let text = read_text(path)?;
    let mut lines: Vec<TokenLine> = Vec::new();
    for (at, typed) in text.lines().enumerate() {
        let wrong = |why: String| TokenFileError::Line { path: path.to_owned(), line: at + 1, why };
        let Some(line) = parse(typed).map_err(wrong)? else { continue };
        check(&line).map_err(wrong)?;
        if line.name.is_some() && lines.iter().any(|other| other.name == line.name) {
            return Err(wrong("another line has this name; give each token its own".to_owned()));
        }
        if lines.iter().any(|other| other.token == line.token) {
            return Err(wrong("another line has this token; give each name its own".to_owned()));
        }
        if lines.len() == MAX_TOKENS {
            return Err(wrong(format!("there are more than {MAX_TOKENS} tokens")));
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Reads the whole file, or nothing of it: half a token must not open anything.
fn read_text(path: &Path) -> Result<String, TokenFileError> {
    let unreadable = |source| TokenFileError::Unreadable { path: path.to_owned(), source };
    let not_text = |why| TokenFileError::NotText { path: path.to_owned(), why };
    // Opening a FIFO would wait for a writer.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(not_text("is not a regular file; name one"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(not_text("has more than 1 MiB; remove the tokens that nobody uses"));
    }
    let text = String::from_utf8(bytes).map_err(|_| not_text("is not UTF-8; save it as plain UTF-8 text"))?;
    // Editors on Windows begin a file with a byte order mark.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Parses a line; `None` if it is empty or a comment. No error repeats a word of it, which may be the token.
fn parse(line: &str) -> Result<Option<TokenLine>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, role, token) = match words[..] {
        [token] => (None, Role::Admin, token),
        [name, token] => (Some(name), Role::Admin, token),
        [name, role, token] => (Some(name), role.parse().map_err(|_: NotARole| NO_ROLE.to_owned())?, token),
        _ => return Err("a line is `NAME ROLE TOKEN`, `NAME TOKEN` or `TOKEN`".to_owned()),
    };
    if let Some(name) = name {
        check_token_name(name)?;
    }
    let token = Token::new(token).filter(|token| token.expose().len() <= MAX_TOKEN_BYTES);
    let token = token.ok_or_else(|| {
        format!("a token has at most {MAX_TOKEN_BYTES} ASCII letters, digits and signs, without blanks; {ADVICE}")
    })?;
    Ok(Some(TokenLine { name: name.map(str::to_owned), role, token }))
}

const NO_ROLE: &str = "the second word is not a role; write read, edit, upload or admin";

/// Checks the name of a token, which pages and logs show.
///
/// # Errors
/// The rule that it breaks.
pub fn check_token_name(name: &str) -> Result<(), String> {
    if name.parse::<Role>().is_ok() {
        return Err(format!("`{name}` is a role; write a name before it, as in `NAME {name} TOKEN`"));
    }
    let is_short = (1..=MAX_NAME_CHARS).contains(&name.chars().count());
    if is_short && name.chars().all(|letter| letter.is_alphanumeric() || "._@+-".contains(letter)) {
        return Ok(());
    }
    Err(format!("the name of a token has 1 to {MAX_NAME_CHARS} letters, digits and `.`, `_`, `@`, `+` or `-`"))
}

#[cfg(test)]
mod tests {
    use std::{error::Error, fs};

    use super::*;

    const LONG: &str = "q7Yh2mVt9Kp4Zx8Rb1Nc5Ws6Ld3Fg0Ja";

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn lines_have_names_and_roles() {
        let text = format!("\u{feff}# people\r\n\r\n ann  edit\t{LONG}1\r\nbob {LONG}2 \n{LONG}3\n{LONG}4\n");
        let lines = read_server_tokens(file(&text).path()).unwrap();
        let found: Vec<_> = lines.iter().map(|line| (line.name.as_deref(), line.role, line.token.expose())).collect();
        let token = |number: u32| format!("{LONG}{number}");
        let expect = [
            (Some("ann"), Role::Edit, 1),
            (Some("bob"), Role::Admin, 2),
            (None, Role::Admin, 3),
            (None, Role::Admin, 4),
        ];
        for (at, (name, role, number)) in expect.into_iter().enumerate() {
            assert_eq!(found[at], (name, role, token(number).as_str()));
        }
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_wrong_line_is_named_and_never_repeated() {
        let check = |text: &str, expect: &[&str]| {
            let error = read_server_tokens(file(text).path()).unwrap_err().to_string();
            assert!(expect.iter().all(|part| error.contains(part)), "{text:?}: {error}");
            assert!(!error.contains(LONG) && !error.contains("s3cret"), "{error}");
        };
        check("", &["holds no token", "master --new-token NAME"]);
        check("# none\n", &["holds no token"]);
        check("ann s3cret\n", &["line 1", "128", "master --new-token NAME"]);
        check(&format!("{LONG}\n\ns3cret"), &["line 3", "128"]);
        check(&format!("ann owner {LONG}"), &["line 1", "read, edit, upload or admin"]);
        check(&format!("ann edit {LONG} s3cret"), &["line 1", "NAME ROLE TOKEN"]);
        check(&format!("a:b {LONG}"), &["line 1", "letters, digits"]);
        check(&format!("ann {LONG}\nann {LONG}1"), &["line 2", "this name"]);
        check(&format!("ann {LONG}\nbob read {LONG}"), &["line 2", "this token"]);
        check(&format!("ann {LONG}\u{e9}"), &["line 1", "ASCII"]);
        check(&format!("read {LONG}"), &["line 1", "`read` is a role", "NAME read TOKEN"]);
        check(&format!("{LONG}\n").repeat(40_000), &["more than 1 MiB"]);
        let folder = tempfile::tempdir().unwrap();
        assert!(read_server_tokens(folder.path()).unwrap_err().to_string().contains("not a regular file"));
        let missing = read_server_tokens(Path::new("no.token")).unwrap_err();
        assert!(missing.to_string().contains("no.token") && missing.source().is_some(), "{missing}");
    }

    #[test]
    fn a_client_sends_the_first_token_that_suffices() {
        let check = |text: &str, role: Role, expect: Option<&str>| {
            let token = read_client_token(file(text).path(), role).ok();
            assert_eq!(token.as_ref().map(Token::expose), expect, "{text:?}");
        };
        check("s3cret\n", Role::Upload, Some("s3cret"));
        check("ann read a\nbob upload b\ncid c\n", Role::Read, Some("a"));
        check("ann read a\nbob upload b\ncid c\n", Role::Upload, Some("b"));
        check("ann read a\nbob upload b\ncid c\n", Role::Admin, Some("c"));
        check("ann read a\n", Role::Edit, None);
        check("two words here\n", Role::Read, None);
    }
}
