//! Values of JSON and YAML: how they are read without trust, and how two of them are compared.
//!
//! Numbers stay texts, so that one of any length is compared exactly.
//! Never here: what a file says of a checker.

mod compare;
mod json;
mod mask;
mod matching;
mod node;
mod shape;
mod yaml;

pub(super) use compare::{Holds, Order, Rules};
pub(super) use json::read_json;
pub(super) use mask::Mask;
pub(super) use matching::MAX_MATCHED;
pub(super) use node::{MAX_NODES as MAX_CELLS, Node, Unreadable, map as map_of};
pub(super) use yaml::read_yaml;
