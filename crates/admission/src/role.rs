//! Roles: how much a caller may do.

use std::{fmt, str::FromStr, sync::Arc};

/// A right that a token gives. Each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look at everything.
    Read,
    /// Correct products.
    Edit,
    /// Send and remove documents.
    Upload,
    /// Accept held versions.
    Admin,
}

impl Role {
    /// All roles, the weakest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Edit, Self::Upload, Self::Admin];

    /// Its name in a token file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Edit => "edit",
            Self::Upload => "upload",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; write read, edit, upload or admin")]
pub struct NotARole(String);

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(word: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.name() == word).ok_or_else(|| NotARole(word.to_owned()))
    }
}

/// The sender of an admitted request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of its token; `None`: it brought none, or one without a name.
    pub name: Option<Arc<str>>,
    /// Its rights.
    pub role: Role,
}

impl Caller {
    /// The sender where nobody needs a token.
    pub const ANYONE: Self = Self { name: None, role: Role::Admin };
    /// The sender of a probe, which needs no token.
    pub const PROBE: Self = Self { name: None, role: Role::Read };

    /// Whether this caller may do what needs `role`.
    ///
    /// # Errors
    /// [`crate::Denied::Role`].
    pub fn may(&self, role: Role) -> Result<(), crate::Denied> {
        if self.role >= role {
            return Ok(());
        }
        Err(crate::Denied::Role {
            needed: role,
            token: self.name.as_deref().unwrap_or_default().to_owned(),
            has: self.role,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_the_weaker_ones() {
        for (at, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role.to_string().parse(), Ok(role));
            let caller = Caller { name: Some("ann".into()), role };
            let may: Vec<bool> = Role::ALL.into_iter().map(|needed| caller.may(needed).is_ok()).collect();
            assert_eq!(may, (0..4).map(|other| other <= at).collect::<Vec<_>>(), "{role}");
        }
        assert!("Admin".parse::<Role>().unwrap_err().to_string().contains("read, edit, upload or admin"));
        let denied = Caller { name: Some("ann".into()), role: Role::Read }.may(Role::Edit).unwrap_err().to_string();
        assert!(denied.contains("`edit`") && denied.contains("`ann`") && denied.contains("`read`"), "{denied}");
    }
}
