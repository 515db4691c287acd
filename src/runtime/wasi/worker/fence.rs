//! Landlock: of the whole file system a worker can reach no more than the directories that its guests were granted.

use std::os::fd::BorrowedFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};

/// The newest rules that are asked for; an older kernel holds what it knows.
const RULES: ABI = ABI::V6;

/// Shuts this process in, for ever, and says what of it the kernel does not hold.
pub(super) fn shut_in<'a>(dirs: impl IntoIterator<Item = (BorrowedFd<'a>, bool)>) -> Option<&'static str> {
    match try_shut_in(dirs) {
        Ok(RulesetStatus::FullyEnforced) => None,
        Ok(RulesetStatus::PartiallyEnforced) => Some("Landlock of this kernel holds only a part"),
        Ok(RulesetStatus::NotEnforced) => Some("this kernel has no Landlock"),
        Err(_) => Some("Landlock was refused"),
    }
}

fn try_shut_in<'a>(
    dirs: impl IntoIterator<Item = (BorrowedFd<'a>, bool)>,
) -> Result<RulesetStatus, landlock::RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .no_new_privs(false);
    for (dir, writable) in dirs {
        rules = rules.add_rule(PathBeneath::new(dir, granted(writable)))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// What a guest may do below a directory: nothing is executed, and no devices, pipes or sockets are made.
fn granted(writable: bool) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    if !writable {
        return read;
    }
    read | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::RemoveDir
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::MakeReg
        | AccessFs::MakeSym
        | AccessFs::Refer
}
