//! The pages that are written out of the programs say what the programs are (`make docs` writes them anew), and what
//! the documentation links to is there (S0-15).

mod links;
mod metrics;
mod names;
mod page;
mod reference;
