//! The consent page: what an app asks for, the sign-in that allows it, and the way back to the app.

mod page;
mod request;
pub mod routes;
mod seal;
