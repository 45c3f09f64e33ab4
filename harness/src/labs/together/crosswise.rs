//! Who is at fault where a client and a server fail together.

use crate::trial::{Stop, Trial, Verdict};
use crate::verdict::Failure;

/// What the reader calls the two programs.
pub(super) struct Pair {
    pub(super) client: &'static str,
    pub(super) server: &'static str,
}

impl Pair {
    /// Both programs together; where that fails, each once more with the harness in the other's
    /// place.
    pub(super) fn judge(
        &self,
        t: &Trial,
        together: impl Fn(&Trial) -> Verdict,
        client: impl Fn(&Trial) -> Verdict,
        server: impl Fn(&Trial) -> Verdict,
    ) -> Verdict {
        let both = match together(t) {
            Err(Stop::Fail(failure)) => failure,
            other => return other,
        };
        let what = format!("the {} alone: the harness is its server", self.client);
        let client = alone(t, &what, client)?;
        let what = format!("the {} alone: the harness is its client", self.server);
        let server = alone(t, &what, server)?;
        Err(Stop::Fail(Box::new(self.lay_blame(*both, client, server))))
    }

    fn lay_blame(
        &self,
        both: Failure,
        client: Option<Failure>,
        server: Option<Failure>,
    ) -> Failure {
        let together = format!("together: {}", both.headline);
        let (headline, alone) = match (client, server) {
            (None, None) => {
                return Failure { headline: format!("each is right alone; {together}"), ..both };
            }
            (None, Some(server)) => {
                (format!("the {} is right; {}", self.client, server.headline), server)
            }
            (Some(client), None) => {
                (format!("the {} is right; {}", self.server, client.headline), client)
            }
            (Some(client), Some(server)) => {
                (format!("both are wrong: {}, and {}", client.headline, server.headline), client)
            }
        };
        let steps = [both.steps, alone.steps].concat();
        let seen = [vec![together], alone.seen.iter().map(|it| format!("alone: {it}")).collect()];
        Failure { headline, steps, seen: seen.concat(), ..alone }
    }
}

/// The failure of one program alone, if it fails.
fn alone(t: &Trial, what: &str, act: impl Fn(&Trial) -> Verdict) -> Verdict<Option<Failure>> {
    t.new_scene()?;
    t.note(what);
    match act(t) {
        Ok(()) => Ok(None),
        Err(Stop::Fail(failure)) => Ok(Some(*failure)),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(headline: &str) -> Failure {
        Failure { headline: headline.to_owned(), ..Failure::default() }
    }

    #[test]
    fn the_blame_goes_to_the_one_that_fails_alone() {
        let pair = Pair { client: "client", server: "web server" };
        let both = || failure("nothing came");
        let (client, server) = (
            || Some(failure("the client sleeps")),
            || Some(failure("the server closes too early")),
        );
        for (one, other, headline) in [
            (None, server(), "the client is right; the server closes too early"),
            (client(), None, "the web server is right; the client sleeps"),
            (None, None, "each is right alone; together: nothing came"),
            (
                client(),
                server(),
                "both are wrong: the client sleeps, and the server closes too early",
            ),
        ] {
            assert_eq!(pair.lay_blame(both(), one, other).headline, headline);
        }
    }
}
