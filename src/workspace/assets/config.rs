//! How files name assets: flat, or in groups with an order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::AssetError;

/// One asset as a file names it: by exactly one of `path`, `url` and `secret`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StaticAssetConfig {
    /// Where it is: relative to the directory of the file that names it, and below that directory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1))]
    pub path: String,
    /// Where it stands for the guest, below the asset root. Default: `path`; needed by `url` and `secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_path: Option<String>,
    /// The SHA-256 of the file, in hex; another content is an error. Default: not checked; needed by `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether the file is an archive that is unpacked, so that the asset is a directory. Default: no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extract: bool,
    /// Content that the host writes nowhere but into the file that the guest reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretConfig>,
    /// A file of the host, wherever it is: `file:///…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretConfig {
    /// The environment variable of the host that holds it.
    #[schemars(length(min = 1))]
    pub env: String,
}

impl StaticAssetConfig {
    /// Names an asset by its path alone.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// The assets of a file: flat, or in groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StaticAssets {
    /// Assets by name.
    Flat(BTreeMap<String, StaticAssetConfig>),
    /// Assets by name, by group; an order says which groups apply, the last of which wins.
    Grouped(BTreeMap<String, BTreeMap<String, StaticAssetConfig>>),
}

impl Default for StaticAssets {
    fn default() -> Self {
        Self::Flat(BTreeMap::new())
    }
}

impl StaticAssets {
    /// Gives the assets that apply: all flat ones, or those of the ordered groups, later ones over earlier ones.
    ///
    /// A group that the order names and nobody fills is empty; one that it leaves out does not apply.
    ///
    /// # Errors
    /// Groups without an order, an order without groups.
    pub fn in_order(&self, ordering: Option<&[String]>) -> Result<BTreeMap<&str, &StaticAssetConfig>, AssetError> {
        match (self, ordering) {
            (Self::Flat(assets), Some(_)) if !assets.is_empty() => Err(AssetError::NoGroups),
            (Self::Flat(assets), _) => Ok(assets.iter().map(|(name, asset)| (name.as_str(), asset)).collect()),
            (Self::Grouped(groups), None) if groups.is_empty() => Ok(BTreeMap::new()),
            (Self::Grouped(_), None) => Err(AssetError::NoOrdering),
            (Self::Grouped(groups), Some(ordering)) => {
                let applied = ordering.iter().filter_map(|group| groups.get(group)).flatten();
                Ok(applied.map(|(name, asset)| (name.as_str(), asset)).collect())
            }
        }
    }

    /// Lists the names of the groups, those that do not apply too.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let groups = match self {
            Self::Flat(_) => None,
            Self::Grouped(groups) => Some(groups.keys().map(String::as_str)),
        };
        groups.into_iter().flatten()
    }
}

impl<'de> Deserialize<'de> for StaticAssets {
    /// Tells groups from assets by their shape, so that a mistake in an asset is told as one of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let is_secret = |group: &Map<String, Value>| group.len() == 1 && group.contains_key("secret");
        let is_group = |value: &Value| {
            value.as_object().is_some_and(|group| group.values().all(Value::is_object) && !is_secret(group))
        };
        let read = |name: &str, value: Value| {
            serde_json::from_value(value).map_err(|error| D::Error::custom(format!("the asset `{name}`: {error}")))
        };
        if map.is_empty() || !map.values().all(is_group) {
            let flat = map.into_iter().map(|(name, value)| {
                let asset = read(&name, value)?;
                Ok((name, asset))
            });
            return flat.collect::<Result<_, _>>().map(Self::Flat);
        }
        let mut groups = BTreeMap::new();
        for (group, assets) in map {
            let assets = BTreeMap::<String, Value>::deserialize(assets).map_err(D::Error::custom)?;
            let mut read_assets = BTreeMap::new();
            for (name, value) in assets {
                let asset = read(&name, value)?;
                read_assets.insert(name, asset);
            }
            groups.insert(group, read_assets);
        }
        Ok(Self::Grouped(groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<StaticAssets, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn the_later_group_wins() {
        let assets = read(json!({
            "base": {"a": {"path": "a1"}, "b": {"path": "b1"}},
            "more": {"a": {"path": "a2"}},
            "unused": {"c": {"path": "c"}},
        }))
        .unwrap();
        let order = ["base".to_owned(), "missing".to_owned(), "more".to_owned()];
        let paths: Vec<_> = assets
            .in_order(Some(&order))
            .unwrap()
            .into_iter()
            .map(|(name, asset)| (name, asset.path.as_str()))
            .collect();
        assert_eq!(paths, [("a", "a2"), ("b", "b1")]);
        assert!(matches!(assets.in_order(None), Err(AssetError::NoOrdering)));
    }

    #[test]
    fn flat_assets_take_no_order() {
        let assets = read(json!({"a": {"path": "x", "save_path": "y"}})).unwrap();
        assert_eq!(assets.in_order(None).unwrap()["a"].save_path.as_deref(), Some("y"));
        assert!(matches!(assets.in_order(Some(&[])), Err(AssetError::NoGroups)));
        assert!(StaticAssets::default().in_order(Some(&[])).unwrap().is_empty());
    }

    #[test]
    fn unknown_keys_and_mixed_shapes_are_refused() {
        let error = read(json!({"a": {"path": "x", "type": "file"}})).unwrap_err();
        assert!(error.contains("the asset `a`: unknown field `type`"), "{error}");
        assert!(read(json!({"g": {"a": {"path": "x", "typo": 1}}})).is_err());
        assert!(read(json!({"g": {"a": {"path": "x"}}, "b": {"path": "y"}})).is_err());
    }

    #[test]
    fn a_secret_is_no_group() {
        let assets = read(json!({"key": {"secret": {"env": "KEY"}, "save_path": "k"}})).unwrap();
        assert_eq!(assets.in_order(None).unwrap()["key"].secret.as_ref().unwrap().env, "KEY");
        assert!(read(json!({"key": {"secret": "KEY", "save_path": "k"}})).is_err());
        // Without a save path it has the form of a group, and is told as an asset all the same.
        let assets = read(json!({"key": {"secret": {"env": "KEY"}}})).unwrap();
        assert_eq!(assets.in_order(None).unwrap()["key"].secret.as_ref().unwrap().env, "KEY");
        assert_eq!(assets.groups().count(), 0);
    }
}
