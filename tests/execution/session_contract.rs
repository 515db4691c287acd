//! The contract of sessions: modes, states, what is kept, what is shared, what is left.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod support;

#[path = "session_contract/bases.rs"]
mod bases;
#[path = "session_contract/checkpoints.rs"]
mod checkpoints;
#[path = "session_contract/endings.rs"]
mod endings;
#[path = "session_contract/frozen.rs"]
mod frozen;
#[path = "session_contract/modes.rs"]
mod modes;

use std::sync::Arc;

use bailiwick::{
    Content, FileOutcome, InputContent, InputFile, ResolvedStaticAsset, Session, SpawnRequest, StaticAssetConfig,
    WorkspacePath,
};
use support::yard::{Yard, command};

/// Makes an input file.
fn input(path: &str, text: &str) -> InputFile {
    InputFile::new(WorkspacePath::new(path).unwrap(), InputContent::Text(text.to_owned()))
}

/// Reads a text of the workspace; `None` when nothing is there.
async fn text(session: &Session, path: &str) -> Option<String> {
    match session.get_file_contents(&[path]).await.unwrap().get(path).unwrap() {
        FileOutcome::Content(Content::Text(text)) => Some(text.clone()),
        FileOutcome::Missing => None,
        other @ (FileOutcome::NotRegular
        | FileOutcome::Outside
        | FileOutcome::Content(_)
        | FileOutcome::TooLarge { .. }) => {
            panic!("{path}: {other:?}")
        }
    }
}

/// Runs words on a runtime of their own; gives what they print.
async fn say(session: &Session, words: &[&str]) -> String {
    let mut request = SpawnRequest::default();
    request.disable_setup = true;
    let runtime = session.spawn(request).await.unwrap();
    let result = runtime.execute(command(words)).await.unwrap();
    assert_eq!(result.exit_code(), 0, "{result}");
    runtime.cleanup().await.unwrap();
    result.stdout.text().unwrap()
}

/// Lays out `table.csv` and the directory `tree` outside, and resolves both as assets.
fn assets(yard: &Yard) -> Vec<ResolvedStaticAsset> {
    let base = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    base.create_dir_all("tree/sub").unwrap();
    base.write("table.csv", "a,b\n").unwrap();
    base.write("tree/sub/leaf", "leaf").unwrap();
    let base = Arc::new(base);
    ["table.csv", "tree"]
        .map(|path| {
            let mut config = StaticAssetConfig::new(path);
            config.save_path = Some(format!("given/{path}"));
            let name = path.split('.').next().unwrap();
            ResolvedStaticAsset::resolve(&base, name, &config).unwrap()
        })
        .into()
}
