//! The pool of connections, from a URL.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use crate::{DbOptions, Error, ErrorKind, Result};

/// A pool that connects when it is first used.
pub(crate) fn pool(url: &str, options: &DbOptions) -> Result<Pool> {
    let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
        // The parser's words could hold the password.
        Error::new(
            ErrorKind::Config,
            "the PostgreSQL URL cannot be read; write postgres://user:password@host:port/database",
        )
    })?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Error::new(
            ErrorKind::Config,
            "sslmode=require is not supported; use a private network or a local TLS tunnel",
        ));
    }
    // As an option of the connection it costs no round trip. The name was checked: a-z, 0-9 and _.
    let mut settings = config.get_options().unwrap_or_default().to_owned();
    settings.push_str(" -c search_path=");
    settings.push_str(&options.schema);
    settings.push_str(" -c idle_in_transaction_session_timeout=60000");
    config.options(settings.trim_start());
    config.application_name(format!("tradewind-{}", options.schema));
    config.connect_timeout(options.wait_max);
    config.tcp_user_timeout(Duration::from_secs(15));
    config.keepalives_idle(Duration::from_secs(30));
    let fast = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    Pool::builder(Manager::from_config(config, NoTls, fast))
        .max_size(options.connections_max.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.wait_max))
        .create_timeout(Some(options.wait_max))
        .recycle_timeout(Some(options.wait_max))
        .build()
        .map_err(|e| Error::new(ErrorKind::Config, format!("cannot make the pool: {e}")))
}
