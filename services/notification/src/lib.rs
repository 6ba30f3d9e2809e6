//! services/notification
