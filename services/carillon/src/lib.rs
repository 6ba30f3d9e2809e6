//! services/carillon
