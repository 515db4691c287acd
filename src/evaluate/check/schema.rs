//! `json_schema`: JSON that a schema accepts.

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::json::unreadable;
use super::tree::read_json;
use super::{Mismatch, excerpt};

/// A schema that is ready.
#[derive(Clone)]
pub(super) struct Schema {
    validator: Arc<Validator>,
    /// As it was written: by it two schemas are known apart.
    text: Arc<str>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.text).finish()
    }
}

impl Schema {
    /// Makes a schema ready: nothing is fetched for it, and no pattern of it takes more than linear time.
    pub(super) fn read(schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let built = options.should_validate_formats(true).build(schema);
        built.map(|validator| Self { validator: Arc::new(validator), text: schema.to_string().into() }).map_err(
            |error| {
                let why = excerpt::begin_of_text(&error.to_string());
                match error.instance_path().as_str() {
                    "" => format!("is not a JSON schema: {why}"),
                    at => format!("is not a JSON schema: {why}, at {at}"),
                }
            },
        )
    }

    pub(super) fn compare(&self, actual: &[u8]) -> Result<(), Mismatch> {
        let node = read_json(actual).map_err(|fault| unreadable(&fault, actual))?;
        let value = node.to_value();
        let Err(error) = self.validator.validate(&value) else { return Ok(()) };
        let at = excerpt::begin_of_text(&format!("${}", error.instance_path().as_str()));
        let shown = error.instance().to_string();
        // What the schema asks for is what was expected.
        let wanted = excerpt::begin_of_text(&error.schema_path().to_string());
        Err(Mismatch::new("is not what the schema allows").at(at).showing(wanted, excerpt::begin(shown.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_are_checked_when_they_are_read() {
        assert!(Schema::read(&json!({"type": "object", "required": ["a"]})).is_ok());
        for schema in [json!({"type": "objekt"}), json!({"pattern": "("}), json!(7), json!({"pattern": "(?=a)"})] {
            let why = Schema::read(&schema).unwrap_err();
            assert!(why.starts_with("is not a JSON schema: "), "{schema}: {why}");
        }
        // Nothing is fetched.
        assert!(Schema::read(&json!({"$ref": "http://localhost:1/schema.json"})).is_err());
        assert!(Schema::read(&json!({"$ref": "file:///etc/passwd"})).is_err());
    }

    #[test]
    fn the_place_is_told_and_the_schema_is_not() {
        let schema = Schema::read(&json!({"properties": {"a": {"items": {"const": "secret"}}}})).unwrap();
        assert!(schema.compare(b"{\"a\": [\"secret\"]}").is_ok());
        let found = schema.compare(b"{\"a\": [\"guess\"]}").unwrap_err();
        assert_eq!((found.at.as_str(), found.actual.as_deref()), ("$/a/0", Some("\"guess\"")));
        assert!(!format!("{:?}", found.without_expected()).contains("secret"));
        assert_eq!(schema.compare(b"nan").unwrap_err().message, "is not JSON: no value begins here");
    }

    #[test]
    fn schemas_that_name_themselves_come_to_an_end() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
        ] {
            if let Ok(schema) = Schema::read(&schema) {
                let _ = schema.compare(b"[1]");
            }
        }
        let tree = Schema::read(&json!({"items": {"$ref": "#"}, "type": "array"})).unwrap();
        assert!(tree.compare("[[[]]]".as_bytes()).is_ok());
        assert!(tree.compare("[[[1]]]".as_bytes()).is_err());
    }

    #[test]
    fn a_hostile_text_takes_linear_time() {
        let schema = Schema::read(&json!({"pattern": "^(a+)+$"})).unwrap();
        let text = format!("\"{}!\"", "a".repeat(1 << 20));
        assert!(schema.compare(text.as_bytes()).is_err());
        let many = format!("[{}0]", "0,1,".repeat(200_000));
        assert!(Schema::read(&json!({"uniqueItems": true})).unwrap().compare(many.as_bytes()).is_err());
    }
}
