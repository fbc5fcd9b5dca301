//! Shared foundations of all features; knows no feature itself.

pub mod batching;
pub mod clock;
pub mod config;
pub mod db;
pub mod duty_cycle;
pub mod extract;
pub mod foreign;
pub mod http;
pub mod ids;
pub mod memory;
pub mod openapi;
pub mod outbox;
pub mod pages;
pub mod redis;
pub mod security;
pub mod sheet;
pub mod state;
pub mod text;
