//! Where files are kept: a folder that all instances share, or S3.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;

use crate::kernel::config::Config;

/// How long one attempt may take to reach the store, and a whole request with its repetitions: an upload waits that long for it.
const CONNECT: Duration = Duration::from_secs(3);
const REQUEST: Duration = Duration::from_secs(30);
const ALL_ATTEMPTS: Duration = Duration::from_secs(10);

/// Opens the store of `files_url`, or the folder `files` of the data directory.
///
/// # Errors
/// When the folder cannot be made, or the settings name no bucket.
pub fn open(config: &Config) -> Result<Arc<dyn ObjectStore>, String> {
    let Some(url) = &config.files_url else {
        let folder = config.data_dir.join("files");
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
        return Ok(Arc::new(LocalFileSystem::new_with_prefix(folder).map_err(|error| error.to_string())?));
    };
    let place = BucketPlace::parse(url).ok_or("files_url: s3://bucket or s3://bucket/prefix")?;
    let bucket = s3(config, &place.bucket)?;
    Ok(match place.prefix {
        Some(prefix) => Arc::new(PrefixStore::new(bucket, prefix)),
        None => Arc::new(bucket),
    })
}

/// Removes what a killed process left of files that it was writing to the folder; S3 drops such parts by the bucket's own rules.
/// The store itself does not list them.
pub fn sweep_unfinished(config: &Config, before: DateTime<Utc>) -> usize {
    if config.files_url.is_some() {
        return 0;
    }
    let Ok(entries) = std::fs::read_dir(config.data_dir.join("files/documents")) else { return 0 };
    let is_left_over = |entry: &std::fs::DirEntry| {
        let changed = entry.metadata().and_then(|about| about.modified()).map(DateTime::<Utc>::from);
        entry.file_name().to_string_lossy().contains('#') && changed.is_ok_and(|changed| changed < before)
    };
    entries.flatten().filter(is_left_over).filter(|entry| std::fs::remove_file(entry.path()).is_ok()).count()
}

/// A bucket, and the prefix below which the files lie.
#[derive(Debug, PartialEq, Eq)]
struct BucketPlace {
    bucket: String,
    prefix: Option<String>,
}

impl BucketPlace {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let named = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
        named.then(|| Self { bucket: bucket.to_owned(), prefix: (!prefix.is_empty()).then(|| prefix.to_owned()) })
    }
}

/// The bucket. What the settings leave out comes from where S3's own tools look: `AWS_*` in the environment, the machine's role.
fn s3(config: &Config, bucket: &str) -> Result<AmazonS3, String> {
    let retry = RetryConfig { max_retries: 2, retry_timeout: ALL_ATTEMPTS, backoff: BackoffConfig::default() };
    let options = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST);
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry);
    let mut plain = false;
    if let Some(endpoint) = &config.files_endpoint {
        plain = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint.as_str());
    }
    if let Some(region) = &config.files_region {
        builder = builder.with_region(region.as_str());
    }
    if let Some(key) = &config.files_access_key {
        builder = builder.with_access_key_id(key.expose_secret());
    }
    if let Some(secret) = &config.files_secret_key {
        builder = builder.with_secret_access_key(secret.expose_secret());
    }
    let built = builder.with_client_options(options.with_allow_http(plain)).build();
    built.map_err(|error| format!("the file store cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_prefixes_are_read() {
        let place = |bucket: &str, prefix: Option<&str>| {
            Some(BucketPlace { bucket: bucket.to_owned(), prefix: prefix.map(str::to_owned) })
        };
        assert_eq!(BucketPlace::parse("s3://sotay-files"), place("sotay-files", None));
        assert_eq!(BucketPlace::parse("s3://sotay-files/a/b/"), place("sotay-files", Some("a/b")));
        for wrong in ["", "s3://", "s3://UPPER/x", "https://host/bucket", "s3://a b"] {
            assert_eq!(BucketPlace::parse(wrong), None, "{wrong}");
        }
    }
}
