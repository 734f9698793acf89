//! Text for operators: columns, labelled fields and times. Pure functions from values to strings.

mod duration;
mod fields;
mod table;

pub use duration::{clock_time, short_time};
pub use fields::Fields;
pub use table::{Align, Table};
