//! Every replica of every service as its own process, over a real NATS server and a real Postgres.

use std::sync::Arc;

use rustix::process::Signal;
use tokio::sync::OnceCell;

use super::{
    Deployment, Form, Gateway, Options, Processes, Tls,
    one_process::address,
    options::{BLOB_SECRET, variable},
};
use crate::{
    http::{ADMIN, PASSWORD},
    nats::Nats,
    postgres::Postgres,
    process::{Ready, Spec, Supervisor, Tier, built},
};

/// What anonymous clients may use, as with `carillon up` on loopback.
const ANONYMOUS: &str = "notifications,notifications.send,chat,chat.rooms.messages.list,counter,named-counter,\
     counter.show,document";

/// A cluster on this machine: `nats`, `postgres`, `gateway-1`, `gateway-2`, `auth-1`, `auth-2`,
/// and two of each other service, or as many of them as [`Processes`] says.
#[derive(Debug)]
pub struct Cluster {
    deployment: Deployment,
    nats: Nats,
    postgres: Postgres,
    processes: Processes,
    environment: Vec<(String, String)>,
    gateway_arguments: Vec<String>,
}

impl Cluster {
    /// Starts it, and waits until every process is ready.
    ///
    /// # Errors
    /// If something isn't installed or built, or doesn't become ready.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let supervisor = Arc::new(Supervisor::new()?);
        let (nats, postgres) = tokio::try_join!(
            Nats::start_in(&supervisor),
            Postgres::start_in(&supervisor, options.durability)
        )?;
        let mut environment = options.environment();
        environment.push(variable("CARILLON_NATS_URL", &nats.url()));
        let files = supervisor.directory().join("blobs").display().to_string();
        environment.push(variable("CARILLON_BLOB_STORE", &files));
        environment.push(variable("CARILLON_BLOB_SECRET", BLOB_SECRET));
        let gateways = gateways(&supervisor, &options)?;
        let cluster = Self {
            deployment: Deployment {
                form: Form::Cluster,
                gateways,
                identity_provider: options.identity_provider,
                collector: options.collector,
                admin: OnceCell::new(),
                supervisor,
            },
            nats,
            postgres,
            processes: options.processes,
            environment,
            gateway_arguments: options.gateway_arguments,
        };
        cluster.launch_everything().await?;
        Ok(cluster)
    }

    /// What it has in common with one process.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// Its NATS server.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Its Postgres.
    pub fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// Starts one more gateway, with more options and environment than the others have.
    ///
    /// # Errors
    /// If it doesn't become ready.
    pub async fn add_gateway(
        &self,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Gateway> {
        let arguments = [self.usual_arguments(), arguments.to_vec()].concat();
        self.add_gateway_with(name, &arguments, environment).await
    }

    /// Starts one more gateway, with these options and none of those that the others have.
    ///
    /// # Errors
    /// If it doesn't become ready.
    pub async fn add_gateway_with(
        &self,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Gateway> {
        let supervisor = &self.deployment.supervisor;
        let tls = self.deployment.gateways[0].tls.clone();
        let gateway = Gateway::over(tls, name, supervisor.port()?, supervisor)?;
        let mut spec = self.gateway_spec(&gateway, arguments)?;
        spec.environment.extend(environment.iter().map(|(name, value)| variable(name, value)));
        supervisor.launch(spec)?;
        supervisor.ready(name).await?;
        Ok(gateway)
    }

    /// Starts one more replica of a service, `chat-3`, say.
    ///
    /// # Errors
    /// If there is one of that number, or it doesn't become ready.
    pub async fn add_replica(&self, service: &str, number: usize) -> anyhow::Result<()> {
        let spec = self.service_spec(service, number)?;
        let (supervisor, name) = (&self.deployment.supervisor, spec.name.clone());
        supervisor.launch(spec)?;
        supervisor.ready(&name).await
    }

    async fn launch_everything(&self) -> anyhow::Result<()> {
        let supervisor = &self.deployment.supervisor;
        for service in self.processes.services {
            for replica in 1..=self.processes.replicas {
                supervisor.launch(self.service_spec(service, replica)?)?;
            }
        }
        let gateways = if self.processes.second_gateway { 2 } else { 1 };
        for gateway in self.deployment.gateways.iter().take(gateways) {
            supervisor.launch(self.gateway_spec(gateway, &self.usual_arguments())?)?;
        }
        for name in supervisor.names() {
            supervisor.ready(&name).await?;
        }
        Ok(())
    }

    fn service_spec(&self, service: &str, replica: usize) -> anyhow::Result<Spec> {
        let operations = format!("127.0.0.1:{}", self.deployment.supervisor.port()?);
        let mut arguments = vec!["--ops-listen", &operations];
        let mut environment = self.environment.clone();
        environment.push(variable("CARILLON_DATABASE_URL", &self.postgres.url()));
        environment.extend(nats_login(service));
        if service == "auth" {
            arguments.extend(["--bootstrap-admin", ADMIN]);
            environment.push(variable("CARILLON_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD));
        }
        Ok(Spec {
            name: format!("{service}-{replica}"),
            program: built(service)?,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment,
            user: None,
            stop_signal: Signal::TERM,
            tier: Tier::Service,
            ready: Ready::Http(format!("http://{operations}/readyz")),
        })
    }

    fn usual_arguments(&self) -> Vec<&str> {
        let more = self.gateway_arguments.iter().map(String::as_str);
        ["--allow-anonymous", ANONYMOUS].into_iter().chain(more).collect()
    }

    fn gateway_spec(&self, gateway: &Gateway, more: &[&str]) -> anyhow::Result<Spec> {
        let (listen, operations) = (address(&gateway.http), address(&gateway.operations));
        let own = ["--listen", listen, "--ops-listen", operations];
        let tls = gateway.tls_arguments();
        let arguments = own.into_iter().chain(more.iter().copied()).chain(tls.iter().map(String::as_str));
        Ok(Spec {
            name: gateway.name.clone(),
            program: built("gateway")?,
            arguments: arguments.map(Into::into).collect(),
            environment: [self.environment.clone(), nats_login("gateway").into()].concat(),
            user: None,
            stop_signal: Signal::TERM,
            tier: Tier::Edge,
            ready: Ready::Http(format!("{}/readyz", gateway.operations)),
        })
    }
}

/// Each program is a user of its own, who may do no more than it needs.
fn nats_login(program: &str) -> [(String, String); 2] {
    [variable("CARILLON_NATS_USER", program), variable("CARILLON_NATS_PASSWORD", program)]
}

fn gateways(supervisor: &Supervisor, options: &Options) -> anyhow::Result<[Gateway; 2]> {
    let port = |place: usize| match options.gateway_ports {
        Some(ports) => supervisor.port_exactly(ports[place]),
        None => supervisor.port(),
    };
    let tls = options.tls.as_ref().map(|authority| Tls::of(authority, supervisor)).transpose()?;
    let first = Gateway::over(tls.clone(), "gateway-1", port(0)?, supervisor)?;
    let second = match options.processes.second_gateway {
        true => Gateway::over(tls, "gateway-2", port(1)?, supervisor)?,
        false => first.clone(),
    };
    Ok([first, second])
}
