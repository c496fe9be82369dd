//! `group_by` as typed: one column, or a list of them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use tributary_protocol::{DateGroup, GroupSpec};

/// The columns of `group_by`.
#[derive(Debug)]
pub(super) struct GroupBy(pub(super) Vec<GroupSpec>);

impl<'de> Deserialize<'de> for GroupBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupByVisitor)
    }
}

struct GroupByVisitor;

impl<'de> Visitor<'de> for GroupByVisitor {
    type Value = GroupBy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column, a table such as { column = \"Date\", by = \"month\" }, or a list of them")
    }

    fn visit_str<E: de::Error>(self, column: &str) -> Result<GroupBy, E> {
        Ok(GroupBy(vec![column.into()]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GroupBy, A::Error> {
        let date = DateGroup::deserialize(MapAccessDeserializer::new(map))?;
        Ok(GroupBy(vec![GroupSpec::Date(date)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<GroupBy, A::Error> {
        let mut groups = Vec::new();
        while let Some(group) = list.next_element()? {
            groups.push(group);
        }
        Ok(GroupBy(groups))
    }
}
