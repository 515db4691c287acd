//! Words of flags to values: pairs, ports, mounts, assets, variables.

use std::path::PathBuf;

use crate::runtime::Mount;

/// A variable that is granted: with its value, or with the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct EnvFlag {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

/// An asset that is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct AssetFlag {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) save_path: Option<String>,
}

/// Reads `KEY=VALUE`.
pub(in crate::cli) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// Reads `KEY` or `KEY=VALUE`.
pub(super) fn env(text: &str) -> Result<EnvFlag, String> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value.to_owned())));
    if name.is_empty() || name.contains('\0') {
        return Err("write it as KEY or KEY=VALUE".to_owned());
    }
    Ok(EnvFlag { name: name.to_owned(), value })
}

/// Reads the lines of an environment file: `KEY=VALUE` or `KEY`; blank lines and `#` lines are left out.
///
/// Values are taken as they stand: no quotes, no escapes, no expansion.
pub(super) fn env_lines(text: &str) -> Result<Vec<EnvFlag>, (usize, String)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let wanted = lines.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    wanted.map(|(number, line)| env(line.trim_start()).map_err(|message| (number, message))).collect()
}

/// Reads `HOST:GUEST`, two ports.
pub(super) fn port(text: &str) -> Result<(u16, u16), String> {
    let (host, guest) = text.split_once(':').ok_or("write it as HOST:GUEST, two ports")?;
    let number = |port: &str| match port.parse() {
        Ok(0) | Err(_) => Err(format!("`{port}` is not a port: 1 to 65535")),
        Ok(port) => Ok(port),
    };
    Ok((number(host)?, number(guest)?))
}

/// Reads `HOST:GUEST[:ro|rw]`.
pub(in crate::cli) fn mount(text: &str) -> Result<Mount, String> {
    let (rest, writable) = match text.rsplit_once(':') {
        Some((rest, "rw")) => (rest, true),
        Some((rest, "ro")) => (rest, false),
        Some(_) | None => (text, false),
    };
    let (host, guest) = rest.rsplit_once(':').ok_or("write it as HOST:GUEST[:ro|rw]")?;
    if !guest.starts_with('/') {
        return Err(format!("the guest's path `{guest}` is not absolute"));
    }
    let path = std::path::absolute(host).map_err(|error| format!("cannot make `{host}` absolute: {error}"))?;
    if !path.exists() {
        return Err(format!("there is no `{host}` on the host"));
    }
    Ok(Mount { host: path, guest: guest.to_owned(), writable })
}

/// Reads `NAME=PATH[:SAVE_PATH]`; a path that exists as it stands has no save path.
pub(super) fn asset(text: &str) -> Result<AssetFlag, String> {
    let (name, rest) = pair(text).map_err(|_| "write it as NAME=PATH[:SAVE_PATH]")?;
    let (path, save_path) = match rest.rsplit_once(':') {
        Some((path, save_path)) if !PathBuf::from(&rest).exists() => (path, Some(save_path.to_owned())),
        Some(_) | None => (rest.as_str(), None),
    };
    let path = std::path::absolute(path).map_err(|error| format!("cannot make `{path}` absolute: {error}"))?;
    Ok(AssetFlag { name, path, save_path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_only_unless_it_says_rw() {
        let read = |text| mount(text).map(|mount| (mount.guest, mount.writable));
        assert_eq!(read("/tmp:/data"), Ok(("/data".into(), false)));
        assert_eq!(read("/tmp:/data:ro"), Ok(("/data".into(), false)));
        assert_eq!(read("/tmp:/data:rw"), Ok(("/data".into(), true)));
        for wrong in ["/tmp", "/tmp:data", "/tmp:rw", "/nowhere/at/all:/data"] {
            assert!(mount(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_port_is_never_zero() {
        assert_eq!(port("8080:80"), Ok((8080, 80)));
        for wrong in ["80", "0:80", "80:0", "80:65536", "a:b", ":"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_environment_file_has_no_syntax_beyond_lines() {
        let flags = env_lines("# comment\n\nA=1 # kept\nB\n C=\"x\"\n").unwrap();
        let pairs: Vec<_> = flags.iter().map(|flag| (flag.name.as_str(), flag.value.as_deref())).collect();
        assert_eq!(pairs, [("A", Some("1 # kept")), ("B", None), ("C", Some("\"x\""))]);
        assert_eq!(env_lines("A=1\n=2\n").unwrap_err().0, 2);
    }

    #[test]
    fn an_asset_may_say_where_it_is_saved() {
        let flag = asset("table=data/table.csv:tables/t.csv").unwrap();
        assert_eq!((flag.name.as_str(), flag.save_path.as_deref()), ("table", Some("tables/t.csv")));
        assert!(flag.path.is_absolute() && flag.path.ends_with("data/table.csv"));
        assert!(asset("=x").is_err() && asset("x").is_err());
    }
}
