//! Control groups: where this process may make them, and one set of them for a command.
//!
//! Both versions of the kernel's interface, wherever they are mounted. A command's groups are made beside nothing but
//! our own, hold the guest and all that it starts, and are removed with the command, by the supervisor if need be.

mod group;
mod hierarchies;

pub(super) use group::{Group, Settings};
pub(super) use hierarchies::{Controller, Hierarchies, Version};

/// Fails when a process of that number left groups behind. Waits a while: its supervisors remove them.
#[cfg(test)]
pub(super) fn assert_no_groups_of(pid: u32) {
    let prefix = format!("bailiwick-{pid}-");
    let hierarchies = Hierarchies::open_ambient();
    let left = || {
        Controller::ALL.into_iter().filter_map(|one| hierarchies.place(one)).any(|place| {
            let entries = std::fs::read_dir(&place.dir).unwrap().flatten();
            entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        })
    };
    for _ in 0..1000 {
        if !left() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("groups of {pid} are left");
}
