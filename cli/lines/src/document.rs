//! A router's TOML file that can be changed in place.
//!
//! Comments, order and spelling of what is not touched stay as the operator wrote them. A document need not be a
//! valid configuration between two lines; whether it is one says [`routing_common::config::load`].
//!
//! Tables that only hold other things together (`ospf.spf`, `vrrp.groups`) go when they become empty. Tables whose
//! presence says something (`ospf.interfaces.NAME`, `ospf.redistribute.static`) stay, even without a key.

use std::net::Ipv4Addr;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

/// Tables that mean nothing by themselves.
const HOLDERS: &[&[&str]] = &[
    &["interfaces"],
    &["prefix-lists"],
    &["access-lists"],
    &["route-maps"],
    &["access"],
    &["key-chains"],
    &["rib"],
    &["ospf", "interfaces"],
    &["ospf", "redistribute"],
    &["ospf", "distribute-list"],
    &["ospf", "spf"],
    &["ospf", "graceful-restart"],
    &["vrrp"],
    &["vrrp", "groups"],
    &["bfd"],
    &["bfd", "profiles"],
    &["bfd", "peers"],
];

/// An editable `router.toml`.
#[derive(Debug, Clone, Default)]
pub struct Document(DocumentMut);

/// The text is not TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotToml(String);

impl Document {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Self, NotToml> {
        text.parse().map(Self).map_err(|e: toml_edit::TomlError| NotToml(e.to_string()))
    }

    /// The text as it stands now.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// What stands at `path`.
    pub fn get(&self, path: &[&str]) -> Option<&Item> {
        let (last, above) = path.split_last()?;
        let mut table: &dyn TableLike = self.0.as_table();
        for name in above {
            table = table.get(name)?.as_table_like()?;
        }
        table.get(last).filter(|i| !i.is_none())
    }

    /// Does `path` stand in the file, if only as an empty table?
    pub fn has(&self, path: &[&str]) -> bool {
        self.get(path).is_some()
    }

    /// The string at `path`.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// The names in the table at `path`, in file order.
    pub fn names(&self, path: &[&str]) -> Vec<String> {
        let table = self.get(path).and_then(Item::as_table_like);
        table.map(|t| t.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
    }

    /// The strings of the array at `path`.
    pub fn strings(&self, path: &[&str]) -> Vec<String> {
        let array = self.get(path).and_then(Item::as_array);
        array.map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Puts `value` at `path`, with the tables above it. What was said behind the old value stays there.
    pub fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        let Some((last, above)) = path.split_last() else { return };
        let mut value = value.into();
        let table = enter(self.0.as_table_mut(), above);
        if let Some(old) = table.get_mut(last).and_then(Item::as_value_mut) {
            *value.decor_mut() = old.decor().clone();
            *old = value;
            return;
        }
        // A table that becomes a value would keep its place among the tables, where a value cannot stand.
        table.remove(last);
        table.insert(last, Item::Value(value));
    }

    /// Makes sure that a table stands at `path`.
    pub fn ensure_table(&mut self, path: &[&str]) {
        enter(self.0.as_table_mut(), path);
        if let Some(table) = self.get_mut(path).and_then(Item::as_table_mut) {
            table.set_implicit(false);
        }
    }

    /// Takes away what stands at `path`, and what above it meant nothing without it. Was there anything?
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let Some((last, above)) = path.split_last() else { return false };
        let table = if above.is_empty() {
            Some(self.0.as_table_mut() as &mut dyn TableLike)
        } else {
            self.get_mut(above).and_then(Item::as_table_like_mut)
        };
        let removed = table.is_some_and(|t| t.remove(last).is_some());
        let empty = self.get(above).and_then(Item::as_table_like).is_some_and(TableLike::is_empty);
        if removed && empty && HOLDERS.contains(&above) {
            self.remove(above);
        }
        removed
    }

    /// Gives the table at `path` another last name; its contents stay.
    pub fn rename(&mut self, path: &[&str], name: &str) {
        let Some((last, above)) = path.split_last() else { return };
        if let Some(table) = self.get_mut(above).and_then(Item::as_table_like_mut)
            && let Some(item) = table.remove(last)
        {
            table.insert(name, item);
        }
    }

    /// Puts `text` at the end of the array of strings at `path`.
    pub fn push(&mut self, path: &[&str], text: &str) {
        match self.get_mut(path).and_then(Item::as_array_mut) {
            Some(array) => array.push(text),
            None => self.set(path, Array::from_iter([text])),
        }
    }

    /// Takes the strings that `unwanted` names out of the array at `path`; an array that becomes empty goes.
    pub fn retain(&mut self, path: &[&str], mut unwanted: impl FnMut(&str) -> bool) -> bool {
        let Some(array) = self.get_mut(path).and_then(Item::as_array_mut) else { return false };
        let before = array.len();
        array.retain(|v| !v.as_str().is_some_and(&mut unwanted));
        let (after, removed) = (array.len(), array.len() < before);
        if after == 0 && removed {
            self.remove(path);
        }
        removed
    }

