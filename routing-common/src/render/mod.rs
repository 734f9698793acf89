//! Text for operators: columns, labelled fields and times. Pure functions from values to strings.

mod date;
mod duration;
mod fields;
mod table;

pub use date::{Date, time_of_day, utc};
pub use duration::{clock_time, short_time};
pub use fields::Fields;
pub use table::{Align, Table};
