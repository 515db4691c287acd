//! Which network a container is on: none for commands unless the spec names one or ports are published.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{HostConfig, NetworkCreateRequest, NetworkDisconnectRequest, NetworkSettings, PortBinding};

use super::client::{ANSWER, within};
use super::facts::Facts;
use super::labels::LABEL_NETWORK;
use super::{DockerConfig, DockerError};

/// The one network on which containers with ports and no other network sit: nobody is reached through it.
const INTERNAL: &str = "bailiwick-internal";
/// What the set-up is on where the spec is silent.
const BRIDGE: &str = "bridge";

/// The network of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    place: Place,
    /// Whether the set-up has more: the bridge, left when it is over.
    bridged_setup: bool,
    /// Published ports, host to guest.
    ports: BTreeMap<u16, u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    /// The shared network without a way out.
    Internal,
    /// What the spec names.
    Named(String),
}

impl Network {
    /// Decides.
    ///
    /// # Errors
    /// What this engine cannot give.
    pub(super) fn choose(
        config: &DockerConfig,
        ports: &BTreeMap<u16, u16>,
        has_setup: bool,
        facts: &Facts,
    ) -> Result<Self, DockerError> {
        let place = match config.network.as_deref() {
            Some("none") => Place::Nowhere,
            Some("host") if !facts.linux => {
                return Err(DockerError::NoNetwork { why: "the engine's host is not this one, nor Linux" });
            }
            Some(name) => Place::Named(name.to_owned()),
            None if ports.is_empty() => Place::Nowhere,
            None if !facts.linux => {
                return Err(DockerError::NoNetwork {
                    why: "the addresses of its containers cannot be reached from here",
                });
            }
            None => Place::Internal,
        };
        if place == Place::Nowhere && !ports.is_empty() {
            return Err(DockerError::NoNetwork { why: "a container without a network publishes no port" });
        }
        Ok(Self { place, bridged_setup: config.network.is_none() && has_setup, ports: ports.clone() })
    }

    /// Puts the network into what a container is made of.
    pub(super) fn apply(&self, host: HostConfig) -> HostConfig {
        let mode = match &self.place {
            _ if self.bridged_setup => BRIDGE,
            Place::Nowhere => "none",
            Place::Internal => INTERNAL,
            Place::Named(name) => name,
        };
        let binding = |port: &u16| {
            let (ip, port) = (Some(Ipv4Addr::LOCALHOST.to_string()), Some(port.to_string()));
            Some(vec![PortBinding { host_ip: ip, host_port: port }])
        };
        let published = self.publishes().then(|| {
            self.ports.iter().map(|(host, guest)| (format!("{guest}/tcp"), binding(host))).collect::<HashMap<_, _>>()
        });
        HostConfig { network_mode: Some(mode.to_owned()), port_bindings: published, ..host }
    }

    /// Says whether the engine publishes ports: on its host's network they are there anyway.
    fn publishes(&self) -> bool {
        matches!(&self.place, Place::Named(name) if name != "host") && !self.ports.is_empty()
    }

    /// Lists the ports of the guest that the engine must know of.
    pub(super) fn exposed(&self) -> Vec<String> {
        if self.publishes() { self.ports.values().map(|port| format!("{port}/tcp")).collect() } else { Vec::new() }
    }

    /// Says whether the address of the container has to be asked for at every start.
    pub(super) fn is_internal(&self) -> bool {
        self.place == Place::Internal
    }

    /// Says whether a bridge is left when the set-up is over.
    pub(super) fn leaves_bridge(&self) -> bool {
        self.bridged_setup
    }

    /// Gives the address at which a port of the guest is reached, with the container's own where it has one.
    pub(super) fn address(&self, port: u16, own: Option<IpAddr>) -> Option<(IpAddr, u16)> {
        match &self.place {
            Place::Nowhere => None,
            Place::Internal => Some((own?, port)),
            Place::Named(name) if name == "host" => Some((IpAddr::from(Ipv4Addr::LOCALHOST), port)),
            Place::Named(_) => {
                let (host, _) = self.ports.iter().find(|(_, guest)| **guest == port)?;
                Some((IpAddr::from(Ipv4Addr::LOCALHOST), *host))
            }
        }
    }

