//! Claims the normal form of a value that an older build has claimed in another form.

use domain::{Claim, Event, claim, kernel, policies::claim_holds_normal_form::react};
use futures::FutureExt;

use crate::{
    app::deciding,
    policies::{Policy, Reaction, ReactionError},
};

pub(crate) const POLICY: Policy = Policy {
    name: "claim_holds_normal_form",
    at_once: 16,
    reads: "claim",
    concerns: |event| match event {
        Event::Kernel(kernel::Event::Claim(event)) => react(event).is_some(),
        _ => false,
    },
    react: |reaction| take(reaction).boxed(),
};

async fn take(reaction: Reaction<'_>) -> Result<(), ReactionError> {
    let Event::Kernel(kernel::Event::Claim(event)) = reaction.event else { return Ok(()) };
    let Some(command) = react(event) else { return Ok(()) };
    reaction
        .execute(&|work| {
            let command = command.clone();
            deciding(async move {
                let claim::Command::Take { value, .. } = &command;
                Ok(work.decide::<Claim>(value.id(), command).await?)
            })
        })
        .await
}
