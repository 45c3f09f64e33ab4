//! Everything twice: your web servers behind your balancers, which your name server knows. One of them
//! is killed, and your client notices it or does not.

use std::net::{IpAddr, SocketAddr};

use super::crosswise::Pair;
use super::lookup::look_up;
use super::page::{self, Guest, PAGE, client_alone, get, reply};
use crate::labs::balance::meeting;
use crate::labs::names::Question;
use crate::labs::web::Web;
use crate::net::{Cut, Service, noise};
use crate::trial::{Trial, Verdict};

checks! { $ together_twice, "together" step 12:
    outlives_a_server, 3 points: "your client notices nothing when one of two web servers is killed";
    "Refused: the backend is down, and the next is tried with the same client. No server is the only one."

    outlives_a_balancer, 3 points: "your client is served at the second address of a name when the first is killed";
    "Several balancers over the same servers know nothing of each other, and need not. A name has an address for each."
}

const PAIR: Pair = Pair { client: "client", server: "balancer" };

/// The addresses of the name: one for each balancer, with one port for both.
fn addresses(t: &Trial) -> Verdict<[SocketAddr; 2]> {
    t.needs_watching()?;
    let first = t.addresses().free_address();
    let second = SocketAddr::new(t.addresses().free_elsewhere().ip(), first.port());
    let hosts = [first, second].map(|address| address.ip());
    let hosts = hosts.into_iter().filter_map(|host| match host {
        IpAddr::V4(host) => Some(host),
        IpAddr::V6(_) => None,
    });
    look_up(t, &Question::for_addresses(&hosts.collect::<Vec<_>>()), &[], 0)?;
    t.new_scene()?;
    t.note(format!("the name has two addresses, {} and {}", first.ip(), second.ip()));
    Ok([first, second])
}

/// Two web servers that have the same page.
fn two_servers(t: &Trial, page: &[u8]) -> Verdict<[Web; 2]> {
    let first = Web::start(t)?;
    first.root.file(PAGE, page)?;
    let second = first.another("second web server")?;
    Ok([first, second])
}

fn addresses_of(servers: &[Web]) -> Vec<SocketAddr> {
    servers.iter().map(|web| web.service.address).collect()
}

/// The request for the page, which is the only one on its connection.
fn request() -> Vec<u8> {
    get("Connection: close\r\n")
}

/// A client fetches the page from this balancer, and notices nothing.
fn is_served(t: &Trial, balancer: &Service, page: &[u8]) -> Verdict {
    let mut guest = Guest::comes_to(t, balancer.address)?;
    guest.types(&request());
    guest.client.end_input();
    guest.expect_reply(200, page)?;
    guest.client.expect_success()
}

/// The client alone: the harness gives it the page.
fn fetches_alone(t: &Trial, page: &[u8]) -> Verdict {
    client_alone(t, &[&request()], &reply("200 OK", page), Cut::Whole)
}

fn outlives_a_server(t: &mut Trial) -> Verdict {
    let page = noise(13, 50_000);
    let [address, _] = addresses(t)?;
    // Without a balancer first: then it is not the web server that is wrong.
    page::fetch(t, Cut::Whole, &page)?;
    t.new_scene()?;
    PAIR.judge(
        t,
        |t| {
            let servers = two_servers(t, &page)?;
            let balancer = meeting::balancer(t, "balancer", address, &addresses_of(&servers))?;
            is_served(t, &balancer, &page)?;
            servers[1].service.kill()?;
            // One of the two would have been the turn of the one that is dead.
            is_served(t, &balancer, &page)?;
            is_served(t, &balancer, &page)
        },
        |t| fetches_alone(t, &page),
        meeting::outlives_a_server,
    )
}

fn outlives_a_balancer(t: &mut Trial) -> Verdict {
    const REFUSED: &str = "nobody listens there any more, and the name has another address";
    let page = noise(14, 50_000);
    let [first, second] = addresses(t)?;
    PAIR.judge(
        t,
        |t| {
            let servers = two_servers(t, &page)?;
            let servers = addresses_of(&servers);
            let one = meeting::balancer(t, "balancer", first, &servers)?;
            let other = meeting::balancer(t, "second balancer", second, &servers)?;
            is_served(t, &one, &page)?;
            one.kill()?;
            let guest = Guest::comes_to(t, first)?;
            guest.client.expect_failure(&first.to_string(), REFUSED)?;
            is_served(t, &other, &page)
        },
        |t| fetches_alone(t, &page),
        meeting::outlives_a_server,
    )
}