    /// Gives the address that a server of the guest listens on to be reached.
    pub(super) fn listens_on(&self) -> IpAddr {
        match &self.place {
            Place::Named(name) if name == "host" => IpAddr::from(Ipv4Addr::LOCALHOST),
            Place::Nowhere => IpAddr::from(Ipv4Addr::LOCALHOST),
            Place::Internal | Place::Named(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        }
    }
}

/// Makes the internal network where it is not there. One for all: each takes a range of addresses from a small pool.
///
/// Cancel safe.
pub(super) async fn make_internal(api: &bollard::Docker) -> Result<(), DockerError> {
    const ACTION: &str = "make a network";
    if within(ANSWER, "describe a network", api.inspect_network(INTERNAL, None)).await.is_ok() {
        return Ok(());
    }
    let request = NetworkCreateRequest {
        name: INTERNAL.to_owned(),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        enable_ipv6: Some(false),
        options: Some(HashMap::from([("com.docker.network.bridge.enable_icc".to_owned(), "false".to_owned())])),
        labels: Some(HashMap::from([(LABEL_NETWORK.to_owned(), "1".to_owned())])),
        ..NetworkCreateRequest::default()
    };
    match within(ANSWER, ACTION, api.create_network(request)).await {
        Ok(_) => Ok(()),
        // Another made it meanwhile.
        Err(error) if error.status() == Some(409) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts a container onto the internal network beside the one it is on.
///
/// Cancel safe.
pub(super) async fn join_internal(api: &bollard::Docker, container: &str) -> Result<(), DockerError> {
    let request = bollard::models::NetworkConnectRequest { container: container.to_owned(), endpoint_config: None };
    within(ANSWER, "connect a network", api.connect_network(INTERNAL, request)).await
}

/// Takes a container off the bridge. Idempotent.
///
/// Cancel safe.
pub(super) async fn leave_bridge(api: &bollard::Docker, container: &str) -> Result<(), DockerError> {
    let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
    match within(ANSWER, "disconnect a network", api.disconnect_network(BRIDGE, request)).await {
        // It was not on it any more: whoever asked before was dropped before the engine had answered.
        Err(error) if matches!(error.status(), Some(403 | 404)) || says_so(&error) => Ok(()),
        done => done,
    }
}

/// Says whether the engine refused because the container was on no such network; it has no status of its own for that.
fn says_so(error: &DockerError) -> bool {
    error.refusal().is_some_and(|(_, why)| why.contains("is not connected to"))
}

/// Finds the container's address on the internal network.
pub(super) fn own_address(settings: Option<&NetworkSettings>) -> Option<IpAddr> {
    settings?.networks.as_ref()?.get(INTERNAL)?.ip_address.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(network: Option<&str>, ports: &[(u16, u16)], setup: bool) -> Result<Network, DockerError> {
        let config = DockerConfig { network: network.map(str::to_owned), ..DockerConfig::default() };
        Network::choose(&config, &ports.iter().copied().collect(), setup, &Facts::default())
    }

    fn mode(network: &Network) -> String {
        network.apply(HostConfig::default()).network_mode.unwrap()
    }

    #[test]
    fn silence_means_none_and_a_bridge_for_the_setup_alone() {
        let plain = chosen(None, &[], false).unwrap();
        assert_eq!((mode(&plain).as_str(), plain.leaves_bridge()), ("none", false));
        let with_setup = chosen(None, &[], true).unwrap();
        assert_eq!((mode(&with_setup).as_str(), with_setup.leaves_bridge()), ("bridge", true));
        let named = chosen(Some("mine"), &[], true).unwrap();
        assert_eq!((mode(&named).as_str(), named.leaves_bridge()), ("mine", false));
    }

    #[test]
    fn ports_are_published_on_loopback_or_not_at_all() {
        let bridged = chosen(Some("bridge"), &[(8000, 80)], false).unwrap();
        let bindings = bridged.apply(HostConfig::default()).port_bindings.unwrap();
        assert_eq!(bindings["80/tcp"].as_ref().unwrap()[0].host_ip.as_deref(), Some("127.0.0.1"));
        assert_eq!(bridged.address(80, None), Some((Ipv4Addr::LOCALHOST.into(), 8000)));
        assert_eq!(bridged.listens_on(), IpAddr::from(Ipv4Addr::UNSPECIFIED));
        let internal = chosen(None, &[(8000, 80)], false).unwrap();
        let own = "172.20.0.2".parse().unwrap();
        assert_eq!((mode(&internal).as_str(), internal.address(80, Some(own))), (INTERNAL, Some((own, 80))));
        assert_eq!(internal.apply(HostConfig::default()).port_bindings, None);
        let host = chosen(Some("host"), &[(8000, 80)], false).unwrap();
        assert_eq!((host.exposed().len(), host.address(80, None).unwrap().1), (0, 80));
        assert!(chosen(Some("none"), &[(8000, 80)], false).is_err());
    }

    #[test]
    fn an_engine_elsewhere_has_neither_host_mode_nor_reachable_addresses() {
        let facts = Facts { linux: false, ..Facts::default() };
        let of = |network: Option<&str>| {
            let config = DockerConfig { network: network.map(str::to_owned), ..DockerConfig::default() };
            Network::choose(&config, &BTreeMap::from([(1, 1)]), false, &facts)
        };
        assert!(of(Some("host")).is_err() && of(None).is_err() && of(Some("bridge")).is_ok());
    }
}