    fn get_mut(&mut self, path: &[&str]) -> Option<&mut Item> {
        let (last, above) = path.split_last()?;
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        for name in above {
            table = table.get_mut(name)?.as_table_like_mut()?;
        }
        table.get_mut(last)
    }

    /// The elements of the array of tables at `path`, in whichever of TOML's two forms they stand.
    pub(crate) fn tables(&self, path: &[&str]) -> Vec<&dyn TableLike> {
        match self.get(path) {
            Some(Item::ArrayOfTables(tables)) => tables.iter().map(|t| t as &dyn TableLike).collect(),
            Some(Item::Value(Value::Array(array))) => {
                array.iter().filter_map(Value::as_inline_table).map(|t| t as &dyn TableLike).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Puts a table at the end of the array of tables at `path`.
    pub(crate) fn push_table(&mut self, path: &[&str], new: Table) {
        let Some((last, above)) = path.split_last() else { return };
        let table = enter(self.0.as_table_mut(), above);
        match table.get_mut(last) {
            Some(Item::Value(Value::Array(array))) => array.push(new.into_inline_table()),
            Some(Item::ArrayOfTables(tables)) => tables.push(new),
            _ => {
                table.remove(last);
                table.insert(last, Item::ArrayOfTables(ArrayOfTables::from_iter([new])));
            }
        }
    }

    /// Changes every table of the array at `path`; those for which `keep` says no go, and with the last of them the
    /// array.
    pub(crate) fn edit_tables(&mut self, path: &[&str], mut keep: impl FnMut(&mut dyn TableLike) -> bool) {
        let empty = match self.get_mut(path) {
            Some(Item::ArrayOfTables(tables)) => {
                for at in (0..tables.len()).rev() {
                    if tables.get_mut(at).is_some_and(|t| !keep(t)) {
                        tables.remove(at);
                    }
                }
                tables.is_empty()
            }
            Some(Item::Value(Value::Array(array))) => {
                for at in (0..array.len()).rev() {
                    let table = array.get_mut(at).and_then(Value::as_inline_table_mut);
                    if table.is_some_and(|t| !keep(t)) {
                        array.remove(at);
                    }
                }
                array.is_empty()
            }
            _ => false,
        };
        if empty {
            self.remove(path);
        }
    }

    /// Takes the tables that fit out of the array at `path`. Were there any? If not, nothing has changed.
    pub(crate) fn remove_tables(&mut self, path: &[&str], fits: impl Fn(&dyn TableLike) -> bool) -> bool {
        let found = self.tables(path).into_iter().any(&fits);
        if found {
            self.edit_tables(path, |table| !fits(table));
        }
        found
    }

    /// Changes the tables that fit in the array at `path`. Were there any? If not, nothing has changed.
    pub(crate) fn change_tables(
        &mut self,
        path: &[&str],
        fits: impl Fn(&dyn TableLike) -> bool,
        mut change: impl FnMut(&mut dyn TableLike),
    ) -> bool {
        let found = self.tables(path).into_iter().any(&fits);
        if found {
            self.edit_tables(path, |table| {
                if fits(table) {
                    change(table);
                }
                true
            });
        }
        found
    }

    /// Brings the top's entries into the usual order, for a file that no person has ordered.
    pub(crate) fn sort(&mut self) {
        const ORDER: [&str; 13] = [
            "hostname",
            "defaults",
            "interfaces",
            "static-routes",
            "prefix-lists",
            "access-lists",
            "route-maps",
            "access",
            "key-chains",
            "rib",
            "ospf",
            "vrrp",
            "bfd",
        ];
        for name in ORDER {
            if let Some((key, item)) = self.0.remove_entry(name) {
                self.0.insert_formatted(&key, item);
            }
        }
    }

    /// The addresses of the file's interfaces with the interfaces' names, in file order.
    pub(crate) fn addresses(&self) -> Vec<(String, Ipv4Addr)> {
        let of = |name: String| {
            let listed = self.strings(&["interfaces", &name, "addresses"]);
            let parsed = listed.into_iter().filter_map(|a| a.split('/').next()?.parse().ok());
            parsed.map(move |a| (name.clone(), a)).collect::<Vec<_>>()
        };
        self.names(&["interfaces"]).into_iter().flat_map(of).collect()
    }
}

/// The table at `path` below `table`, made where it is missing. What is no table gives way to one.
fn enter<'a>(table: &'a mut dyn TableLike, path: &[&str]) -> &'a mut dyn TableLike {
    let Some((first, rest)) = path.split_first() else { return table };
    if table.get(first).is_none_or(|i| !i.is_table_like()) {
        let mut new = Table::new();
        new.set_implicit(true);
        new.set_dotted(false);
        table.remove(first);
        table.insert(first, Item::Table(new));
    }
    match table.get_mut(first).and_then(Item::as_table_like_mut) {
        Some(inner) => enter(inner, rest),
        // proof: a table was put there above.
        None => unreachable!("the entry is a table"),
    }
}

#[cfg(test)]
mod tests;
