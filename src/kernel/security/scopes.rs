//! Scopes: what an app may be allowed, and what each operation of the document asks of an app.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::auth::Claims;
use crate::kernel::http::problem::{Text, text};

/// The security scheme of apps that act for a person.
pub const FOR_A_PERSON: &str = "oauth2";
/// The security scheme of apps that act for no person.
pub const ALONE: &str = "oauth2_client";

/// Scopes that an app can have without a person.
pub const OF_NO_PERSON: &[AppScope] = &[AppScope::LeaderboardsRead, AppScope::UnitsRead, AppScope::WebhooksManage];

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $deed:literal, $vi:literal, $en:literal;)*) => {
        /// One thing that an app may be allowed. Whatever has no scope is for the handbook's own app alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum AppScope { $($(#[$doc])* #[serde(rename = $code)] $name),* }

        impl AppScope {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code),* } }
            /// The action under which its use stands in a member's access log; empty where it reads nothing of theirs.
            pub fn deed(self) -> &'static str { match self { $(Self::$name => $deed),* } }
            /// What a person is told before they allow it.
            pub fn words(self) -> Text { match self { $(Self::$name => text($vi, $en)),* } }
        }
    };
}

scopes! {
    ProfileRead = "profile:read", "app.profile_read", "Họ tên, chi bộ và vai trò của bạn", "Your name, cell and roles";
    PointsRead = "points:read", "app.points_read", "Điểm học tập của bạn và vì sao có từng mục điểm", "Your study points and why each was given";
    DocumentsRead = "documents:read", "app.documents_read", "Tài liệu gửi đến bạn, ghi chú và đánh dấu của bạn",
        "Documents sent to you, your notes and bookmarks";
    QuizzesRead = "quizzes:read", "app.quizzes_read", "Các bài thi dành cho bạn và kết quả của bạn", "Quizzes for you and your results";
    LeaderboardsRead = "leaderboards:read", "app.leaderboards_read", "Bảng xếp hạng mà bạn được xem, và thứ hạng của bạn",
        "The leaderboards that you may see, and your rank";
    UnitsRead = "units:read", "app.units_read", "Tên các tổ chức, và số liệu chung mà bạn được xem",
        "Names of units, and the figures of units that you may see";
    WebhooksManage = "webhooks:manage", "", "Nhận thông báo tự động khi có việc thuộc các mục đã cho phép",
        "Be told of events within what is allowed here";
}

/// Written by hand: the derive does not see names that come from a macro.
impl PartialSchema for AppScope {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("One thing that an app may be allowed."))
            .enum_values(Some(Self::ALL.iter().map(|scope| scope.as_str())))
            .into()
    }
}

impl ToSchema for AppScope {
    fn name() -> Cow<'static, str> {
        "AppScope".into()
    }
}

impl AppScope {
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct AppScopes(u8);

impl AppScopes {
    pub fn all() -> Self {
        AppScope::ALL.iter().copied().collect()
    }

    /// A list with spaces, as in requests and tokens; none when it holds a name that is no scope.
    pub fn parse(list: &str) -> Option<Self> {
        list.split_ascii_whitespace().map(AppScope::parse).collect()
    }

    /// Stored names; a name that the program does not know allows nothing.
    pub fn of_names(names: &[String]) -> Self {
        names.iter().filter_map(|name| AppScope::parse(name)).collect()
    }

    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(AppScope::as_str).collect()
    }

    pub fn iter(self) -> impl Iterator<Item = AppScope> {
        AppScope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    pub fn contains(self, scope: AppScope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the other set has all of this one.
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// What both have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<AppScope> for AppScopes {
    fn from_iter<I: IntoIterator<Item = AppScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl fmt::Display for AppScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

impl Serialize for AppScopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AppScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = String::deserialize(deserializer)?;
        Self::parse(&list).ok_or_else(|| serde::de::Error::custom("not a scope"))
    }
}

/// What an operation asks of an app, as its `security` in the document says. Empty sets let no app in.
#[derive(Debug, Clone, Copy, Default)]
pub struct AppAccess {
    /// An app that acts for a person needs one of these.
    for_a_person: AppScopes,
    /// An app that acts for no person needs one of these.
    alone: AppScopes,
}

impl AppAccess {
    /// Reads the `security` of an operation.
    pub fn of(security: &Value) -> Self {
        let asked = |scheme: &str| {
            let lists = security.as_array().into_iter().flatten().filter_map(|way| way[scheme].as_array());
            lists.flatten().filter_map(Value::as_str).filter_map(AppScope::parse).collect()
        };
        Self { for_a_person: asked(FOR_A_PERSON), alone: asked(ALONE) }
    }

    /// The scopes of which a token needs one.
    pub fn asked(self, claims: &Claims) -> AppScopes {
        if claims.is_alone() { self.alone } else { self.for_a_person }
    }

    /// The scope by which a token of an app gets in; none when it does not.
    pub fn admits(self, claims: &Claims) -> Option<AppScope> {
        self.asked(claims).common(claims.scope.unwrap_or_default()).iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn claims(sub: u128, scope: &str) -> Claims {
        let first = Claims::first_party(Uuid::from_u128(sub), Uuid::nil(), 0, 1);
        Claims { client_id: Some(Uuid::from_u128(7)), scope: AppScopes::parse(scope), ..first }
    }

    #[test]
    fn a_list_of_scopes_reads_back() {
        let scopes = AppScopes::parse("units:read  points:read").unwrap();
        assert_eq!(scopes.to_string(), "points:read units:read");
        assert_eq!(AppScopes::parse("points:write"), None);
        assert_eq!(AppScopes::parse(""), Some(AppScopes::default()));
        assert!(scopes.is_within(AppScopes::all()) && !AppScopes::all().is_within(scopes));
        assert_eq!(serde_json::to_value(scopes).unwrap(), json!("points:read units:read"));
    }

    #[test]
    fn an_operation_that_names_no_scope_lets_no_app_in() {
        let all = AppScopes::all().to_string();
        for security in [json!(null), json!([{"bearer": []}]), json!([{}]), json!([{"oauth2": []}])] {
            let access = AppAccess::of(&security);
            assert!(access.admits(&claims(1, &all)).is_none() && access.admits(&claims(7, &all)).is_none());
        }
    }

    #[test]
    fn an_app_alone_needs_a_scheme_of_its_own() {
        let access = AppAccess::of(&json!([{"bearer": []}, {"oauth2": ["points:read"]}]));
        assert_eq!(access.admits(&claims(1, "points:read units:read")), Some(AppScope::PointsRead));
        assert_eq!(access.admits(&claims(1, "units:read")), None);
        assert_eq!(access.admits(&claims(7, "points:read")), None);
        let access = AppAccess::of(&json!([{"oauth2": ["units:read"]}, {"oauth2_client": ["units:read"]}]));
        assert_eq!(access.admits(&claims(7, "units:read")), Some(AppScope::UnitsRead));
    }
}
