//! services/gateway
