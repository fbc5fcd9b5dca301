//! Categories of GIFT and Moodle, which banks call topics.

/// The topic of a category's path, without what names the place it was exported from.
pub(super) fn topic(path: &str) -> Option<String> {
    let mut segments = segments(path.trim());
    if segments.first().is_some_and(|first| first.starts_with('$') && first.ends_with('$')) {
        segments.remove(0);
        if segments.first().is_some_and(|next| next == "top") {
            segments.remove(0);
        }
    }
    let topic = segments.join(" / ");
    (!topic.trim().is_empty()).then(|| topic.trim().to_owned())
}

/// The path of a topic.
pub(super) fn path(topic: Option<&str>) -> String {
    let Some(topic) = topic else { return "$course$/top".to_owned() };
    // A slash at the beginning must not join the one before it.
    let gap = if topic.starts_with('/') { " " } else { "" };
    format!("$course$/top/{gap}{}", topic.replace('/', "//"))
}

/// Parts between slashes; a slash within a name is doubled.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut rest = path.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '/' && rest.next_if_eq(&'/').is_none() {
            segments.push(String::new());
        } else if let Some(segment) = segments.last_mut() {
            segment.push(c);
        }
    }
    segments.into_iter().map(|segment| segment.trim().to_owned()).collect()
}

/// The tag that carries a difficulty.
pub(super) const DIFFICULTY: &str = "difficulty-";

/// The difficulty of a tag, if it carries one.
pub(super) fn difficulty(tag: &str) -> Option<u8> {
    tag.trim().strip_prefix(DIFFICULTY)?.parse().ok().filter(|level| (1..=5).contains(level))
}
