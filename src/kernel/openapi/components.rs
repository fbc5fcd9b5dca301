//! Schemas of response bodies, collected while the document is built.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use utoipa::ToSchema;
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};

/// The generator takes the success responses from the types of handlers, and forgets the schemas that they refer to.
static SCHEMAS: Mutex<BTreeMap<String, RefOr<Schema>>> = Mutex::new(BTreeMap::new());

/// Keeps the schema of a type and all that it refers to. Returns a reference to it, and its description.
pub fn register<T: ToSchema>() -> (RefOr<Schema>, String) {
    let (name, schema) = (T::name().into_owned(), T::schema());
    let description = match &schema {
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::AllOf(whole)) => whole.description.clone(),
        _ => None,
    };
    let mut referred = Vec::new();
    T::schemas(&mut referred);
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    schemas.extend(referred);
    schemas.insert(name.clone(), schema);
    (Ref::from_schema_name(name).into(), description.unwrap_or_else(|| "The answer.".to_owned()))
}

/// Adds what was collected to the document.
pub fn add_to(api: &mut OpenApi) {
    let schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    api.components.get_or_insert_default().schemas.extend(schemas);
}
