//! What a guest may not reach: files of the host, links out of the workspace, the network.

use super::canary::Canary;
use super::limits::ended;
use super::report::Seen;
use super::stage::{Ran, Trouble, Yard};
use crate::runtime::{Termination, Trial, TrialGuest};
use crate::workspace::FileOutcome;

/// Says what speaks against a wall: the canary was read or changed, or something worked that should not.
fn against(canary: &Canary, ran: &Ran) -> Result<Option<String>, Trouble> {
    let read = [&ran.result.stdout, &ran.result.stderr].into_iter().any(|output| canary.is_in(&output.kept));
    Ok(match ran.result.termination {
        _ if read => Some("a file of the host was read".to_owned()),
        _ if !canary.is_intact() => Some("a file of the host was changed".to_owned()),
        Termination::Exited { code: TrialGuest::WORKED } => Some("what the guest tried worked".to_owned()),
        Termination::Exited { code: TrialGuest::REFUSED } => None,
        Termination::Exited { .. }
        | Termination::Signaled { .. }
        | Termination::Trapped { .. }
        | Termination::LimitExceeded { .. }
        | Termination::Killed { .. }
        | Termination::NotStarted { .. } => return Err(Trouble::Unclear(ended(&ran.result))),
    })
}

/// Tries to read a file of the host.
pub(super) async fn read(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let canary = Canary::plant(yard.registry)?;
    let paths = canary.paths();
    let seen = format!("refused by {} paths", paths.len());
    let ran = yard.once(&[], &Trial::ReadPaths(paths)).await?;
    Ok(Seen::unless(against(&canary, &ran)?, seen))
}

/// Tries to write a file of the host.
pub(super) async fn write(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let canary = Canary::plant(yard.registry)?;
    let paths = canary.paths();
    let seen = format!("refused by {} paths", paths.len());
    let ran = yard.once(&[], &Trial::WritePaths(paths)).await?;
    Ok(Seen::unless(against(&canary, &ran)?, seen))
}

/// Tries to reach a file of the host through symlinks.
pub(super) async fn links(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let canary = Canary::plant(yard.registry)?;
    let paths = canary.paths();
    let seen = format!("{} links lead nowhere", paths.len());
    let ran = yard.once(&[], &Trial::LinkPaths(paths)).await?;
    Ok(Seen::unless(against(&canary, &ran)?, seen))
}

/// Lets a guest make symlinks to a file of the host, and reads them back as outputs.
pub(super) async fn read_back(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let canary = Canary::plant(yard.registry)?;
    let paths = canary.paths();
    let names: Vec<String> = (0..paths.len()).map(|n| format!("out{n}")).collect();
    yard.guest(&Trial::LinkPaths(paths.clone()))?;
    let stage = yard.stage(&[]).await?;
    let ran = stage.run(&Trial::LinkPaths(paths)).await;
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["*"]).collect();
    let contents = stage.session.get_file_contents(&names).await;
    stage.close().await?;
    let (ran, contents) = (ran?, contents?);
    if !matches!(ran.result.termination, Termination::Exited { code: TrialGuest::WORKED | TrialGuest::REFUSED }) {
        return Err(Trouble::Unclear(ended(&ran.result)));
    }
    let followed = contents.files.iter().find_map(|(name, outcome)| match outcome {
        FileOutcome::Content(content) if canary.is_in(content.as_bytes()) => Some(name),
        FileOutcome::Content(_)
        | FileOutcome::Missing
        | FileOutcome::NotRegular
        | FileOutcome::Outside
        | FileOutcome::TooLarge { .. } => None,
    });
    let made = contents.files.iter().filter(|(_, outcome)| *outcome == FileOutcome::NotRegular).count();
    let against = followed.map(|name| format!("`{name}` was followed out of the workspace"));
    Ok(Seen::unless(against, format!("{made} links of the guest's were not followed")))
}

/// Tries to connect to a socket of this host.
pub(super) async fn network(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    let canary = Canary::plant(yard.registry)?;
    let address = canary.address().map_err(|error| Trouble::Unclear(error.to_string()))?;
    let ran = yard.once(&[], &Trial::Connect(address)).await?;
    let said = String::from_utf8_lossy(&ran.result.stdout.kept);
    let ways: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("interface ")).map(str::trim).collect();
    let against = match canary.connections() {
        0 if ways.is_empty() => against(&canary, &ran)?,
        0 => Some(format!("there are network interfaces: {}", ways.join(", "))),
        _ => Some("a guest connected to this host".to_owned()),
    };
    Ok(Seen::unless(against, "a listening socket of this host was not reached"))
}
