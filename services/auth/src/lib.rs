//! services/auth
