//! What all parts say in one way: medians with quartiles, ratios to the floor, aims, tables, charts, files.

mod aim;
mod chart;
mod comparison;
mod output;
mod quartiles;
mod table;

pub(crate) use aim::{Aim, aims};
pub(crate) use chart::{Bar, Chart, Group};
pub(crate) use comparison::Comparison;
pub(crate) use output::Output;
pub(crate) use quartiles::{Quartiles, median, significant, spread};
pub(crate) use table::Table;
