//! For every operation of the document: objects that exist, and a whole request that succeeds for those who may send it.

mod apps;
mod callers;
mod decisions;
mod deliveries;
mod documents;
mod identity;
mod members;
mod months;
mod officers_word;
mod operation;
mod push;
mod quizzes;
mod rules;
mod scene;
mod units;
mod webhooks;

pub use callers::{CALLERS, Cast};
pub use operation::{Operation, in_worlds, operations, path_of_nothing, resolved};
pub use scene::{Body, Scene};

/// Sets the stage for one request. What its path and its body name is there, and nothing was done to it yet.
pub async fn set<'a>(cast: &'a Cast, operation: &'a Operation, caller: &str) -> Scene<'a> {
    let mut scene = Scene::new(cast, operation, caller);
    identity::prepare(&mut scene).await;
    apps::prepare(&mut scene).await;
    members::prepare(&mut scene).await;
    units::prepare(&mut scene).await;
    decisions::prepare(&mut scene).await;
    documents::prepare(&mut scene).await;
    deliveries::prepare(&mut scene).await;
    officers_word::prepare(&mut scene).await;
    push::prepare(&mut scene).await;
    quizzes::prepare(&mut scene).await;
    rules::prepare(&mut scene).await;
    months::prepare(&mut scene).await;
    webhooks::prepare(&mut scene).await;
    scene.insist_that_it_is_whole();
    scene
}
