//! `authentication` of an OSPF interface in the file, in whichever of TOML's forms it stands.

use crate::document::Document;
use toml_edit::{Array, InlineTable, Item, TableLike, Value};

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authentication {
    Null,
    /// The password, if there is one yet.
    Simple(Option<String>),
    /// Key ids and keys, the signing one last.
    Md5(Vec<(i64, String)>),
    /// The name of a key chain.
    KeyChain(String),
}

impl Authentication {
    /// Reads that of `interface`; `None` if there is none.
    pub(crate) fn read(document: &Document, interface: &str) -> Option<Self> {
        let item = document.get(&["ospf", "interfaces", interface, "authentication"])?;
        let Some(table) = item.as_table_like() else { return Some(Self::Null) };
        Some(match table.get("type").and_then(Item::as_str) {
            Some("simple") => Self::Simple(table.get("key").and_then(Item::as_str).map(str::to_owned)),
            Some("md5") => Self::Md5(keys(table)),
            Some("key-chain") => {
                Self::KeyChain(table.get("key-chain").and_then(Item::as_str).unwrap_or_default().to_owned())
            }
            _ => Self::Null,
        })
    }

    /// Writes it in place of what stands there.
    pub(crate) fn write(&self, document: &mut Document, interface: &str) {
        let path = ["ospf", "interfaces", interface, "authentication"];
        let mut table = InlineTable::new();
        match self {
            Self::Null => {
                document.set(&path, "null");
                return;
            }
            Self::Simple(key) => {
                table.insert("type", "simple".into());
                if let Some(key) = key {
                    table.insert("key", key.as_str().into());
                }
            }
            Self::Md5(keys) => {
                table.insert("type", "md5".into());
                let key = |(id, key): &(i64, String)| {
                    Value::from(InlineTable::from_iter([
                        ("id", Value::from(*id)),
                        ("key", key.as_str().into()),
                    ]))
                };
                if !keys.is_empty() {
                    table.insert("keys", Array::from_iter(keys.iter().map(key)).into());
                }
            }
            Self::KeyChain(name) => {
                table.insert("type", "key-chain".into());
                table.insert("key-chain", name.as_str().into());
            }
        }
        document.set(&path, table);
    }

    /// Is it the same method, whatever the keys?
    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        core::mem::discriminant(self) == core::mem::discriminant(other)
    }
}

fn keys(table: &dyn TableLike) -> Vec<(i64, String)> {
    let key = |t: &dyn TableLike| Some((t.get("id")?.as_integer()?, t.get("key")?.as_str()?.to_owned()));
    match table.get("keys") {
        Some(Item::ArrayOfTables(tables)) => tables.iter().filter_map(|t| key(t)).collect(),
        Some(Item::Value(Value::Array(array))) => {
            array.iter().filter_map(Value::as_inline_table).filter_map(|t| key(t)).collect()
        }
        _ => Vec::new(),
    }
}
