//! How files name assets: flat, or in groups with an order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::AssetError;

/// One asset as a file names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StaticAssetConfig {
    /// Where it is: relative to the directory of the file that names it, and below that directory.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub path: String,
    /// Where it stands for the guest, below the asset root. Default: `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_path: Option<String>,
    /// The SHA-256 of the file, in hex; another content is an error. Default: not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Reserved: unpack an archive. Comes with a later version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<Value>,
    /// Reserved: content that the host writes nowhere. Comes with a later version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Value>,
    /// Reserved: content from elsewhere. Comes with a later version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Value>,
}

impl StaticAssetConfig {
    /// Names an asset by its path alone.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Refuses what this version does not know yet.
    pub(super) fn check_version(&self, name: &str) -> Result<(), AssetError> {
        let later = [("extract", &self.extract), ("secret", &self.secret), ("url", &self.url)];
        match later.into_iter().find(|(_, value)| value.is_some()) {
            Some((key, _)) => Err(AssetError::Later { name: name.to_owned(), key }),
            None => Ok(()),
        }
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
        let by_name = |assets: &'_ BTreeMap<String, StaticAssetConfig>| assets.is_empty();
        match (self, ordering) {
            (Self::Flat(assets), Some(_)) if !by_name(assets) => Err(AssetError::NoGroups),
            (Self::Flat(assets), _) => Ok(assets.iter().map(|(name, asset)| (name.as_str(), asset)).collect()),
            (Self::Grouped(groups), None) if groups.is_empty() => Ok(BTreeMap::new()),
            (Self::Grouped(_), None) => Err(AssetError::NoOrdering),
            (Self::Grouped(groups), Some(ordering)) => {
                let applied = ordering.iter().filter_map(|group| groups.get(group)).flatten();
                Ok(applied.map(|(name, asset)| (name.as_str(), asset)).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for StaticAssets {
    /// Tells groups from assets by their shape, so that a mistake in an asset is told as one of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let is_group = |value: &Value| value.as_object().is_some_and(|group| group.values().all(Value::is_object));
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
    fn keys_of_later_versions_are_read_and_refused() {
        for key in ["extract", "secret", "url"] {
            let config: StaticAssetConfig = serde_json::from_value(json!({"path": "x", key: true})).unwrap();
            let error = config.check_version("a").unwrap_err();
            assert!(matches!(&error, AssetError::Later { key: told, .. } if *told == key), "{error}");
        }
    }
}
