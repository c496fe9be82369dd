//! The usual variables of S3: credentials, region and endpoint.

use std::{collections::BTreeMap, env, fmt, net::IpAddr, path::Path};

use object_store::{
    BackoffConfig, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
};
use std::time::Duration;
use tributary_http_client::Trust;
use url::{Host, Url};

use crate::{
    Error,
    error::ErrorKind,
    requests::{Connector, Requests},
};

/// Tries of one request that the server could not answer, beside the first. Who asked tries again later.
const RETRIES: usize = 3;
/// The longest time for all tries of one request.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// The server that has the buckets. It holds no secret, so other programs may be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// Its address; `None` for Amazon's.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
}

/// The variables with the address of a server, the first of which counts.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Values of the variables `AWS_*`. It prints no value: some are secrets.
#[derive(Clone, Default)]
pub struct Access {
    variables: BTreeMap<String, String>,
}

impl Access {
    /// Reads the environment of this process.
    #[must_use]
    pub fn from_environment() -> Self {
        let texts =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::of(texts)
    }

    /// Takes variables from elsewhere. Those that are empty, or do not begin with `AWS_`, do not count.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let counts = |(name, value): &(String, String)| name.starts_with("AWS_") && !value.is_empty();
        Self { variables: variables.into_iter().filter(counts).collect() }
    }

    /// The certificates that prove who the server is: those of this machine, and those of `AWS_CA_BUNDLE`.
    pub(crate) fn trust(&self) -> Result<Trust, String> {
        match self.get("AWS_CA_BUNDLE") {
            None => Ok(Trust::default()),
            Some(file) => Trust::read(Path::new(file)).map_err(|why| format!("AWS_CA_BUNDLE: {why}")),
        }
    }

    /// Builds the client of one bucket. `url` is the location, for errors.
    pub(crate) fn client_of(&self, bucket: &str, url: &str, requests: &Requests) -> Result<AmazonS3, Error> {
        let checked = self.check_endpoint().and_then(|()| self.check_credentials());
        checked.map_err(|cause| Error::setting(url, cause))?;
        let mut builder = AmazonS3Builder::new();
        for (name, value) in &self.variables {
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        // Those were set in the order of the alphabet, and the variable without `_DEFAULT` counts for more.
        if let Some(region) = self.region() {
            builder = builder.with_region(region);
        }
        if self.is_unsigned() {
            // Needed for the list, whose signature is taken off again.
            builder = builder.with_access_key_id("none").with_secret_access_key("none");
        }
        let backoff =
            BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(2), base: 2.0 };
        builder
            .with_bucket_name(bucket)
            .with_retry(RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT })
            .with_http_connector(Connector(requests.clone()))
            .build()
            .map_err(|why| Error::of_store(url, ErrorKind::Setting, &why))
    }

    /// Whether requests carry no signature, as a public bucket wants it.
    pub(crate) fn is_unsigned(&self) -> bool {
        self.is_true("AWS_SKIP_SIGNATURE")
    }

    fn check_endpoint(&self) -> Result<(), String> {
        let Some((name, value)) = self.endpoint() else {
            let fix =
                "set AWS_REGION to the region of the bucket, or AWS_ENDPOINT_URL for a server other than Amazon's";
            return self.region().map(|_| ()).ok_or_else(|| format!("the region is not known; {fix}"));
        };
        let form = format!("{name} must be a URL such as https://minio.example:9000");
        let url = Url::parse(value).map_err(|why| format!("{form}: {why}"))?;
        let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain || url.fragment().is_some() {
            return Err(format!("{form}, without a password, `?` and `#`"));
        }
        if url.scheme() == "http" && !is_loopback(&url) && !self.is_true("AWS_ALLOW_HTTP") {
            return Err(format!(
                "{name} begins with http://, so anyone on the way can read the objects; write https://, or set AWS_ALLOW_HTTP=true"
            ));
        }
        Ok(())
    }

    fn check_credentials(&self) -> Result<(), String> {
        let has = |name| self.get(name).is_some();
        match (has("AWS_ACCESS_KEY_ID"), has("AWS_SECRET_ACCESS_KEY")) {
            (true, true) => return Ok(()),
            (true, false) => {
                return Err("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not; set both".to_owned());
            }
            (false, true) => {
                return Err("AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not; set both".to_owned());
            }
            (false, false) => {}
        }
        let of_role = has("AWS_WEB_IDENTITY_TOKEN_FILE") && has("AWS_ROLE_ARN");
        let of_container = has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
            || has("AWS_CONTAINER_CREDENTIALS_FULL_URI") && has("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        // Without a word nobody is asked: elsewhere than at Amazon that address may be anyone's.
        let of_machine = has("AWS_METADATA_ENDPOINT");
        if of_role || of_container || of_machine || self.is_unsigned() {
            return Ok(());
        }
        Err("there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_METADATA_ENDPOINT=http://169.254.169.254 \
             on a machine that has a role, or AWS_SKIP_SIGNATURE=true for a public bucket"
            .to_owned())
    }

    /// The server that these variables name.
    pub(crate) fn server(&self) -> Server {
        let endpoint = self.endpoint().map(|(_, url)| url.to_owned());
        Server { endpoint, region: self.region().map(str::to_owned) }
    }

    /// The address of the server, and the variable that has it.
    fn endpoint(&self) -> Option<(&'static str, &str)> {
        ENDPOINTS.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    fn region(&self) -> Option<&str> {
        self.get("AWS_REGION").or_else(|| self.get("AWS_DEFAULT_REGION"))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
