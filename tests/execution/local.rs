//! The local runtime as a registry shows it. What commands do is tested beside the runtime itself.

use bailiwick::Local;
use bailiwick::spec::{LimitName, Mode, load};
use bailiwick::{Host, Level, RuntimeRegistry, Subject};

fn registry() -> RuntimeRegistry {
    RuntimeRegistry::builder(Host::default()).with(Local::new(&Host::default())).build().expect("one kind")
}

#[test]
fn every_limit_has_a_row_that_says_by_what() {
    let registry = registry();
    let loaded = load("type: local\nname: t\n", "t", &registry).unwrap();
    let table = registry.kind("local").unwrap().enforcement(&loaded.spec.section).unwrap();
    for name in LimitName::ALL {
        let row = table.rows.iter().find(|row| row.subject == Subject::Limit(name));
        assert!(row.is_some_and(|row| !row.by.is_empty()), "{name}");
    }
    let unsupported = |row: &bailiwick::EnforcementRow| row.level == Level::Unsupported;
    let disk = table.rows.iter().find(|row| row.subject == Subject::Limit(LimitName::Disk));
    assert!(disk.is_some_and(unsupported));
}

#[test]
fn the_built_in_spec_loads_and_names_its_runtime() {
    let registry = registry();
    let builtin = registry.builtin_spec("local-python").unwrap();
    let spec = load(builtin.text, builtin.name, &registry).unwrap().spec;
    assert_eq!((spec.ty.as_str(), spec.name.as_str()), ("local", "python"));
    assert_eq!(spec.get_command("main", Mode::Evaluation).unwrap(), "python3 main.py");
}

/// L3: it says what it is, and asks.
#[tokio::test]
async fn l3_it_says_that_nothing_isolates() {
    let registry = registry();
    let kind = registry.kind("local").unwrap();
    let loaded = load("type: local\nname: t\n", "t", &registry).unwrap();
    assert!(kind.needs_consent() && !kind.is_default_for_run());
    assert_eq!(kind.isolation(&loaded.spec.section).unwrap(), "none");
    let info = kind.probe().await.unwrap();
    assert_eq!(info.engine, "host processes");
    assert!(info.facts.iter().any(|(name, _)| name == "kernel"));
    assert!(info.weaker.iter().any(|line| line.contains("isolates")), "{:?}", info.weaker);
    assert!(load("type: local\nname: t\nlocal: {isolation: chroot}\n", "t", &registry).is_err());
}
