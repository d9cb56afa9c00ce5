//! How this program asks others over HTTP: statuses are answers, and it says who it is.

use std::time::Duration;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

/// The settings of a client that gives up after `timeout`.
pub fn config(timeout: Duration) -> ConfigBuilder<AgentScope> {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout));
    config.user_agent(concat!("mingzhang/", env!("CARGO_PKG_VERSION")))
}

/// A client.
pub fn agent(timeout: Duration) -> Agent {
    config(timeout).build().into()
}
