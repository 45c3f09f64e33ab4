//! Programs with several doors, several programs in one trial, and programs that are started again.

use sockets_lab::net::{Door, Doors, Service};
use sockets_lab::program::{Given, Stdin};
use sockets_lab::trial::{Progress, StallKind, Stop, Trial, Verdict};

use super::specimens::{fails, passes, says, start};

/// The specimen with two listeners, of which it says what they are for.
fn mail(t: &Trial) -> Verdict<Doors> {
    let [smtp, pop3] = [(); 2].map(|()| t.addresses().free_address());
    let words = ["connections", &format!("{smtp}=SMTP"), &format!("{pop3}=POP3")];
    let doors = [Door::tcp(smtp).announced_for("SMTP"), Door::tcp(pop3).announced_for("POP3")];
    t.doors(start(t, &words)?, &doors)
}

fn expect_echo(service: &Service) -> Verdict {
    let mut client = service.connect()?;
    client.send(b"hello\n")?;
    client.expect(b"hello\n")?;
    client.close();
    Ok(())
}

#[test]
fn a_program_with_two_listeners_has_both_and_says_so() {
    passes(|t| {
        let mail = mail(t)?;
        mail.expect_ready_lines("one line for each listener")?;
        mail.expect_no_other_door("two listeners, as it was told")?;
        for purpose in ["SMTP", "POP3"] {
            expect_echo(&mail.service_at(mail.address_for(purpose)))?;
        }
        Ok(())
    });
}

#[test]
fn ports_that_the_system_chose_are_known_by_their_ready_lines() {
    passes(|t| {
        let any = (t.addresses().host(), 0).into();
        let words = ["connections", &format!("{any}=SMTP"), &format!("{any}=POP3")];
        let doors = [Door::tcp(any).announced_for("SMTP"), Door::tcp(any).announced_for("POP3")];
        let mail = t.doors(start(t, &words)?, &doors)?;
        let [smtp, pop3] = ["SMTP", "POP3"].map(|purpose| mail.address_for(purpose));
        assert!(smtp.port() > 0 && pop3.port() > 0 && smtp != pop3);
        mail.expect_ready_lines("one line for each listener")
    });
}

#[test]
fn connections_and_datagrams_can_share_a_port() {
    passes(|t| {
        let at = t.addresses().free_address();
        let doors = [Door::udp(at), Door::tcp(at)];
        let both = t.doors(start(t, &["both", &at.to_string()])?, &doors)?;
        both.expect_ready_lines("one line, for one address")?;
        both.expect_no_other_door("one socket for datagrams, one listener")?;
        expect_echo(&both.service_at(at))
    });
}

#[test]
fn a_listener_too_many_is_named() {
    let failure = fails(|t| {
        let [one, two] = [(); 2].map(|()| t.addresses().free_address());
        let words = ["connections", &one.to_string(), &two.to_string()];
        t.doors(start(t, &words)?, &[Door::tcp(one)])?.expect_no_other_door("one was asked for")
    });
    let Some(failure) = failure else { return };
    assert_eq!(failure.seen[0].matches("a listener on").count(), 2, "{failure:#?}");
}

#[test]
fn a_door_that_stays_shut_is_named() {
    let failure = fails(|t| {
        let [one, two] = [(); 2].map(|()| t.addresses().free_address());
        let running = start(t, &["connections", &one.to_string()])?;
        t.doors(running, &[Door::tcp(one), Door::udp(two)]).map(drop)
    });
    let Some(failure) = failure else { return };
    assert!(failure.expected[0].starts_with("UDP 127."), "{failure:#?}");
    assert!(says(&failure.seen, "every thread of the specimen is blocked"), "{failure:#?}");
}

#[test]
fn a_program_that_was_killed_comes_back_on_its_addresses_over_open_connections() {
    passes(|t| {
        let mail = mail(t)?;
        let smtp = mail.address_for("SMTP");
        let client = mail.service_at(smtp).connect()?;
        let again = mail.kill_and_start_again()?;
        assert_eq!(again.open, mail.open);
        drop(client);
        expect_echo(&again.service_at(smtp))?;
        t.terminate(&again.running)?;
        let third = t.start_again(&again.running)?;
        t.doors(third, &mail.open).map(drop)
    });
}

#[test]
fn a_folder_outlives_the_program_that_uses_it_and_has_a_name() {
    passes(|t| {
        let spool = t.scratch("SPOOL")?;
        spool.file("new/1", b"a letter")?;
        let at = t.addresses().free_address();
        let words = ["connections", &at.to_string(), &spool.path().display().to_string()];
        let shown = fails_to_listen(t, &words)?;
        assert!(shown.contains("SPOOL") && !shown.contains("/tmp"), "{shown}");
        spool.expect_file("new/1", b"a letter", "")
    });
}

/// What is told of a program that can't use its arguments.
fn fails_to_listen(t: &Trial, words: &[&str]) -> Verdict<String> {
    let running = start(t, words)?;
    let stall = t.wait(&running, || Ok(Progress::<()>::Nothing))?;
    assert!(matches!(stall, Err(stall) if matches!(stall.kind, StallKind::Ended(_))));
    match t.fail("it ended").stop() {
        Stop::Fail(failure) => Ok(failure.steps.concat()),
        other => Err(other),
    }
}

#[test]
fn ten_programs_in_one_trial_stand_still_together() {
    passes(|t| {
        let mut services = Vec::new();
        for number in 1..=10 {
            let at = t.addresses().free_address();
            let given = Given::arguments(["connections", &at.to_string()]);
            let called = format!("specimen {number}");
            let running = t.start_as(&called, "specimen", given, Stdin::Null)?;
            services.push(t.listening(running, at)?);
        }
        for service in &services {
            expect_echo(service)?;
        }
        services[3].kill()?;
        expect_echo(&services[4])?;
        let last = services.last().expect("ten");
        assert!(t.settle(&last.running)?.is_ok());
        Ok(())
    });
}
